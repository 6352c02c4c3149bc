"""Which files of a folder or an archive are pictures of lesions, and what the others are.

Content decides where the suffix does not: `.jfif`, DICOM without a suffix. Copies that systems leave beside
pictures, expert masks and superpixels are no pictures. Ignored files are counted by kind.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".dcm")
# Suffixes that an id may carry although the picture beside it was exported as something else.
KNOWN_SUFFIXES = (
    *IMAGE_EXTENSIONS,
    *(".jfif", ".jpe", ".jfi", ".heic", ".heif", ".avif", ".gif", ".jp2", ".dicom", ".dib", ".jxl", ".dng"),
)
HEAD_BYTES = 160
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
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_KINDS = (
    (b"GIF8", "GIF"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"8BPS", "Photoshop"),
    (b"\x00\x00\x00\x0cjP", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL", "JPEG XL"),
)


@dataclass(frozen=True)
class FoundImages:
    """Pictures of one source, and how many other files were ignored, by kind."""

    paths: list[Path]
    left_alone: Mapping[str, int] = field(default_factory=dict)

    @property
    def ignored(self) -> int:
        return sum(self.left_alone.values())


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
    return FoundImages(sorted(paths), dict(left_alone))


def walk_files(folder: Path, hidden: Counter[str] | None = None) -> list[Path]:
    """All files below a folder but hidden ones; those are counted in `hidden`, whole folders of them too."""
    files = []
    for place, folders, names in os.walk(folder):
        for name in [name for name in folders if is_passed_over(PurePath(name))]:
            folders.remove(name)
            if hidden is not None:
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
    head = b"" if suffix in IMAGE_EXTENSIONS else read_head()
    if suffix not in IMAGE_EXTENSIONS and (path.name.upper() == "DICOMDIR" or not _is_picture(head)):
        return _name_kind(head, suffix)
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


def _is_picture(head: bytes) -> bool:
    webp = head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    known = head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n", b"II*\x00", b"MM\x00*"))
    bitmap = head.startswith(b"BM") and head[6:10] == b"\x00\x00\x00\x00"
    return webp or known or bitmap or _is_dicom(head)


def _is_dicom(head: bytes) -> bool:
    """With the preamble, or starting at once with group 2 or 8 and a plausible length or type."""
    if head[128:132] == b"DICM":
        return True
    group, element = head[:2], head[2:4]
    return group in (b"\x02\x00", b"\x08\x00") and element in (
        b"\x00\x00",
        b"\x01\x00",
        b"\x05\x00",
        b"\x08\x00",
    )


def _name_kind(head: bytes, suffix: str) -> str:
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _HEIF_BRANDS:
            return "HEIC"
        return "AVIF" if brand in (b"avif", b"avis") else "video"
    named = next((kind for start, kind in _KINDS if head.startswith(start)), "")
    return named or {".heif": "HEIC"}.get(suffix) or suffix[1:].upper() or "other"
