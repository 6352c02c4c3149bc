"""Checks to make before trusting a dataset: leaks between splits, duplicates, files and labels.

Works on any layout of `core.datasets.layouts`. Near-duplicates come from `core.datasets.near_duplicates`: a pair
is a hint for visual inspection, not a proof.

Reference:
    duplicates in ISIC data: Cassidy et al. (2022), doi:10.1016/j.media.2021.102305.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.datasets.mask_checks import find_mask_problems
from core.datasets.near_duplicates import MIN_DETAIL, detail_correlations, near_pairs, perceptual_hash
from core.datasets.splits import SPLIT_FILE, read_splits
from core.images.reading import ImageError, read_image
from core.tables.writing import harmless
from core.taxonomy import DIAGNOSES

_READERS = 2

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Check:
    """The result of one check: one row a finding; no rows if it passed.

    Attributes:
        code: short name, as in the CSV.
        title: what the rows are.
        advice: why it matters and what to do.
        table: the findings.
    """

    code: str
    title: str
    advice: str
    table: pd.DataFrame

    @property
    def passed(self) -> bool:
        return self.table.empty


@dataclass(frozen=True, eq=False)
class ImageScan:
    """The result of reading every image, by row of the dataset's table.

    Attributes:
        hashes: (N,) uint64 perceptual hashes; 0 where `errors` says why there is none.
        errors: (N,) str, "" where the image was read; "missing" where there is no file.
        shapes: (N, 2) int height and width in pixels; 0 where there is an error.
    """

    hashes: np.ndarray
    errors: np.ndarray
    shapes: np.ndarray


def check_dataset(
    frame: pd.DataFrame, split_of: Mapping[str, str] | None = None, progress: Progress | None = None
) -> list[Check]:
    """All checks of a dataset.

    Args:
        frame: as `core.datasets.layouts.read_dataset` gives it.
        split_of: image id -> split; the committed split file's if None. Images without one have "".
        progress: called with (images read, images in all) while files are read.
    """
    split_of = read_split_names() if split_of is None else split_of
    frame = frame.reset_index(drop=True)
    splits = np.array([split_of.get(image_id, "") for image_id in frame["image_id"]], dtype=str)
    scan = scan_images(frame, progress)
    return [
        check_straddling(frame, splits),
        check_duplicates(frame, splits, scan),
        check_missing(frame),
        check_unreadable(frame, scan),
        check_labels(frame),
        check_masks(frame),
        check_mask_files(frame, scan),
        check_repeated_rows(frame),
    ]


def read_split_names(path: Path = SPLIT_FILE) -> dict[str, str]:
    """Image id -> split, from a split file."""
    table = read_splits(None, path)
    return dict(zip(table["image_id"], table["split"], strict=True))


# --- reading ----------------------------------------------------------------------------------------
def scan_images(frame: pd.DataFrame, progress: Progress | None = None) -> ImageScan:
    """Read every image once, for its hash or the reason why it cannot be read."""
    hashes, shapes, errors = np.zeros(len(frame), np.uint64), np.zeros((len(frame), 2), int), []
    with ThreadPoolExecutor(_READERS) as readers:
        for row, (value, shape, error) in enumerate(readers.map(_hash_file, frame["image_path"])):
            hashes[row], shapes[row] = value, shape
            errors.append(error)
            if progress:
                progress(row + 1, len(frame))
    return ImageScan(hashes, np.array(errors, dtype=object), shapes)


def _hash_file(path: str) -> tuple[np.uint64, tuple[int, int], str]:
    if not path:
        return np.uint64(0), (0, 0), "missing"
    try:
        pixels = read_image(path).pixels
        return perceptual_hash(pixels), pixels.shape[:2], ""
    except ImageError as error:
        return np.uint64(0), (0, 0), str(error)


# --- the checks -------------------------------------------------------------------------------------
def check_straddling(frame: pd.DataFrame, splits: np.ndarray) -> Check:
    """Lesions with images in more than one split; images without a split do not count."""
    known = frame[["lesion_id", "image_id"]].assign(split=splits)[splits != ""]
    groups = known.groupby("lesion_id").agg(
        splits=("split", lambda names: ", ".join(sorted(set(names)))), images=("image_id", ", ".join)
    )
    return Check(
        "straddling",
        "lesions in more than one split",
        "A model that was trained on a lesion recognises it in the test: scores are too high. Split by lesion.",
        groups[groups["splits"].str.contains(",")].reset_index(),
    )


def check_duplicates(frame: pd.DataFrame, splits: np.ndarray, scan: ImageScan) -> Check:
    """Pairs of nearly the same picture under different lesion ids, those across splits first."""
    readable = np.flatnonzero(scan.errors == "")
    pairs = near_pairs(scan.hashes[readable])
    pairs[:, :2] = readable[pairs[:, :2]]
    lesions = frame["lesion_id"].to_numpy(object)
    pairs = pairs[lesions[pairs[:, 0]] != lesions[pairs[:, 1]]]
    detail = detail_correlations(frame["image_path"].to_list(), pairs[:, :2])
    first, second, bits = pairs[detail >= MIN_DETAIL].T
    columns = {name: frame[f"{name}_id"].to_numpy(object) for name in ("image", "lesion")}
    columns |= {"dx": frame["dx"].to_numpy(object), "split": splits}
    table = pd.DataFrame(
        {
            "across_splits": (splits[first] != splits[second])
            & (splits[first] != "")
            & (splits[second] != ""),
            "detail": detail[detail >= MIN_DETAIL].round(3),
            "distance_bits": bits,
            **{
                f"{name}_{k}": of[rows]
                for name, of in columns.items()
                for k, rows in ((1, first), (2, second))
            },
        }
    )
    return Check(
        "duplicates",
        "pairs of nearly the same picture under different lesions",
        "Look at each pair. Of a real duplicate, keep one image, or give both the same lesion id and split.",
        table.sort_values(["across_splits", "detail"], ascending=False, ignore_index=True),
    )


def check_missing(frame: pd.DataFrame) -> Check:
    """Rows without an image file."""
    return Check(
        "missing",
        "rows without an image file",
        "The release is not complete on disk. Unpack all of its archives.",
        frame.loc[frame["image_path"] == "", ["image_id", "lesion_id"]].reset_index(drop=True),
    )


def check_unreadable(frame: pd.DataFrame, scan: ImageScan) -> Check:
    """Image files that cannot be read, with the reason."""
    bad = (scan.errors != "") & (frame["image_path"] != "").to_numpy()
    return Check(
        "unreadable",
        "image files that cannot be read",
        "Copy or download them again.",
        frame.loc[bad, ["image_id", "image_path"]].assign(error=scan.errors[bad]).reset_index(drop=True),
    )


def check_labels(frame: pd.DataFrame) -> Check:
    """Rows whose diagnosis is empty or not in the taxonomy."""
    known = frame["dx"].isin(list(DIAGNOSES))
    return Check(
        "labels",
        "rows without a known diagnosis",
        f"Known codes: {', '.join(DIAGNOSES)}. Rows without one cannot be scored.",
        frame.loc[~known, ["image_id", "dx"]].fillna("").reset_index(drop=True),
    )


def check_masks(frame: pd.DataFrame) -> Check:
    """Images without an expert's mask."""
    bare = (frame["mask_path"] == "") & (frame["image_path"] != "")
    return Check(
        "masks",
        "images without an expert mask",
        "Their outline cannot be scored; classification does not need it.",
        frame.loc[bare, ["image_id", "lesion_id"]].reset_index(drop=True),
    )


