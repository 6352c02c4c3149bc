"""Which files of a folder or an archive are pictures of lesions, and what the others are.

Content decides where the suffix does not: `.jfif`, DICOM without a suffix. Copies that systems leave beside
pictures, expert masks and superpixels are no pictures. Ignored files are counted by kind.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from core.images.errors import ImageError
from core.images.formats import HEAD_BYTES, HEIC, TEXT, identify
from core.images.pillow_io import reads_heif

# Files that are taken for pictures by their names; `read_image` judges the content.
IMAGE_EXTENSIONS = (
    *(".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".dcm", ".jfif", ".jpe", ".avif", ".dicom"),
)
# Suffixes that an id may carry although the picture beside it was exported as something else.
KNOWN_SUFFIXES = (
    *IMAGE_EXTENSIONS,
    *(".jfi", ".heic", ".heif", ".gif", ".jp2", ".dib", ".jxl", ".dng"),
)
_TEXTS = {".csv", ".tsv", ".tab", ".txt", ".json", ".xml", ".md", ".xlsx", ".xls", ".html", ".pdf", ".ini"}
_PASSED_FOLDERS = {
    "__macosx",
    "@eadir",
    "#recycle",
    "$recycle.bin",
    "lost+found",
    "system volume information",
}
_PASSED_FILES = {"thumbs.db", "desktop.ini", "ehthumbs.db"}
_MASK_FOLDERS = re.compile(
    r"(lesion[_ ]?)?masks?|(.*[_ ])?segmentations?(_lesion_tschandl)?|.*task1(?!-2).*groundtruth",
    re.IGNORECASE,
)
_IMAGE_FOLDERS = re.compile(r".*(images?|imgs|pictures|photos|input)(_part_\d)?", re.IGNORECASE)
_MASK_NAME = re.compile(r"(.+)[_-](segmentation|mask|seg|groundtruth|gt)", re.IGNORECASE)
_SIDE_NAME = re.compile(r".+_(superpixels|attribute_\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class FoundImages:
    """Pictures of one source.

    Attributes:
        paths: of the files.
        left_alone: how many files were left alone because they are no pictures, by kind.
        root: the folder that was asked for; what they share if None.
    """

    paths: list[Path]
    left_alone: Mapping[str, int] = field(default_factory=dict)
    root: Path | None = None

    @property
    def names(self) -> list[str]:
        """What each file is called below `root`, for people and tables.

        >>> FoundImages([Path("/d/p1/x.jpg"), Path("/d/p2/x.jpg")]).names
        ['p1/x.jpg', 'p2/x.jpg']
        """
        root = Path(os.path.abspath(self.root)) if self.root else common_folder(self.paths)
        below = (_below(path, root) for path in self.paths)
        # A name that is no UTF-8 could stand in no table.
        return [os.fsencode(name).decode("utf-8", "replace") for name in below]

    @property
    def ignored(self) -> int:
        return sum(self.left_alone.values())


def common_folder(paths: Sequence[Path]) -> Path:
    """The deepest folder that holds all paths, folders among them included."""
    places = [os.path.abspath(path if path.is_dir() else path.parent) for path in paths]
    return Path(os.path.commonpath(places)) if places else Path()


def _below(path: Path, root: Path) -> str:
    absolute = Path(os.path.abspath(path))
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else path.name


def describe_left_alone(left_alone: Mapping[str, int]) -> str:
    """The ignored files as text, the most frequent kind first; "" if none.

    >>> describe_left_alone({"GIF": 1, "HEIC": 2})
    'left alone: 2 HEIC, 1 GIF'
    """
    kinds = sorted(left_alone.items(), key=lambda item: (-item[1], item[0]))
    return "left alone: " + ", ".join(f"{count:,} {kind}" for kind, count in kinds) if kinds else ""


def find_pictures(folder: Path) -> FoundImages:
    """The pictures in a folder and below it, sorted by path; links to folders are not followed."""
    paths, left_alone = [], Counter()
    for path in walk_files(folder, left_alone):
        kind = classify(path.relative_to(folder), lambda path=path: read_head(path))
        if not kind:
            paths.append(path)
        else:
            left_alone[kind] += 1
    return FoundImages(sorted(paths), dict(left_alone), folder)


def find_images(path: str | Path) -> FoundImages:
    """The picture that a path names, whatever it is called, or those of a folder.

    Raises:
        ImageError: `path` does not exist ("missing") or holds no picture ("empty").
    """
    path = Path(path)
    if path.is_file():
        return FoundImages([path], root=path.parent)
    if not path.is_dir():
        raise ImageError(f"No file or folder at {path}. Check the path.", "missing")
    found = find_pictures(path)
    if not found.paths:
        raise ImageError(f"{path} holds no images. {describe_nothing(found.left_alone)}", "empty")
    return found


def describe_nothing(left_alone: Mapping[str, int]) -> str:
    """What to say where there is no picture: what was there, else what was looked for."""
    others = {kind: count for kind, count in left_alone.items() if kind != "hidden"}
    if not others:
        return f"Looked for {', '.join(IMAGE_EXTENSIONS)} in it and below it."
    advice = " Export HEIC photos as JPEG." if "HEIC" in others else ""
    return f"L{describe_left_alone(others)[1:]}.{advice}"


def upload_folder(number: int) -> str:
    """The folder for an upload whose name is taken; it says nothing about the picture."""
    return f"upload {number}"


def as_uploaded(path: Path, root: Path) -> Path:
    """A path without the folder of `upload_folder`."""
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    return Path(root, *parts[1:]) if len(parts) > 1 and re.fullmatch(r"upload \d+", parts[0]) else path


def walk_files(folder: Path, hidden: Counter[str] | None = None) -> list[Path]:
    """All files below a folder but hidden ones; those are counted in `hidden`, whole folders of them too."""
    files = []
    for place, folders, names in os.walk(folder):
        for name in [name for name in folders if is_passed_over(PurePath(name))]:
            folders.remove(name)
            if hidden is not None and any(inner for _, _, inner in os.walk(os.path.join(place, name))):
                hidden["hidden"] += sum(len(inner) for _, _, inner in os.walk(os.path.join(place, name)))
        folders.sort()
        for name in sorted(names):
            if not is_passed_over(PurePath(name)):
                files.append(Path(place, name))
            elif hidden is not None:
                hidden["hidden"] += 1
    return [path for path in files if path.is_file()]


def classify(path: PurePath, read_head: Callable[[], bytes]) -> str:
    """What kind of file this is; "" for a picture.

    Args:
        path: below the folder that was asked for.
        read_head: gives its first `HEAD_BYTES`, called only where the name does not tell.
    """
    if is_passed_over(path):
        return "hidden"
    suffix = path.suffix.lower()
    if suffix in _TEXTS:
        return suffix[1:].upper()
    if path.name.upper() == "DICOMDIR":
        return "DICOMDIR"
    if suffix not in IMAGE_EXTENSIONS and (kind := _sniff(read_head(), suffix)):
        return kind
    if is_mask(path):
        return "mask"
    return "superpixels" if _SIDE_NAME.fullmatch(path.stem) else ""


def is_passed_over(path: PurePath) -> bool:
    """Whether a path is hidden or in a folder that systems keep for themselves."""
    return path.name.lower() in _PASSED_FILES or any(
        (part.startswith(".") and part not in (".", "..")) or part.lower() in _PASSED_FOLDERS
        for part in path.parts
    )


def is_mask(path: PurePath) -> bool:
    """Whether a picture is an expert's mask, by its name or by a folder of its path.

    >>> is_mask(PurePath("a_Segmentation.png")), is_mask(PurePath("masks/a.png")), is_mask(PurePath("a.png"))
    (True, True, False)
    """
    if _MASK_NAME.fullmatch(path.stem):
        return True
    # The nearest folder that says something decides: `segmentation/images/a.jpg` is a picture.
    for part in reversed(path.parts[:-1]):
        if _MASK_FOLDERS.fullmatch(part):
            return True
        if _IMAGE_FOLDERS.fullmatch(part):
            return False
    return False


def is_generic_folder(name: str) -> bool:
    """Whether a folder's name says only that pictures or masks are in it."""
    return bool(_MASK_FOLDERS.fullmatch(name) or _IMAGE_FOLDERS.fullmatch(name))


def mask_image_id(path: PurePath) -> str:
    """The image that a mask belongs to, by its name.

    >>> mask_image_id(PurePath("m/ISIC_1_segmentation.png")), mask_image_id(PurePath("m/ISIC_1.PNG"))
    ('ISIC_1', 'ISIC_1')
    """
    found = _MASK_NAME.fullmatch(path.stem)
    return found[1] if found else path.stem


def read_head(path: Path) -> bytes:
    """The first `HEAD_BYTES` of a file, b"" if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def _sniff(head: bytes, suffix: str) -> str:
    """The kind of a file by its content, else by its suffix; "" if it is a picture that is read."""
    kind = identify(head)
    if kind is not None and (kind.readable or (kind is HEIC and reads_heif())):
        return ""
    if kind is None or kind is TEXT:
        return {".heif": "HEIC"}.get(suffix) or suffix[1:].upper() or ("text" if kind else "other")
    return kind.name
