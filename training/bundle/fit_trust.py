"""Fit a bundle's prediction sets, out-of-distribution score and class-balanced decision.

    dermalens train trust --data DIR [--report-test]

Run it once the bundle is exported and `dermalens evaluate scores --split validation` has written its
predictions (about ten minutes on two cores, for the features of the training images). Writes novelty.npz
beside the weights, the entries "conformal", "novelty" and "decision" of the classifier into the manifest,
and every number with its origin to training/runs/<bundle>/trust.json. Choices are made on the
validation split; --report-test adds the coverage on the test split's predictions and chooses nothing.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from core.datasets.ham10000 import default_data_dir
from core.diagnosis.conformal import fit_class_quantiles, prediction_set
from core.diagnosis.decision import apply_offsets, decide, prior_offsets
from core.diagnosis.novelty import NoveltyModel
from core.evaluation.bootstrap import grouped_bootstrap
from core.evaluation.coverage import coverage
from core.evaluation.metrics import accuracy, balanced_accuracy
from core.evaluation.predictions import Predictions, PredictionsError, from_frame, read_predictions
from core.systems.evaluations import RUNS_DIR
from core.tables.writing import to_json_types
from models.loading import load_bundle
from models.manifest import MANIFEST_NAME, BundleError, Manifest, bundle_dir, file_sha256, read_manifest
from training.bundle.fit_novelty import FALSE_ALARMS, fit_subspace
from training.bundle.manifest_record import edit_manifest
from training.bundle.mapie_sets import SCORES, conformalize, mapie_sets
from training.bundle.validation import mean_over_sets, require_unseen
from training.command import exit_with_message
from training.fit.losses import class_shares

CONFIDENCE_LEVEL = 0.9
N_FOLDS = 5
STRENGTHS = tuple(np.round(np.linspace(0, 1, 11), 1))
NOVELTY_NAME = "novelty.npz"
REPORT_NAME = "trust.json"


# --- prediction sets: calibrated on validation ------------------------------------------------------
def fit_sets(validation: Predictions) -> tuple[dict, dict]:
    """(what was compared across lesion-grouped folds, the manifest's entry)."""
    compared = {score: _cross_coverage(validation, score) for score in SCORES}
    compared["class_conditional"] = _cross_coverage(validation, None)
    probabilities, labels = validation.probabilities, validation.labels
    fitted = conformalize(probabilities, labels, CONFIDENCE_LEVEL, "lac")
    entry = {
        "confidence_level": CONFIDENCE_LEVEL,
        "score": "lac",
        "marginal_quantile": float(fitted.quantile),
        "class_quantiles": fit_class_quantiles(probabilities, labels, CONFIDENCE_LEVEL).tolist(),
        "n_images": np.bincount(labels, minlength=len(validation.classes)).tolist(),
        "origin": f"{len(labels)} images of the validation split",
    }
    return compared, entry


def _cross_coverage(validation: Predictions, score: str | None) -> dict:
    """Coverage and size of sets fitted on four fifths of the lesions, over all held-out fifths.

    `score` of `SCORES` is fitted by MAPIE for all classes together; None fits one quantile a class.
    """
    probabilities, labels = validation.probabilities, validation.labels
    sets = np.zeros(probabilities.shape, bool)
    for fitting, held_out in _folds(validation):
        known = probabilities[fitting], labels[fitting], CONFIDENCE_LEVEL
        if score is None:
            sets[held_out] = prediction_set(probabilities[held_out], fit_class_quantiles(*known))
        else:
            sets[held_out] = mapie_sets(conformalize(*known, score), probabilities[held_out])
    covered, sizes = sets[np.arange(len(labels)), labels], sets.sum(axis=1)
    return {
        "coverage": float(covered.mean()),
        "coverage_by_class": {
            code: float(covered[labels == k].mean()) for k, code in enumerate(validation.classes)
        },
        "mean_size": float(sizes.mean()),
        "share_single": float((sizes == 1).mean()),
        "share_empty": float((sizes == 0).mean()),
    }


def describe_coverage(predictions: Predictions, entry: dict) -> dict:
    """Coverage of both variants on labelled predictions; classes by their codes."""
    rows = predictions.take(predictions.labelled)
    variants = {"marginal": entry["marginal_quantile"], "class_conditional": entry["class_quantiles"]}
    described = {}
    for name, quantiles in variants.items():
        found = coverage(rows.probabilities, rows.labels, np.array(quantiles), rows.lesions)
        found["by_class"] = dict(zip(rows.classes, found["by_class"], strict=True))
        described[name] = found
    return described


# --- decision: strength chosen on validation --------------------------------------------------------
def fit_decision(validation: Predictions) -> tuple[dict, dict]:
    """(the gain across lesion-grouped folds, the manifest's entry); offsets are 0 where nothing is gained."""
    probabilities, labels, sets = validation.probabilities, validation.labels, _sets(validation)
    prior = class_shares(labels, len(validation.classes))
    adjusted, chosen = np.empty_like(probabilities), []
    for fitting, held_out in _folds(validation):
        strength = best_strength(probabilities[fitting], labels[fitting], prior, sets[fitting])
        chosen.append(float(strength))
        adjusted[held_out] = apply_offsets(probabilities[held_out], prior_offsets(prior, strength))
    gain = grouped_bootstrap(
        lambda y, before, after, s: _balanced_over_sets(y, after, s) - _balanced_over_sets(y, before, s),
        *(validation.lesions, labels, probabilities, adjusted, sets),
    )
    strength = best_strength(probabilities, labels, prior, sets) if gain.estimate > 0 else 0.0
    compared = {
        "prior": dict(zip(validation.classes, prior.tolist(), strict=True)),
        "mean_probability": dict(zip(validation.classes, probabilities.mean(axis=0).tolist(), strict=True)),
        "balanced_accuracy_before": _balanced_over_sets(labels, probabilities, sets),
        "balanced_accuracy_cross_validated": _balanced_over_sets(labels, adjusted, sets),
        "accuracy_before": accuracy(labels, probabilities),
        "accuracy_cross_validated": accuracy(labels, adjusted),
        "gain_in_balanced_accuracy": asdict(gain),
        "strength_by_fold": chosen,
    }
    entry = {
        "strength": float(strength),
        "offsets": prior_offsets(prior, strength).tolist(),
        "origin": "strength of the correction for the class prior, chosen by balanced accuracy on the validation split",
    }
    return compared, entry


def best_strength(
    probabilities: np.ndarray, labels: np.ndarray, prior: np.ndarray, sets: np.ndarray | None = None
) -> float:
    """The strength of `STRENGTHS` with the highest balanced accuracy, mean over the sets; the smallest of equals."""

    def score(strength: float) -> float:
        picks = np.eye(len(prior))[decide(probabilities, prior_offsets(prior, strength))]
        return _balanced_over_sets(labels, picks, sets)

    return max(STRENGTHS, key=score)


def _balanced_over_sets(labels: np.ndarray, probabilities: np.ndarray, sets: np.ndarray | None) -> float:
    return mean_over_sets(balanced_accuracy, labels, probabilities, sets)


def _sets(predictions: Predictions) -> np.ndarray:
    """(N,) name of each image's set; one where the table names none."""
    if "dataset" not in predictions.frame:
        return np.full(len(predictions), "")
    return predictions.frame["dataset"].to_numpy(object).astype(str)


def _folds(predictions: Predictions):
    folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=0)
    return folds.split(predictions.labels, predictions.labels, predictions.lesions)