def check_mask_files(frame: pd.DataFrame, scan: ImageScan) -> Check:
    """Expert masks that cannot be right."""
    return Check(
        "mask_files",
        "expert masks that cannot be used as they are",
        "Look at each; export it again, or leave it out. An outline is scored against it as it is.",
        find_mask_problems(frame, scan.shapes),
    )


def check_repeated_rows(frame: pd.DataFrame) -> Check:
    """Image ids that stand in more than one row, with how many and their diagnoses."""
    groups = frame.assign(dx=frame["dx"].fillna("").astype("str")).groupby("image_id")["dx"]
    counts = groups.agg(rows="size", dx=lambda codes: ", ".join(sorted(set(codes))))
    return Check(
        "repeated",
        "image ids in more than one row",
        "They count twice in every score. Keep one row each.",
        counts[counts["rows"] > 1].reset_index(),
    )


# --- what the command writes ------------------------------------------------------------------------------------
def stack_findings(checks: list[Check]) -> pd.DataFrame:
    """All findings in one table, the check's code first; cells a spreadsheet would run are made harmless."""
    tables = [check.table.assign(check=check.code) for check in checks if not check.passed]
    if not tables:
        return pd.DataFrame(columns=["check"])
    table = pd.concat(tables, ignore_index=True).map(harmless)
    return table[["check", *(column for column in table if column != "check")]]


def summarise(checks: list[Check]) -> str:
    """One line a check, with its advice where it found something."""
    lines = []
    for check in checks:
        lines.append(f"{'ok' if check.passed else len(check.table):>6}  {check.title}")
        if check.code == "duplicates" and not check.passed:
            lines[-1] += f", {int(check.table['across_splits'].sum())} of them across splits"
        if not check.passed:
            lines.append(f"        {check.advice}")
    return "\n".join(lines)
