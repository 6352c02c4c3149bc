"""Download large files resumably and unpack them safely.

pooch checks which files exist and their checksums; `ResumingDownloader` adds what it lacks: it appends to a .part file with HTTP range requests.
"""

import os
import shutil
import time
import zipfile
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin

import pooch
import requests
from tqdm import tqdm

from core.batch.archive import ArchiveError, extract, open_zip
from core.errors import DermalensError

UNPACKED_SUFFIXES = (".jpg", ".jpeg", ".png", ".csv", ".txt")
# A connection that breaks loses the chunk it was in.
_CHUNK_BYTES = 1 << 16
_TIMEOUT_S = 60
_ATTEMPTS = 5
_REDIRECTIONS = 10
# Left free on the disk beside what a download needs.
_RESERVE_BYTES = 200_000_000


class DownloadError(DermalensError):
    """A download cannot be made or finished; the message says why and what to do."""


class ResumingDownloader:
    """A downloader for pooch that carries on where a broken connection, also of an earlier run, stopped.

    Args:
        part: the file that grows; left in place when the connection breaks for good.
        attempts: tries without a single new byte before giving up.
        wait_s: pause before the second try, longer before each further one.
        max_bytes: a file that is larger, or says so, is refused; None takes any.
        schemes: that the address, and every address that it leads to, may begin with.
    """

    def __init__(
        self,
        part: Path,
        attempts: int = _ATTEMPTS,
        wait_s: float = 2.0,
        max_bytes: int | None = None,
        schemes: tuple[str, ...] = ("https://", "http://"),
    ):
        self.part, self.attempts, self.wait_s = part, attempts, wait_s
        self.max_bytes, self.schemes = max_bytes, schemes

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        failures = 0
        while True:
            before = self._size()
            try:
                self._fetch(url)
                break
            except requests.RequestException as error:
                refused = error.response is not None and error.response.status_code < 500
                failures = 1 if self._size() > before else failures + 1
                if refused or failures >= self.attempts:
                    raise
                time.sleep(self.wait_s * failures)
        os.replace(self.part, output_file)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _fetch(self, url: str) -> None:
        start = self._size()
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with self._open(url, headers) as response:
            if response.status_code == 416:  # nothing after `start`: the file is whole, or is not this file
                if response.headers.get("Content-Range") != f"bytes */{start}":
                    self.part.unlink()
                    raise requests.ConnectionError(f"{self.part} does not belong to {url}.")
                return
            response.raise_for_status()
            # A server that knows no ranges answers 200 with the whole file: then from the start.
            self._write(response, start if response.status_code == 206 else 0)

    def _open(self, url: str, headers: dict[str, str]) -> requests.Response:
        """The answer at the end of all redirections, each of which must be allowed before it is followed."""
        for _ in range(_REDIRECTIONS):
            if not url.lower().startswith(self.schemes):
                raise DownloadError(f"{url} is refused: it must begin with {' or '.join(self.schemes)}.")
            response = requests.get(
                url, headers=headers, stream=True, timeout=_TIMEOUT_S, allow_redirects=False
            )
            if not response.is_redirect:
                return response
            url = urljoin(url, response.headers["Location"])
            response.close()
        raise DownloadError(f"{url} is refused: more than {_REDIRECTIONS} redirections.")

    def _check_size(self, size: int | None) -> None:
        if self.max_bytes is not None and size is not None and size > self.max_bytes:
            self.part.unlink(missing_ok=True)
            raise DownloadError(
                f"The file is larger than the {self.max_bytes / 1e6:.0f} MB that are allowed."
            )

    def _write(self, response: requests.Response, start: int) -> None:
        length = response.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        self._check_size(total)
        bar = tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=self.part.stem)
        # Unbuffered: whoever looks at the file sees how far it is, and an end at any moment loses nothing.
        with bar, self.part.open("ab" if start else "wb", buffering=0) as file:
            for chunk in response.iter_content(_CHUNK_BYTES):
                file.write(chunk)
                bar.update(len(chunk))
                self._check_size(file.tell())
        if total is not None and self._size() != total:
            raise requests.ConnectionError(f"{self._size()} of {total} bytes came.")


def fetch(url: str, path: Path, checksum: str | None, downloader: ResumingDownloader | None = None) -> Path:
    """Download a file unless it is there already with the right checksum.

    Args:
        url: of the file.
        path: where it goes; while it grows it is called <name>.part.
        checksum: "md5:..." or "sha256:..."; None accepts what comes.
        downloader: with limits of its own; one without limits if None.

    Raises:
        DownloadError: the server refuses or cannot be reached, or the checksum is another one: then the
            file is removed.
    """
    downloader = downloader or ResumingDownloader(part_of(path))
    part = downloader.part
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(url, checksum, path.name, path.parent, downloader=downloader)
    except requests.RequestException as error:
        kept = (
            f" What came so far is kept: start the download again to go on ({part})." if part.exists() else ""
        )
        raise DownloadError(f"{url} could not be downloaded: {error}.{kept}") from error
    except ValueError as error:  # pooch's word for another checksum; it has removed the file
        raise DownloadError(
            f"{path.name} does not have the expected checksum ({checksum}) and was removed. Start the download "
            "again; if it stays, the file at the source has changed: compare it with the source's page."
        ) from error
    return path


def part_of(path: Path) -> Path:
    """The file in which a download grows."""
    return path.with_name(f"{path.name}.part")


def remote_size(url: str) -> int:
    """Bytes of a file on a server; 0 where the server does not say."""
    try:
        answer = requests.head(url, allow_redirects=True, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return int(answer.headers.get("Content-Length", 0))
    except requests.RequestException:
        return 0


def check_free_space(folder: Path, needed_bytes: int) -> None:
    """Refuse before the work what the disk cannot hold.

    Raises:
        DownloadError: too little space.
    """
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < needed_bytes + _RESERVE_BYTES:
        raise DownloadError(
            f"{existing} has {free / 1e9:.1f} GB free and {(needed_bytes + _RESERVE_BYTES) / 1e9:.1f} GB are "
            "needed to download and unpack. Free some space or choose another folder with --to."
        )


def unpack(archive: Path, folder: Path) -> int:
    """Write an archive's images, tables and texts into one folder, without the archive's own folders.

    Only the last part of each member's name is used, so that none can land outside `folder`.

    Returns:
        How many files were written.

    Raises:
        DownloadError: damaged (it is removed), or larger than the disk's free space.
    """
    try:
        with open_zip(archive) as file:
            members = {name: info for info in file.infolist() if (name := _member_name(info))}
            check_free_space(folder, sum(info.file_size for info in members.values()))
            for name, info in tqdm(members.items(), unit="file", desc=folder.name):
                extract(file, info, folder / name, replace=True)
    except ArchiveError as error:
        archive.unlink()
        raise DownloadError(
            f"{archive.name} is damaged and was removed. Start the download again. ({error.__cause__})"
        ) from error
    return len(members)


def _member_name(info: zipfile.ZipInfo) -> str:
    """The plain name of a member to unpack; "" for folders, hidden files and other kinds."""
    name = PurePosixPath(info.filename.replace("\\", "/")).name
    wanted = not info.is_dir() and not name.startswith(".") and name.lower().endswith(UNPACKED_SUFFIXES)
    return name if wanted else ""