# --- all of it --------------------------------------------------------------------------------------
def fit_trust(bundle_folder: Path, data: Path, runs: Path, out: Path, limit: int | None = None) -> dict:
    """Write novelty.npz and the manifest into `out`, trust.json into the run's folder; returns the latter.

    Raises:
        BundleError: the classifier does not see the whole image first, or was trained on the validation split.
        PredictionsError: no predictions of the validation split, or of other classes.
    """
    bundle = load_bundle(bundle_folder)
    manifest = bundle.manifest
    require_unseen(manifest, "validation")
    if manifest.views[0] != "whole":
        raise BundleError("The novelty score needs a classifier whose first window is the whole image.")
    validation = _read_validation(runs / manifest.name, manifest)
    sets, conformal = fit_sets(validation)
    decision_found, decision = fit_decision(validation)
    novelty_found, model, threshold = fit_subspace(bundle, data, limit)
    out.mkdir(parents=True, exist_ok=True)
    novelty = _write_novelty(model, threshold, out)
    with edit_manifest(bundle_folder, out) as record:
        record["classifier"] |= {"conformal": conformal, "novelty": novelty, "decision": decision}
    report = {
        **manifest.stamp,
        "command": "dermalens train trust",
        "n_validation_images": len(validation),
        "n_validation_lesions": len(set(validation.lesions)),
        "sets": {"cross_validated": sets, "manifest": conformal},
        "novelty": novelty_found,
        "decision": decision_found | {"manifest": decision},
    }
    return _write_report(runs / manifest.name / REPORT_NAME, report)


