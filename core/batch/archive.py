"""Images out of a zip file that somebody uploads, without trusting any of it.

Only pictures are unpacked, see `core.images.finding`; their content is checked when they are read. An archive that
tries to leave its folder, holds links or passwords, or is a decompression bomb is refused as a whole.
"""

import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath

from core.batch.archive_names import decode_name, shorten
from core.errors import DermalensError
from core.images.finding import FoundImages, classify, describe_nothing
from core.images.formats import HEAD_BYTES, identify
from core.images.reading import MAX_BYTES

MAX_MEMBERS = 20_000
MAX_TOTAL_BYTES = 4 * 1024**3
# Photographs hardly shrink and a flat TIFF or BMP some fifty times; a bomb about a thousand times.
MAX_RATIO = 200
# Up to this size any ratio is harmless: a flat TIFF of a small camera.
HARMLESS_BYTES = 64_000_000
_DIRECTORY_ENTRY = b"PK\x01\x02"
# What `zipfile` and its decompressors raise on damaged bytes; ValueError: offsets and names that make no sense.
_DAMAGED = (
    *(zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error, lzma.LZMAError),
    *(ValueError, RuntimeError, struct.error, IndexError, OverflowError),
)


class ArchiveError(DermalensError):
    """An archive is refused; the message says why and what to do."""


def unpack_images(data: bytes, folder: Path) -> FoundImages:
    """Unpack the images of a zip file below `folder`, with their sub-folders.

    What is no picture stays in the archive and is counted by kind, and so is a picture over `MAX_BYTES` or
    packed far tighter than photographs are.

    Raises:
        ArchiveError: no zip file, no image in it, damaged, encrypted, too many files, too large, or with a
            link, a path that leads out of the folder or one that is there twice.
    """
    with _open_checked(data) as archive:
        images, left_alone = _choose_images(archive)
        _check_images(list(images.values()), left_alone, folder)
        paths = [_extract_new(archive, info, folder / path) for path, info in images.items()]
    return FoundImages(sorted(paths), dict(left_alone), folder)


def list_zip(data: bytes) -> list[PurePosixPath]:
    """Where `unpack_images` would put the images of a zip file, below its folder; nothing is unpacked.

    Raises:
        ArchiveError: see `unpack_images`.
    """
    with _open_checked(data) as archive:
        return sorted(_choose_images(archive)[0])


@contextmanager
def _open_checked(data: bytes) -> Iterator[zipfile.ZipFile]:
    # Counted before the directory is read: one with millions of entries would fill the memory.
    if data.count(_DIRECTORY_ENTRY) > MAX_MEMBERS:
        raise ArchiveError(f"The zip file has more than {MAX_MEMBERS:,} files. Split it.")
    _check_kind(data)
    with open_zip(BytesIO(data)) as archive:
        yield archive


def _choose_images(archive: zipfile.ZipFile) -> tuple[dict[PurePosixPath, zipfile.ZipInfo], Counter[str]]:
    """The images by the path that each gets, and what is left alone by kind."""
    files = list_members(archive)
    left_alone: Counter[str] = Counter()
    images: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for info, path in files:
        if kind := _kind(archive, info, path):
            left_alone[kind] += 1
        elif (short := shorten(path)) in images:
            raise ArchiveError(f"The zip file holds {str(path)!r} twice. Rename one of the two.")
        else:
            images[short] = info
    return images, left_alone


def _check_kind(data: bytes) -> None:
    """Refuse by name what is no zip file, or only the beginning of one."""
    kind = identify(data[:HEAD_BYTES])
    if kind is not None and kind.name != "ZIP" and not _is_zip(data):
        raise ArchiveError(f"This is no zip file but {kind.words}. Drop pictures, or zip them.")
    if kind is not None and kind.name == "ZIP" and not _is_zip(data):
        raise ArchiveError("The zip file is damaged: it is cut short. Copy it again.")


def _is_zip(data: bytes) -> bool:
    try:
        return zipfile.is_zipfile(BytesIO(data))
    except _DAMAGED:
        return False


def _kind(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: PurePosixPath) -> str:
    """Why a member is left alone; "" for a picture to unpack."""
    kind = classify(path, lambda: _read_head(archive, info))
    if kind or info.file_size <= MAX_BYTES:
        tight = info.file_size > max(HARMLESS_BYTES, MAX_RATIO * info.compress_size)
        return kind or ("packed too tightly" if tight else "")
    return f"over {MAX_BYTES / 1e6:.0f} MB"


def _read_head(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as packed:
        return packed.read(HEAD_BYTES)


@contextmanager
def open_zip(source: Path | BytesIO) -> Iterator[zipfile.ZipFile]:
    """A zip file to read from.

    Raises:
        ArchiveError: it is damaged, also where that shows only while a member is read.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive
    except DermalensError:
        raise
    except (*_DAMAGED, OSError) as error:
        if (
            isinstance(error, OSError) and error.errno is not None
        ):  # the disk's; bz2 raises one without a number
            raise
        raise ArchiveError(
            f"The zip file is damaged or of an unknown kind ({error}). Zip it again."
        ) from error


def list_members(archive: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """The files of an archive with the path of each below the folder that it is unpacked to.

    Raises:
        ArchiveError: a path that leads out of the folder, a link or a password.
    """
    files = [(info, safe_path(decode_name(info))) for info in archive.infolist() if not info.is_dir()]
    _check_members(files)
    return files


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


def _check_members(files: list[tuple[zipfile.ZipInfo, PurePosixPath]]) -> None:
    for info, path in files:
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ArchiveError(f"The zip file holds a link, {str(path)!r}. Zip the files themselves.")
        if info.flag_bits & 1:
            raise ArchiveError("The zip file has a password. Zip it again without one.")


def _check_images(images: list[zipfile.ZipInfo], left_alone: Mapping[str, int], folder: Path) -> None:
    if not images:
        inside = " There is a zip file inside: unpack it first." if left_alone.get("ZIP") else ""
        raise ArchiveError(f"The zip file holds no image. {describe_nothing(left_alone)}{inside}")
    total = sum(info.file_size for info in images)
    if total > MAX_TOTAL_BYTES:
        raise ArchiveError(f"The zip file unpacks to over {MAX_TOTAL_BYTES / 1e9:.0f} GB. Split it.")
    folder.mkdir(parents=True, exist_ok=True)
    if total > shutil.disk_usage(folder).free:
        raise ArchiveError("The server's disk has no room to unpack the zip file. Delete earlier runs first.")


def _extract_new(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Path:
    try:
        extract(archive, info, path)
    except FileExistsError as error:
        raise ArchiveError(f"The zip file holds {info.filename!r} twice. Rename one of the two.") from error
    except OSError as error:
        if error.errno is None:
            raise
        raise ArchiveError(f"{info.filename!r} could not be unpacked: {error}.") from error
    return path
