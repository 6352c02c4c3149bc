"""Score a bundle on one split of a set through the whole analysis, as a user would get it.

    dermalens evaluate scores --split test --data DIR [--sets ham10000 milk10k]

Writes to training/runs/<bundle>/: <split>_scores.json (with 95 % bootstrap intervals over lesions) and
<split>_predictions.csv (one row an image, no pixels), for another set than HAM10000 with its name before the split;
headline scores of HAM10000 go into the bundle's manifest too. The test split is looked at once per bundle. A bundle
that was trained on a split is not evaluated on it.

A set that cannot hold some of the bundle's classes is scored over those that it has (`scored_classes`): HAM10000 has no
scc. What the scores are with an answer of such a class counted as wrong stands beside them.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from core.analysis import Analysis
from core.analyzer import Analyzer
from core.batch.analyze import BATCH_SIZE
from core.datasets.ham10000 import default_data_dir
from core.datasets.splits import HAM10000, SPLITS
from core.evaluation.bootstrap import draw_lesions, grouped_bootstrap
from core.evaluation.mask_metrics import dice, jaccard, mask_sensitivity, mask_specificity, pixel_accuracy
from core.evaluation.metrics import (
    accuracy,
    balanced_accuracy,
    classification_scores,
    expected_calibration_error,
    macro_roc_auc,
    roc_auc,
    sensitivity_at_specificity,
)
from core.evaluation.operating_point import operating_intervals
from core.evaluation.predictions import Predictions, from_frame
from core.images.masks import read_lesion_mask
from core.report import prediction_row
from core.systems.evaluations import RUNS_DIR
from core.tables.columns import STRUCTURES
from core.tables.writing import to_json_types
from core.taxonomy import codes_among, suspicious_flags
from models.manifest import Manifest, read_manifest
from training.bundle.manifest_record import edit_manifest
from training.bundle.validation import require_unseen, validated_sets
from training.command import exit_with_message
from training.data.sets import SETS, find_sets, read_split
from training.fit.environment import describe_environment

FACTS = [
    *("image_id", "lesion_id", "dx", "dx_type", "age", "sex", "localization"),
    *("skin_tone_class", "thickness", "patient_id", *STRUCTURES),
]
MASK_METRICS = {
    "dice": dice,
    "jaccard": jaccard,
    "mask_accuracy": pixel_accuracy,
    "mask_sensitivity": mask_sensitivity,
    "mask_specificity": mask_specificity,
}
CLASS_METRICS = (accuracy, balanced_accuracy, macro_roc_auc, expected_calibration_error)
FAILED_JACCARD = 0.65
N_RESAMPLES = 1000


def describe_analysis(analysis: Analysis, mask_path: str) -> dict:
    """The row of one image: probabilities (also of one view, and before temperature), warnings, mask scores.

    The mask scores are NaN without an expert's mask.
    """
    row = prediction_row(analysis)
    if not mask_path:
        return row | dict.fromkeys(MASK_METRICS, np.nan)
    expert = read_lesion_mask(mask_path, analysis.shape)
    found = analysis.lesion.lesion_mask
    return row | {name: measure(found, expert) for name, measure in MASK_METRICS.items()}


def predict_split(analyzer: Analyzer, frame: pd.DataFrame) -> pd.DataFrame:
    """Analyse every image of a split: the facts of the dataset and what was found."""
    rows = []
    for start in tqdm(range(0, len(frame), BATCH_SIZE), unit="batch"):
        part = frame.iloc[start : start + BATCH_SIZE]
        analyses = analyzer.analyze_batch(list(map(Path, part["image_path"])))
        rows += map(describe_analysis, analyses, part["mask_path"])
    recorded = [name for name in FACTS if name in frame and frame[name].notna().any()]
    return pd.concat([frame[recorded].reset_index(drop=True), pd.DataFrame(rows)], axis=1)


def score_predictions(predictions: Predictions, threshold: float) -> dict:
    """All scores of a predictions table, with intervals over lesions for the headline ones.

    Args:
        predictions: of images of which some may have no label, or no mask scores.
        threshold: for the probability of malignancy.
    """
    known = predictions.take(predictions.labelled)
    classes = tuple(code for k, code in enumerate(known.classes) if (known.labels == k).any())
    scored = known.restrict(classes)
    scores = _score_classes(scored, threshold)
    if classes != known.classes:
        whole = {m.__name__: _over_lesions(known, m) for m in (accuracy, balanced_accuracy)}
        scores |= {"scored_classes": list(classes), "all_classes": whole}
    if "jaccard" in predictions.frame and predictions.frame["jaccard"].notna().any():
        scores["segmentation"] = _score_masks(predictions)
    return scores


def _over_lesions(predictions: Predictions, metric, *arrays) -> dict:
    """A metric with its interval; of labels and probabilities if no arrays are given."""
    arrays = arrays or (predictions.labels, predictions.probabilities)
    return asdict(grouped_bootstrap(metric, predictions.lesions, *arrays))


def _score_classes(known: Predictions, threshold: float) -> dict:
    classes, labels = known.classes, known.labels
    flags = suspicious_flags(classes)
    malignancy = known.probabilities[:, flags].sum(axis=1)
    detail = {"classification_detail": classification_scores(labels, known.probabilities, classes)}
    if known.one_view is not None:
        detail["classification_one_view"] = classification_scores(labels, known.one_view, classes)
    return {
        "classification": {m.__name__: _over_lesions(known, m) for m in CLASS_METRICS},
        "melanoma": _one_class(known, "mel"),
        "suspicious_roc_auc": _over_lesions(known, roc_auc, flags[labels], malignancy),
        **detail,
        "suspicious_at_threshold": {
            "threshold": threshold,
            **rate_calls(flags[labels], malignancy, threshold, known.lesions),
        },
    }


def _score_masks(predictions: Predictions) -> dict:
    rows = predictions.take(predictions.frame["jaccard"].notna().to_numpy())
    mask_jaccard = rows.frame["jaccard"].to_numpy(float)
    thresholded = np.where(mask_jaccard >= FAILED_JACCARD, mask_jaccard, 0.0)
    return {
        "dice": _over_lesions(rows, np.nanmean, rows.frame["dice"].to_numpy(float)),
        "jaccard": _over_lesions(rows, np.nanmean, mask_jaccard),
        "thresholded_jaccard": _over_lesions(rows, np.nanmean, thresholded),
        "share_failed": _over_lesions(rows, np.nanmean, (mask_jaccard < FAILED_JACCARD).astype(float)),
    }


def _one_class(known: Predictions, code: str) -> dict:
    """AUC of one class against the rest, and its sensitivity at 0.90 specificity; {} if it is not a class."""
    if code not in known.classes:
        return {}
    k = known.classes.index(code)
    arrays = known.labels == k, known.probabilities[:, k]
    return {
        "roc_auc_melanoma": _over_lesions(known, roc_auc, *arrays),
        "melanoma_sensitivity_at_90_specificity": _over_lesions(known, sensitivity_at_specificity, *arrays),
    }


def rate_calls(
    positive: np.ndarray, score: np.ndarray, threshold: float, lesions: np.ndarray
) -> dict[str, dict]:
    """Sensitivity and specificity of (N,) scores at a threshold, with their intervals over (N,) str lesions."""
    found = operating_intervals(positive, score, threshold, draw_lesions(lesions, N_RESAMPLES))
    return {name: asdict(interval) for name, interval in found.items()}


def evaluate(
    split: str,
    data: Path,
    bundle: Path | None = None,
    limit: int | None = None,
    dataset: str = HAM10000,
    every: int = 1,
) -> dict:
    """Write the predictions and scores of one split of a set, or of every so many of its images; returns the scores.

    Images whose diagnosis is not among the bundle's classes are left out where they have no expert's mask either.

    Raises:
        BundleError: the bundle was trained on the split.
        DatasetError: see `training.data.sets.read_split`.
    """
    manifest = read_manifest(bundle)
    require_unseen(manifest, split)
    frame = read_split(data, split, (dataset,))
    frame = frame.assign(dx=codes_among(frame["dx"], manifest.classes))
    frame = frame[(frame["dx"] != "") | (frame["mask_path"] != "")][::every].reset_index(drop=True)
    predictions = predict_split(Analyzer.load(manifest.folder), frame[:limit])
    name = split if dataset == HAM10000 else f"{dataset}_{split}"
    scores = write_scores(predictions, manifest, name)
    if not limit and dataset == HAM10000:
        _note_in_manifest(manifest, split, scores)
    return scores


def write_scores(predictions: pd.DataFrame, manifest: Manifest, name: str) -> dict:
    """Write the predictions table of an evaluation and its scores to the bundle's run."""
    folder = RUNS_DIR / manifest.name
    folder.mkdir(parents=True, exist_ok=True)
    predictions.to_csv(folder / f"{name}_predictions.csv", index=False, float_format="%.6g")
    scores = {
        **manifest.stamp,
        "split": name,
        "n_images": len(predictions),
        "n_lesions": int(predictions["lesion_id"].nunique()),
        "environment": describe_environment(),
        **score_predictions(from_frame(predictions), manifest.suspicious_threshold),
    }
    scores = to_json_types(scores)
    (folder / f"{name}_scores.json").write_text(json.dumps(scores, indent=1) + "\n")
    return scores


