"""Tables of labels and of predictions: how many rows, labels and ids each must give, or how it is refused."""

import re
from collections.abc import Callable
from pathlib import Path

from core.batch.labels import LabelCounts, LabelError, match_labels, read_labels
from core.evaluation.predictions import Predictions, PredictionsError, read_predictions
from core.taxonomy import HAM10000_CLASSES
from tests.odd_files.registry import Outcome, judges

_FOUR = ("ISIC_0000001.jpg", "ISIC_0000002.jpg", "ISIC_0000003.JPG", "ISIC_0000004.jpg")
_TWO_FOLDERS = ("p1/IMG_1.jpg", "p2/IMG_1.jpg")
_IMAGES = {
    "same_stem_two_folders.csv": _TWO_FOLDERS,
    "same_stem_two_labels.csv": _TWO_FOLDERS,
    "dots_in_name.csv": ("scan.1.v2.jpg", "scan.2.v2.png"),
    "other_ext_in_id.csv": ("IMG_1.jpg", "IMG_2.jpg"),
}
# The labels that the images must get, in order; "" for none. A text is a pattern of the refusal.
_LABELS: dict[str, tuple[str, ...] | str] = {
    "html_login.csv": "web page",
    "no_header.csv": "no heading line",
    "xlsx_renamed.csv": "Excel workbook",
    "label_nan.csv": ("mel", "", "", ""),
    "numeric_labels.csv": ("", "", "", ""),
    "onehot_decimal_comma.csv": ("mel", "nv", "bcc"),
    "same_stem_two_folders.csv": ("mel", ""),
    "same_stem_two_labels.csv": ("mel", "nv"),
    "dots_in_name.csv": ("mel", "nv"),
    "other_ext_in_id.csv": ("mel", "nv"),
    "isic2017_part3.csv": ("mel", "", "bkl", ""),
}


@judges("labels")
def judge_labels(case: Path, _: str) -> Outcome:
    expected = _LABELS.get(case.name)
    paths = [Path("/clinic") / name for name in _IMAGES.get(case.name, _FOUR)]
    try:
        frame, counts = match_labels(paths, read_labels(case), HAM10000_CLASSES)
    except LabelError as error:
        return Outcome(
            f"refused: {error}", isinstance(expected, str) and bool(re.search(expected, str(error)))
        )
    given = frame["dx"].tolist()
    return Outcome(f"{given} · {counts.describe()}", _labels_are_right(given, expected, counts))


def _labels_are_right(given: list[str], expected: tuple[str, ...] | str | None, counts: LabelCounts) -> bool:
    if isinstance(expected, tuple):
        # A label that no image took must be counted.
        return all(label == wanted for label, wanted in zip(given, expected, strict=False))
    return expected is None and counts.labelled == counts.images


Check = Callable[[Predictions], bool]
# What must hold of the tables that are read; a text is a pattern of the refusal.
_PREDICTIONS: dict[str, Check | str] = {
    "isic_submission.csv": lambda p: not p.labelled.any(),
    "p_unk_share.csv": lambda p: any("p_unk" in note for note in p.notes),
    "dx_unk.csv": lambda p: p.labelled.sum() == 25,
    "dx_scc.csv": lambda p: p.labelled.sum() == 25 and any("scc (3)" in note for note in p.notes),
    "duplicates_all.csv": lambda p: len(p) == 28 and any("28" in note for note in p.notes),
    "duplicates_conflict.csv": "IMG_000, IMG_001, IMG_002",
    "percent.csv": "per cent",
    "one_nan_row.csv": "IMG_003",
    "ids_long_numbers.csv": lambda p: p.frame["image_id"].nunique() == 28,
    "ids_like_1e5.csv": lambda p: p.frame["image_id"].tolist()[:2] == ["0e5", "1e5"],
    "lesion_numeric_with_gap.csv": lambda p: len(set(p.lesions)) == 27,
    "lesion_empty.csv": lambda p: len(set(p.lesions)) == 28,
    "age_words.csv": lambda p: p.frame["age"].isna().any() and str(p.frame["age"].dtype) == "float64",
    "age_comma.csv": lambda p: p.frame["age"].iloc[0] == 45,
    "two_prefixes.csv": lambda p: abs(p.probabilities[0, 0] - 0.46) < 1e-3,
    "missing_class.csv": "No column stands for vasc",
    "binary_target.csv": "no class probabilities",
    "benign_malignant.csv": lambda p: p.classes == ("benign", "malignant"),
    "empty.csv": "empty",
    "cli_table.csv": lambda p: not p.labelled.any(),
    "cli_table_with_error_row.csv": lambda p: len(p) == 27 and any("error: 1" in note for note in p.notes),
}


@judges("predictions")
def judge_predictions(case: Path, _: str) -> Outcome:
    expected = _PREDICTIONS.get(case.name, lambda p: len(p) == 28 and bool(p.labelled.all()))
    try:
        predictions = read_predictions(case)
    except PredictionsError as error:
        return Outcome(
            f"refused: {error}", isinstance(expected, str) and bool(re.search(expected, str(error)))
        )
    text = f"{len(predictions)} rows, {predictions.labelled.sum()} labelled; {'; '.join(predictions.notes)}"
    return Outcome(text, callable(expected) and expected(predictions))
