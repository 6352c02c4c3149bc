"""Datasets of several tables: the ISIC challenges of 2018 and 2019, and MILK10k as it is published."""

import pandas as pd

from core.datasets.files import DatasetFiles
from core.datasets.frame import (
    DatasetError,
    build_frame,
    complete,
    find_masks,
    unique_ids,
)
from core.tables.columns import decode_one_hot, require_ids
from core.tables.reading import TableError, list_headings

TASK3_TRUTH, TASK3_GROUPS = r"ISIC2018_Task3_.*_GroundTruth", r"ISIC2018_Task3_.*_LesionGroupings"
ISIC2019_TRUTH, ISIC2019_FACTS = r"ISIC_2019_.*_GroundTruth", r"ISIC_2019_.*_Metadata"
MILK10K_TRUTH, MILK10K_FACTS = r"MILK10k_.*_GroundTruth", r"MILK10k_.*_Metadata"
MILK10K_MORE = r"MILK10k_.*_Supplement"
TASK1_IMAGES = r"ISIC2018_Task1-2_.*_Input"


def read_task3(files: DatasetFiles) -> pd.DataFrame:
    """ISIC 2018 task 3: one-hot ground truth, with lesion groupings where they are there."""
    table = _read_truth(files, TASK3_TRUTH)
    groups = _stack(files, TASK3_GROUPS)
    if groups is not None:
        _require(groups, ("image", "lesion_id", "diagnosis_confirm_type"), "The lesion groupings")
        table = _join(table, groups[["image", "lesion_id", "diagnosis_confirm_type"]], "image")
    return build_frame(table, files, "The ground truth")


def read_isic2019(files: DatasetFiles) -> pd.DataFrame:
    """ISIC 2019 (with BCN20000): one-hot ground truth of eight classes and UNK, patients' facts beside it."""
    table = _read_truth(files, ISIC2019_TRUTH)
    facts = _stack(files, ISIC2019_FACTS)
    if facts is not None:
        _require(facts, ("image", "age_approx", "sex", "anatom_site_general"), "The metadata")
        table = _join(table, facts, "image")
    return build_frame(table, files, "The ground truth")


def read_milk10k(files: DatasetFiles) -> pd.DataFrame:
    """MILK10k: the diagnosis stands by lesion, the facts by image; close-up photographs are left out."""
    facts = _stack(files, MILK10K_FACTS)
    if facts is None:
        raise DatasetError("MILK10k's metadata table is missing beside its ground truth. Copy it there.")
    _require(facts, ("isic_id", "lesion_id"), "MILK10k's metadata")
    if "image_type" in facts:
        facts = facts[~facts["image_type"].str.lower().str.startswith("clinical")]
    more = _stack(files, MILK10K_MORE)
    if more is not None:
        _require(more, ("isic_id",), "MILK10k's supplement")
        facts = _join(facts, more, "isic_id")
    truth = _stack(files, MILK10K_TRUTH)
    if truth is not None:
        _require(truth, ("lesion_id",), "MILK10k's ground truth")
        facts = _join(
            facts, truth[["lesion_id"]].assign(dx=_labels(truth, "MILK10k's ground truth")), "lesion_id"
        )
    return build_frame(facts.fillna("").reset_index(drop=True), files, "MILK10k's metadata")


def read_task1(files: DatasetFiles) -> pd.DataFrame:
    """ISIC 2018 task 1: pictures with experts' masks, without diagnoses."""
    files = files.below(TASK1_IMAGES)
    images = [str(path) for path in files.images]
    frame = pd.DataFrame({"image_id": unique_ids([path.name for path in files.images]), "image_path": images})
    return complete(frame.assign(dx="", mask_path=find_masks(images, files)))


# --- shared -----------------------------------------------------------------------------------------
def _read_truth(files: DatasetFiles, pattern: str) -> pd.DataFrame:
    """`image` and `dx` of all ground truth tables of a challenge."""
    table = _stack(files, pattern)
    try:
        ids = require_ids(table, "The ground truth")
    except TableError as error:
        raise DatasetError(str(error)) from error
    return pd.DataFrame({"image": ids, "dx": _labels(table, "The ground truth")}, dtype=object)


def _labels(table: pd.DataFrame, what: str) -> list[str]:
    """One code a row; the columns of other classes (UNK, INF, …) leave a row without one."""
    try:
        labels = decode_one_hot(table.fillna("0"))
    except TableError as error:
        raise DatasetError(f"{what}: {error}") from error
    if labels is None:
        raise DatasetError(f"{what} has no class column beside its ids. {list_headings(table)}")
    return labels


def _stack(files: DatasetFiles, pattern: str) -> pd.DataFrame | None:
    """All tables of that name, one below the other; a name that is there twice counts once."""
    tables = [files.read(path) for path in files.find_tables(pattern)]
    return pd.concat(tables, ignore_index=True) if tables else None


def _require(frame: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    missing = [column for column in columns if column not in frame]
    if missing:
        raise DatasetError(
            f"{what} lacks the column(s) {', '.join(missing)}. Unpack the release's own file. {list_headings(frame)}"
        )


def _join(frame: pd.DataFrame, facts: pd.DataFrame, key: str) -> pd.DataFrame:
    """Add columns by a key; a key that is listed twice keeps its first facts."""
    new = [key, *(column for column in facts if column not in frame)]
    return frame.merge(facts[new].drop_duplicates(key), on=key, how="left").fillna("")