def _note_in_manifest(manifest: Manifest, split: str, scores: dict) -> None:
    """Write the headline scores into the networks' manifest entries."""
    with edit_manifest(manifest.folder) as record:
        for network, group in (("segmenter", "segmentation"), ("classifier", "classification")):
            record[network].setdefault("scores", {})[split] = scores[group]


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=SPLITS, required=True)
    parser.add_argument(
        "--sets", choices=SETS, nargs="+", help="data sets; by default those that decisions were made on"
    )
    parser.add_argument(
        "--data", type=Path, default=default_data_dir(), help="folder of the sets, or HAM10000"
    )
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the shipped one by default")
    parser.add_argument("--every", type=int, default=1, help="evaluate every so many images")
    parser.add_argument("--limit", type=int, help="use only this many images, to try things out")
    a = parser.parse_args()
    present = find_sets(a.data)
    for dataset in a.sets or [name for name in validated_sets(read_manifest(a.bundle)) if name in present]:
        scores = evaluate(a.split, a.data, a.bundle, a.limit, dataset, a.every)
        print(f"{dataset}, {a.split}: {scores['n_images']} images")
        for group in ("classification", "segmentation"):
            for name, value in scores.get(group, {}).items():
                print(f"{name:28s} {value['estimate']:.3f}  [{value['low']:.3f}, {value['high']:.3f}]")


if __name__ == "__main__":
    main()
