"""Score a bundle on one split with the same analysis that users get.

    python -m training.measure.evaluate --split test --data DIR [--sets NAME ...]

Writes to training/runs/<bundle>/: <split>_scores.json (with 95 % bootstrap intervals over lesions) and
<split>_predictions.csv (one row an image, no pixels); headline scores go into the bundle's manifest too. Images are
those of the sets that the classifier was trained on and of its classes; of chosen `--sets` the files are
<split>_<set>_scores.json and so on, and the manifest stays. The test split is evaluated once per bundle. A bundle is not evaluated
on a split that it was trained on.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from core.analyzer import Analysis, Analyzer
from core.batch.analyze import BATCH_SIZE
from core.datasets.ham10000 import default_data_dir
from core.datasets.splits import SPLITS
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
from core.report import prediction_row
from core.systems.evaluations import RUNS_DIR
from core.tables.writing import to_json_types
from core.taxonomy import suspicious_flags
from models.manifest import MANIFEST_NAME, Manifest, read_manifest
from training.bundle.validation import read_expert_mask, require_unseen, training_sets
from training.command import exit_with_message
from training.data.sets import SETS, read_split
from training.fit.environment import describe_environment

FACTS = ["dataset", "image_id", "lesion_id", "dx", "dx_type", "age", "sex", "localization"]
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

    Mask scores are NaN where no expert drew the lesion.
    """
    expert, found = read_expert_mask(mask_path, analysis.shape), analysis.lesion.lesion_mask
    scores = {n: measure(found, expert) if mask_path else np.nan for n, measure in MASK_METRICS.items()}
    return prediction_row(analysis) | scores


def predict_split(analyzer: Analyzer, frame: pd.DataFrame) -> pd.DataFrame:
    """Analyse every image of a split: the facts of the dataset and what was found."""
    rows = []
    for start in tqdm(range(0, len(frame), BATCH_SIZE), unit="batch"):
        part = frame.iloc[start : start + BATCH_SIZE]
        analyses = analyzer.analyze_batch(list(map(Path, part["image_path"])))
        for analysis, mask_path in zip(analyses, part["mask_path"], strict=True):
            rows.append(describe_analysis(analysis, mask_path))
    return pd.concat([frame[FACTS].reset_index(drop=True), pd.DataFrame(rows)], axis=1)


def probabilities_of(predictions: pd.DataFrame, classes, prefix: str = "p_") -> np.ndarray:
    """(N, K) probabilities of a predictions table, rows summing to 1 again after rounding."""
    values = predictions[[f"{prefix}{code}" for code in classes]].to_numpy(np.float64)
    return values / values.sum(axis=1, keepdims=True)


def score_predictions(predictions: pd.DataFrame, manifest: Manifest) -> dict:
    """All scores of a predictions table, with intervals over lesions for the headline ones."""
    classes = manifest.classes
    labels = predictions["dx"].map({code: k for k, code in enumerate(classes)}).to_numpy(np.int64)
    lesions = predictions["lesion_id"].to_numpy(object).astype(str)
    probabilities = probabilities_of(predictions, classes)
    flags = suspicious_flags(classes)
    suspicious = probabilities[:, flags].sum(axis=1)

    def interval(statistic, *arrays) -> dict:
        return asdict(grouped_bootstrap(statistic, lesions, *arrays))

    mask_jaccard = predictions["jaccard"].to_numpy()
    return {
        "classification": {m.__name__: interval(m, labels, probabilities) for m in CLASS_METRICS},
        "melanoma": _one_class(labels, probabilities, classes, "mel", interval),
        "classification_detail": classification_scores(labels, probabilities, classes),
        "classification_one_view": classification_scores(
            labels, probabilities_of(predictions, classes, "p1_"), classes
        ),
        "suspicious_at_threshold": {
            "threshold": manifest.suspicious_threshold,
            **rate_calls(flags[labels], suspicious, manifest.suspicious_threshold, lesions),
        },
        "segmentation": {
            "dice": interval(np.nanmean, predictions["dice"].to_numpy()),
            "jaccard": interval(np.nanmean, mask_jaccard),
            "thresholded_jaccard": interval(
                np.nanmean, np.where(mask_jaccard < FAILED_JACCARD, 0.0, mask_jaccard)
            ),
            "share_failed": interval(
                np.nanmean, np.where(np.isnan(mask_jaccard), np.nan, mask_jaccard < FAILED_JACCARD)
            ),
        },
    }


def _one_class(labels, probabilities, classes, code: str, interval) -> dict:
    """AUC of one class against the rest, and its sensitivity at 0.90 specificity; {} if it is not a class."""
    if code not in classes:
        return {}
    k = classes.index(code)
    arrays = labels == k, probabilities[:, k]
    return {
        "roc_auc_melanoma": interval(roc_auc, *arrays),
        "melanoma_sensitivity_at_90_specificity": interval(sensitivity_at_specificity, *arrays),
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
    sets: Sequence[str] = (),
) -> dict:
    """Write the predictions and scores of one split; returns the scores.

    Args:
        split: "train", "validation" or "test".
        data: folder of the data sets.
        bundle: its folder; the shipped one by default.
        limit: use only this many images.
        sets: to evaluate; by default those that the classifier was trained on.

    Raises:
        BundleError: the bundle was trained on the split.
    """
    manifest = read_manifest(bundle)
    require_unseen(manifest, split)
    rows = read_split(data, split, tuple(sets) or training_sets(manifest))
    rows = rows[rows["dx"].isin(manifest.classes)].reset_index(drop=True)[:limit]
    predictions = predict_split(Analyzer.load(manifest.folder), rows)
    scores = write_scores(predictions, manifest, "_".join((split, *sets)))
    if not limit and not sets:
        _note_in_manifest(manifest, split, scores)
    return scores


def write_scores(predictions: pd.DataFrame, manifest: Manifest, split: str) -> dict:
    """Write a predictions table and its scores to the bundle's run; `split` begins the files' names."""
    folder = RUNS_DIR / manifest.name
    folder.mkdir(parents=True, exist_ok=True)
    predictions.to_csv(folder / f"{split}_predictions.csv", index=False, float_format="%.6g")
    scores = {
        **manifest.stamp,
        "split": split,
        "n_images": len(predictions),
        "n_lesions": int(predictions["lesion_id"].nunique()),
        "environment": describe_environment(),
        **score_predictions(predictions, manifest),
    }
    scores = to_json_types(scores)
    (folder / f"{split}_scores.json").write_text(json.dumps(scores, indent=1) + "\n")
    return scores


def _note_in_manifest(manifest: Manifest, split: str, scores: dict) -> None:
    """Write the headline scores into the networks' manifest entries."""
    path = manifest.folder / MANIFEST_NAME
    record = json.loads(path.read_text())
    for network, group in (("segmenter", "segmentation"), ("classifier", "classification")):
        record[network].setdefault("scores", {})[split] = scores[group]
    path.write_text(json.dumps(record, indent=1) + "\n")


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=SPLITS, required=True)
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="folder of the data sets")
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the shipped one by default")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=(), help="evaluate these sets alone")
    parser.add_argument("--limit", type=int, help="use only this many images, to try things out")
    a = parser.parse_args()
    scores = evaluate(a.split, a.data, a.bundle, a.limit, a.sets)
    for group in ("classification", "segmentation"):
        for name, value in scores[group].items():
            print(f"{name:28s} {value['estimate']:.3f}  [{value['low']:.3f}, {value['high']:.3f}]")


if __name__ == "__main__":
    main()