def _write_novelty(model: NoveltyModel, threshold: float, out: Path) -> dict:
    """Write novelty.npz; its entry in the manifest."""
    model.save(out / NOVELTY_NAME)
    origin = f"{FALSE_ALARMS:.0%} of the validation split's images lie above, in no set more"
    return {
        "file": NOVELTY_NAME,
        "sha256": file_sha256(out / NOVELTY_NAME),
        "threshold": {"value": threshold, "origin": origin},
    }


def report_test(manifest: Manifest, runs: Path, out: Path) -> dict:
    """Add to trust.json the coverage of the sets on the test split of each dataset, from the stored predictions.

    What the decision brings is said of HAM10000, over the classes that it has.
    """
    path = runs / manifest.name / REPORT_NAME
    report = json.loads(path.read_text())
    folder = runs / manifest.name
    test = _read(folder / "test_predictions.csv", manifest)
    entry = json.loads((out / MANIFEST_NAME).read_text())["classifier"]
    report["sets"]["test"] = describe_coverage(test, entry["conformal"])
    for other in sorted(folder.glob("*_test_predictions.csv")):
        name = other.name.removesuffix("_predictions.csv")
        report["sets"][name] = describe_coverage(_read(other, manifest), entry["conformal"])
    report["decision"]["test"] = _compare_decisions(test, np.array(entry["decision"]["offsets"]))
    return _write_report(path, report)


def _compare_decisions(predictions: Predictions, offsets: np.ndarray) -> dict[str, dict]:
    """Both accuracies with their intervals before and after the (K,) offsets, over the classes that have images."""
    present = [k for k in range(len(predictions.classes)) if (predictions.labels == k).any()]
    known = predictions.restrict([predictions.classes[k] for k in present])
    answers = {"before": known.probabilities, "after": apply_offsets(known.probabilities, offsets[present])}
    return {
        metric.__name__: {
            when: asdict(grouped_bootstrap(metric, known.lesions, known.labels, probabilities))
            for when, probabilities in answers.items()
        }
        for metric in (balanced_accuracy, accuracy)
    }


def _read_validation(folder: Path, manifest: Manifest) -> Predictions:
    """The validation predictions of all sets that the bundle was evaluated on; HAM10000's must be there."""
    files = [folder / "validation_predictions.csv", *sorted(folder.glob("*_validation_predictions.csv"))]
    parts = [_read(path, manifest).frame.assign(dataset=path.name.split("_")[0]) for path in files]
    joined = from_frame(pd.concat(parts, ignore_index=True))
    return joined.take(joined.labelled)


def _read(path: Path, manifest: Manifest) -> Predictions:
    if not path.is_file():
        split = path.name.split("_")[0]
        raise PredictionsError(f"No {path}. Run dermalens evaluate scores --split {split} first.")
    predictions = read_predictions(path)
    if predictions.classes != manifest.classes:
        raise PredictionsError(f"{path} holds other classes than the bundle. Evaluate the bundle again.")
    return predictions.take(predictions.labelled)


def _write_report(path: Path, report: dict) -> dict:
    report = to_json_types(report)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")
    return report


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="folder of the data sets")
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the shipped one by default")
    parser.add_argument(
        "--out", type=Path, help="folder for novelty.npz and manifest; the bundle's by default"
    )
    parser.add_argument("--runs", type=Path, default=RUNS_DIR, help="folder of predictions and reports")
    parser.add_argument("--report-test", action="store_true", help="only add the test split's coverage")
    parser.add_argument("--limit", type=int, help="use only this many images, to try things out")
    a = parser.parse_args()
    folder = a.bundle or bundle_dir()
    out = a.out or folder
    if a.report_test:
        report = report_test(read_manifest(folder), a.runs, out)
    else:
        report = fit_trust(folder, a.data, a.runs, out, a.limit)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
