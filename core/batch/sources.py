"""Where a batch's images come from: a folder of the server below one allowed root, or uploaded files."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from core.batch.archive import list_zip, unpack_images
from core.datasets.ham10000 import default_data_dir
from core.errors import DermalensError
from core.images.errors import ImageError
from core.images.finding import FoundImages, find_images, is_passed_over, upload_folder

ROOT_VARIABLE = "DERMALENS_ROOT"
TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".xlsx")


class SourceError(DermalensError):
    """Images cannot be taken from there; the message says why and what to do."""


def allowed_root() -> Path | None:
    """The only folder of the server that pages read images from.

    `DERMALENS_ROOT`, else the dataset's folder, else none: never the home folder by default.
    """
    value = os.environ.get(ROOT_VARIABLE, "").strip()
    return Path(value).expanduser() if value else default_data_dir()


def find_below(root: Path, folder: str) -> FoundImages:
    """The images of a folder below `root`, recursively; links that lead out of `root` are ignored.

    Args:
        root: see `allowed_root`.
        folder: relative to `root`, or absolute inside it; "" is `root` itself.

    Raises:
        SourceError: outside of `root`, no folder, not readable, or without images.
    """
    root = root.resolve()
    try:
        inside = resolve_below(root, folder)
        found = find_images(inside)
    except (ImageError, OSError) as error:
        raise SourceError(str(error)) from error
    paths = [path for path in found.paths if path.resolve().is_relative_to(root)]
    if not paths:
        raise SourceError(f"All images of {inside} are links out of {root}. Copy the images themselves.")
    links = len(found.paths) - len(paths)
    return FoundImages(
        paths, {**found.left_alone, **({"link" if links == 1 else "links": links} if links else {})}, inside
    )


def resolve_below(root: Path, folder: str) -> Path:
    """A folder below `root` with its links resolved.

    Raises:
        SourceError: outside of `root`, or no folder.
    """
    root = root.resolve()
    try:
        inside = (root / folder.strip()).resolve()
    except ValueError as error:  # a null character
        raise SourceError(f"{folder!r} is no path.") from error
    if not inside.is_relative_to(root):
        raise SourceError(
            f"{folder} lies outside {root}, the only folder that the server reads images from. Whoever runs "
            f"the server can name another one in {ROOT_VARIABLE}."
        )
    if not inside.is_dir():
        raise SourceError(f"There is no folder {inside}. Check the path and its spelling.")
    return inside


def list_subfolders(root: Path) -> list[str]:
    """Names of the folders right below `root`, without hidden ones."""
    try:
        return sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError:
        return []


def list_tables(root: Path, folder: Path) -> list[Path]:
    """Tables in `folder` and in the folders above it up to `root`, the nearest first."""
    root, folder = root.resolve(), folder.resolve()
    above = [folder, *(parent for parent in folder.parents if parent.is_relative_to(root))]
    tables = (
        path
        for place in above
        for path in sorted(place.iterdir())
        if path.suffix.lower() in TABLE_SUFFIXES and not is_passed_over(Path(path.name))
    )
    return [path for path in tables if path.resolve().is_relative_to(root)]


def save_uploads(files: Sequence[tuple[str, bytes]], folder: Path) -> FoundImages:
    """Write uploaded images below `folder`, which is made; a zip file is unpacked with its sub-folders.

    Raises:
        ArchiveError: a zip file is refused.
        SourceError: nothing was uploaded, or the disk is full.
    """
    if not files:
        raise SourceError("There is no image. Drop images or a zip file first.")
    paths: list[Path] = []
    left_alone: Counter[str] = Counter()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, (name, data) in enumerate(files, start=1):
            name = PurePosixPath(name.replace("\\", "/")).name.lstrip(".") or "image"
            if name.lower().endswith(".zip"):
                # A second archive may hold the same names: it is unpacked into a folder of its own.
                found = unpack_images(data, folder / upload_folder(number) if paths else folder)
                paths += found.paths
                left_alone.update(found.left_alone)
            else:
                paths.append(_save(data, folder, name, number))
    except OSError as error:
        raise SourceError(f"The images could not be stored: {error.strerror}.") from error
    return FoundImages(paths, dict(left_alone), folder)


def list_paths(root: Path | None, folder: str, files: Sequence[tuple[str, bytes]]) -> tuple[Path, list[Path]]:
    """(the top folder, where each image lies or would lie below it), with nothing written.

    Args:
        root: the allowed folder, whose `folder` holds the images; None for uploads.
        folder: below `root`.
        files: (name, bytes) of uploads.

    Raises:
        ArchiveError, SourceError: as `find_below` and `save_uploads` do.
    """
    if root is not None:
        return resolve_below(root, folder), find_below(root, folder).paths
    top = Path("images")
    paths = []
    for name, data in files:
        if name.lower().endswith(".zip"):
            paths += [top / path for path in list_zip(data)]
        else:
            paths.append(top / PurePosixPath(name.replace("\\", "/")).name)
    return top, paths


def _save(data: bytes, folder: Path, name: str, number: int) -> Path:
    """Write one image; in a folder of its own where the name is taken."""
    path = folder / name
    if path.exists():
        path = folder / upload_folder(number) / name
        path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path
