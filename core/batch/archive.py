"""Images out of a zip file that somebody uploads, without trusting any of it.

Only files with an image's suffix are unpacked; their content is checked when they are read. An
archive that tries to leave its folder, holds links or passwords, or is a decompression bomb is refused as a whole.
"""

import lzma
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath

from core.errors import DermalensError
from core.images.reading import IMAGE_EXTENSIONS, MAX_BYTES

MAX_MEMBERS = 20_000
MAX_TOTAL_BYTES = 4 * 1024**3
# Photographs hardly shrink and a flat TIFF or BMP some fifty times; a bomb about a thousand times.
MAX_RATIO = 200
_DIRECTORY_ENTRY = b"PK\x01\x02"
_DAMAGED = (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error, lzma.LZMAError)


class ArchiveError(DermalensError):
    """An archive is refused; the message says why and what to do."""


@dataclass(frozen=True)
class FoundImages:
    """Images of one source, and how many other files were ignored."""

    paths: list[Path]
    ignored: int


def unpack_images(data: bytes, folder: Path) -> FoundImages:
    """Unpack the images of a zip file below `folder`, with their sub-folders.

    Hidden files, archives inside the archive and everything else without an image's suffix are ignored.

    Raises:
        ArchiveError: no zip file, no image in it, damaged, encrypted, too many files, too large, packed
            too tightly, or with a link, a path that leads out of the folder or one that is there twice.
    """
    # Counted before the directory is read: one with millions of entries would fill the memory.
    if data.count(_DIRECTORY_ENTRY) > MAX_MEMBERS:
        raise ArchiveError(f"The zip file has more than {MAX_MEMBERS:,} files. Split it.")
    with open_zip(BytesIO(data)) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        inside = {info: safe_path(info.filename) for info in files}
        images = [info for info in files if _is_image(inside[info])]
        _check(files, images, folder)
        paths = [_extract_new(archive, info, folder / inside[info]) for info in images]
    return FoundImages(sorted(paths), len(files) - len(images))


@contextmanager
def open_zip(source: Path | BytesIO) -> Iterator[zipfile.ZipFile]:
    """A zip file to read from.

    Raises:
        ArchiveError: it is damaged, also where that shows only while a member is read.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive
    except _DAMAGED as error:
        raise ArchiveError(
            f"The zip file is damaged or of an unknown kind ({error}). Zip it again."
        ) from error


def extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, replace: bool = False) -> None:
    """Write one member to `path`, whose folder is made; no more than the size that the archive states.

    Raises:
        OSError: `path` is there already and `replace` is off, or it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as packed, path.open("wb" if replace else "xb") as file:
        shutil.copyfileobj(packed, file)


def safe_path(name: str) -> PurePosixPath:
    """The path of a member below the folder it is unpacked to.

    Raises:
        ArchiveError: it is absolute or leads out of the folder.

    >>> safe_path("mel/a.jpg")
    PurePosixPath('mel/a.jpg')
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive or not path.parts:
        raise ArchiveError(
            f"The zip file holds the path {name!r}, which leads out of its folder. Zip it again."
        )
    return path


def _is_image(path: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in IMAGE_EXTENSIONS and not hidden


def _check(files: list[zipfile.ZipInfo], images: list[zipfile.ZipInfo], folder: Path) -> None:
    for info in files:
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ArchiveError(f"The zip file holds a link, {info.filename!r}. Zip the files themselves.")
        if info.flag_bits & 1:
            raise ArchiveError("The zip file has a password. Zip it again without one.")
    if not images:
        raise ArchiveError(f"The zip file holds no image. Looked for {', '.join(IMAGE_EXTENSIONS)}.")
    for info in images:
        if info.file_size > MAX_BYTES:
            raise ArchiveError(f"{info.filename!r} is over {MAX_BYTES / 1e6:.0f} MB. Export it as JPEG.")
        if info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise ArchiveError(f"{info.filename!r} is packed too tightly to be a photograph. Leave it out.")
    total = sum(info.file_size for info in images)
    if total > MAX_TOTAL_BYTES:
        raise ArchiveError(f"The zip file unpacks to over {MAX_TOTAL_BYTES / 1e9:.0f} GB. Split it.")
    if total > shutil.disk_usage(folder).free:
        raise ArchiveError("The server's disk has no room to unpack the zip file. Delete earlier runs first.")


def _extract_new(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Path:
    try:
        extract(archive, info, path)
    except FileExistsError as error:
        raise ArchiveError(f"The zip file holds {info.filename!r} twice. Rename one of the two.") from error
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{info.filename!r} could not be unpacked: {error}.") from error
    return path
