"""Zip files and folders of a clinic: which pictures come out under which names, and what is said of the rest."""

import re
import tempfile
from pathlib import Path

from core.batch.analyze import unique_stems
from core.batch.archive import ArchiveError, unpack_images
from core.batch.labels import match_labels, read_labels
from core.datasets.files import labels_from_folders
from core.errors import DermalensError
from core.images.finding import FoundImages, describe_left_alone, find_pictures
from core.images.reading import read_image
from core.taxonomy import HAM10000_CLASSES
from tests.odd_files.registry import Outcome, judges

# The names that must come out; a text is a pattern of the refusal.
_NAMES: dict[str, tuple[str, ...] | str] = {
    "macos.zip": ("set/a.jpg", "set/b.jpg"),
    "macos_utf8_noflag.zip": ("Läsion.jpg", "naïv.jpg"),
    "windows_cp437.zip": ("Läsion.jpg",),
    "japanese_sjis.zip": ("男性.jpg",),
    "one_bad_text_path.zip": "leads out",
    "link.zip": "link",
    "nested_zip.zip": "zip file inside",
    "two_nested_and_one.zip": ("a.jpg",),
    "only_jfif.zip": ("a.jfif", "b.jfif"),
    "masks_beside.zip": ("images/a.jpg",),
    "not_a_zip.zip": "RAR",
    "seven.zip": "7z",
    "cut.zip": "cut short",
    "empty_image_inside.zip": ("a.jpg", "b.jpg"),
}
_SAID = {"two_nested_and_one.zip": "1 ZIP", "masks_beside.zip": "1 mask"}
# The labels of the images: from their folders, or from a table.
_FOLDERS = {
    "trailing_space_folder.zip": ["mel"],
    "label_folders_long.zip": ["mel", "nv"],
    "label_folders_deep.zip": ["mel", "nv"],
    "label_folder_inside_other.zip": ["nv"],
}
_TABLES = {
    "same_name_two_folders.zip": (b"image,dx\np1/IMG_1.jpg,mel\np2/IMG_1.jpg,nv\n", ["mel", "nv"]),
    "same_name_one_label.zip": (b"image,dx\np1/IMG_1.jpg,mel\n", ["mel", ""]),
    "same_name_plain_label.zip": (b"image,dx\nIMG_1,mel\n", ["", ""]),
}


@judges("zips")
def judge_zip(case: Path, _: str) -> Outcome:
    expected = _NAMES.get(case.name)
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = unpack_images(case.read_bytes(), Path(folder))
        except ArchiveError as error:
            refusal = (
                expected if isinstance(expected, str) else "HEIC" if case.name == "only_heic.zip" else "(?!)"
            )
            return Outcome(f"refused: {error}", bool(re.search(refusal, str(error))))
        text = f"{', '.join(found.names)} {describe_left_alone(found.left_alone)}"
        return Outcome(text, _zip_is_right(case.name, found, Path(folder)))


def _zip_is_right(name: str, found: FoundImages, folder: Path) -> bool:
    if name in _FOLDERS:
        return labels_from_folders(found.paths, folder) == _FOLDERS[name]
    if name in _TABLES:
        table, labels = _TABLES[name]
        return (
            match_labels(found.paths, read_labels(table), HAM10000_CLASSES, folder)[0]["dx"].tolist()
            == labels
        )
    if name in ("mixed_heic_jfif.zip", "only_heic.zip"):
        return _every_heic_is_named(found) and (
            name == "only_heic.zip" or {"a.jpg", "c.jfif"} <= set(found.names)
        )
    if name == "x_and_x_2.zip":
        stems = unique_stems(found.paths)
        return found.names == ["a/x.jpg", "b/x.jpg", "c/x_2.jpg"] and stems[0] == "x" and stems[2] == "x_2"
    if name == "long_name.zip":
        return len(found.paths) == 2 and all(len(path.name.encode()) <= 255 for path in found.paths)
    if name == "windows_cp850_sharp.zip":
        return len(found.paths) == 1
    return tuple(found.names) == _NAMES.get(name) and _SAID.get(name, "") in describe_left_alone(
        found.left_alone
    )


def _every_heic_is_named(found: FoundImages) -> bool:
    """Counted by kind, or, where HEIC is read, each either a picture or refused by name."""
    for path in found.paths:
        if path.suffix.lower() == ".heic":
            try:
                read_image(path)
            except DermalensError as error:
                if "HEIC" not in str(error):
                    return False
    return "HEIC" in found.left_alone or any(path.suffix.lower() == ".heic" for path in found.paths)


@judges("folders")
def judge_folder(case: Path, _: str) -> Outcome:
    found = find_pictures(case)
    frame, counts = match_labels(found.paths, read_labels(case / "labels.csv"), HAM10000_CLASSES, case.parent)
    labels = dict(zip(found.names, frame["dx"], strict=True))
    pictures = {"p1/IMG_1.jpg", "p2/IMG_1.jpg", "p2/IMG_1_2.jpg", "p1/scan.jfif", "p1/IM000001"}
    heic = found.left_alone.get("HEIC", 0) + sum(
        path.suffix.lower() in (".heic", ".heif") for path in found.paths
    )
    right = pictures <= set(labels) and heic == 2 and found.left_alone.get("GIF") == 1
    right = right and labels["p1/IMG_1.jpg"] != "" and labels["p2/IMG_1.jpg"] == "" and counts.labelled == 1
    right = right and not any(name.startswith((".", "@")) for name in labels)
    return Outcome(f"{labels} {describe_left_alone(found.left_alone)}", right)
