"""Download a bundle and put it where it can be chosen.

    dermalens bundle fetch URL --sha256 HEX [--to DIR]

The archive is a zip of a bundle's folder. Its SHA-256 must come from somebody you trust: it is checked before the
archive is opened. Then every file is checked against the manifest, and only a whole bundle is put in place: by default
in models/weights/<name of the bundle>, where Diagnose lists it under Settings. Nothing is unpickled, and no code in the
archive is run. A broken download is resumed by the same command.
"""

import argparse
import re
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from core.batch.archive import extract, list_members, open_zip
from core.errors import DermalensError
from core.systems.bundle_files import FILE_SUFFIXES, check_bundle
from models.manifest import MANIFEST_NAME, SHIPPED_DIR, read_manifest
from models.runtimes.cache import cache_dir
from training.command import exit_with_message
from training.data.fetching import ResumingDownloader, check_free_space, fetch, part_of

MAX_BYTES = 1_000_000_000  # of the archive, and of what is in it; the one that ships has some 100 MB
MAX_FILES = 200
SCHEMES = ("https://",)


class FetchError(DermalensError):
    """A bundle cannot be put in place; the message says why and what to do."""


def fetch_bundle(url: str, sha256: str, to: Path | None = None) -> Path:
    """Download, check and put in place; returns the bundle's folder.

    Args:
        url: of a zip file, https only.
        sha256: hex digest of the zip file.
        to: the folder to make; one beside the shipped bundle, named as the manifest says, if None.

    Raises:
        FetchError: the checksum is none, the folder exists, or the archive holds no whole bundle.
        DownloadError: see `training.data.fetching.fetch`.
        ArchiveError: see `core.batch.archive.list_members`.
    """
    sha256 = sha256.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise FetchError("--sha256 must be the 64 hexadecimal digits of the archive's SHA-256.")
    if to is not None:
        _require_free(to)
    archive = cache_dir() / "downloads" / f"{sha256}.zip"
    archive.parent.mkdir(parents=True, exist_ok=True)
    downloader = ResumingDownloader(part_of(archive), max_bytes=MAX_BYTES, schemes=SCHEMES)
    fetch(url, archive, f"sha256:{sha256}", downloader)
    parent = SHIPPED_DIR if to is None else to.resolve().parent
    parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that weights that it shares with a sibling are found and the last step is a rename.
    staging = Path(tempfile.mkdtemp(prefix=".fetched-", dir=parent))
    try:
        unpack_bundle(archive, staging)
        _require_whole(staging)
        place = to if to is not None else parent / _folder_name(staging)
        _require_free(place)
        staging.chmod(0o755)
        staging.rename(place)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    archive.unlink()
    return place


def unpack_bundle(archive: Path, folder: Path) -> None:
    """Write the files of the outermost bundle of a zip file below `folder`; files of other kinds stay in the archive.

    Raises:
        FetchError: no manifest, or too much in it.
        ArchiveError: see `core.batch.archive.list_members`.
    """
    with open_zip(archive) as file:
        members = list_members(file)
        root = _find_root([path for _, path in members])
        wanted = [
            (info, path.relative_to(root))
            for info, path in members
            if path.is_relative_to(root) and path.suffix.lower() in FILE_SUFFIXES
        ]
        _check_amount([info for info, _ in wanted], folder)
        for info, path in wanted:
            try:
                extract(file, info, folder / path)
            except FileExistsError as error:
                raise FetchError(
                    f"The archive holds {str(path)!r} twice. Zip the bundle's folder again."
                ) from error


def _find_root(paths: list[PurePosixPath]) -> PurePosixPath:
    """The folder of the outermost manifest."""
    manifests = sorted((p for p in paths if p.name == MANIFEST_NAME), key=lambda p: len(p.parts))
    if not manifests:
        raise FetchError(f"The archive holds no {MANIFEST_NAME}: it is no bundle. Zip the bundle's folder.")
    return manifests[0].parent


def _check_amount(infos: list[zipfile.ZipInfo], folder: Path) -> None:
    total = sum(info.file_size for info in infos)
    if len(infos) > MAX_FILES or total > MAX_BYTES:
        raise FetchError(
            f"The archive holds {len(infos)} files of {total / 1e6:.0f} MB; a bundle has at most {MAX_FILES} of "
            f"{MAX_BYTES / 1e6:.0f} MB."
        )
    check_free_space(folder, total)


def _require_whole(folder: Path) -> None:
    faults = [f"{item.name}: {item.fault}" for item in check_bundle(folder) if item.fault]
    if faults:
        raise FetchError(f"The archive holds no whole bundle, nothing was kept of it: {'; '.join(faults)}")


def _folder_name(folder: Path) -> str:
    name = read_manifest(folder).name
    if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise FetchError(f"The bundle's name {name!r} is no folder's name. Say where it goes with --to DIR.")
    return name


def _require_free(place: Path) -> None:
    if place.exists():
        raise FetchError(f"{place} exists already. Delete it or give another folder with --to.")


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="of a zip file of a bundle's folder, https only")
    parser.add_argument("--sha256", required=True, help="of the zip file, 64 hexadecimal digits")
    parser.add_argument("--to", type=Path, help="folder to make; models/weights/<bundle> by default")
    a = parser.parse_args()
    place = fetch_bundle(a.url, a.sha256, a.to)
    manifest = read_manifest(place)
    print(
        f"{manifest.name}, version {manifest.version}, is in {place}. Choose it on Diagnose under Settings, or"
    )
    print(f"set DERMALENS_WEIGHTS={place}")


if __name__ == "__main__":
    main()
