"""Fit a bundle's probe of dermoscopic structures on ISIC 2018 Task 1's training part, and test it on its test part.

    dermalens train structures --data DIR

Each structure is a logistic regression on the classifier's pooled features of the whole image; how strongly it is
regularised, cross-validation on the training part decides. Writes structures.npz beside the weights, the entry
"structures" of the classifier into the manifest, and training/runs/<bundle>/structures.json.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from core.datasets.ham10000 import default_data_dir
from core.diagnosis.structures import MIN_AUC, StructureProbe
from core.evaluation.bootstrap import grouped_bootstrap
from core.evaluation.metrics import roc_auc
from core.systems.evaluations import RUNS_DIR
from core.tables.columns import STRUCTURES
from core.tables.writing import to_json_types
from models.loading import Bundle, load_bundle
from models.manifest import bundle_dir, file_sha256
from training.bundle.embed import pool_features
from training.bundle.manifest_record import edit_manifest
from training.command import exit_with_message
from training.data.sets import find_sets, read_split

SET = "isic2018_task1"
FILE_NAME, REPORT_NAME = "structures.npz", "structures.json"
STRENGTHS = np.geomspace(1e-5, 1e-1, 9)
N_FOLDS = 5


def fit_probe(pooled: np.ndarray, present: np.ndarray, names: tuple[str, ...]) -> tuple[StructureProbe, dict]:
    """(the probe, cross-validated AUC of each structure).

    Args:
        pooled: (N, C) features.
        present: (N, S) bool.
        names: S structures.
    """
    scaler = StandardScaler().fit(pooled)
    weights, bias, validated = [], [], {}
    for name, truth in zip(names, present.T, strict=True):
        search = GridSearchCV(
            LogisticRegression(max_iter=2000),
            {"C": STRENGTHS},
            scoring=["neg_log_loss", "roc_auc"],
            refit="neg_log_loss",
            cv=N_FOLDS,
        ).fit(scaler.transform(pooled), truth)
        model = search.best_estimator_
        direction = model.coef_[0] / scaler.scale_
        weights.append(direction)
        bias.append(model.intercept_[0] - direction @ scaler.mean_)
        validated[name] = float(search.cv_results_["mean_test_roc_auc"][search.best_index_])
    return StructureProbe(names, np.float32(weights), np.float32(bias)), validated


def score_probe(probe: StructureProbe, pooled: np.ndarray, rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """ROC AUC of each structure on other images, with its interval over lesions."""
    scores, lesions = probe.predict(pooled), rows["lesion_id"].to_numpy(object).astype(str)
    return {
        name: asdict(grouped_bootstrap(roc_auc, lesions, rows[name].to_numpy() == 1, scores[:, k]))
        for k, name in enumerate(probe.names)
    }


def _read(bundle: Bundle, data: Path, split: str, limit: int | None) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows of a part whose image can be read, and their (M, C) features."""
    rows = read_split(data, split, (SET,))[:limit]
    pooled, readable = pool_features(bundle, rows["image_path"].to_list())
    return rows[readable].reset_index(drop=True), pooled


def fit_structures(folder: Path, data: Path, runs: Path = RUNS_DIR, limit: int | None = None) -> dict:
    """Write the probe and its manifest entry into a bundle's folder; returns the report.

    Raises:
        DatasetError: ISIC 2018 Task 1 is not among the data sets.
    """
    bundle = load_bundle(folder)
    train, pooled = _read(bundle, data, "train", limit)
    probe, validated = fit_probe(pooled, train[list(STRUCTURES)].to_numpy() == 1, STRUCTURES)
    tested = score_probe(probe, *reversed(_read(bundle, data, "test", limit)))
    probe.save(folder / FILE_NAME)
    entry = to_json_types(
        {
            "file": FILE_NAME,
            "sha256": file_sha256(folder / FILE_NAME),
            "auc": tested,
            "origin": f"fitted on {len(train)} images of the training part of ISIC 2018 Task 1, tested on its test part",
        }
    )
    with edit_manifest(folder) as record:
        record["classifier"]["structures"] = entry
    report = {**bundle.manifest.stamp, **entry, "cross_validated_auc": validated}
    report["share_present"] = {name: float((train[name] == 1).mean()) for name in STRUCTURES}
    path = runs / bundle.manifest.name / REPORT_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")
    return report


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="folder of the data sets")
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the shipped one by default")
    parser.add_argument("--limit", type=int, help="use only this many images, to try things out")
    a = parser.parse_args()
    if SET not in find_sets(a.data):
        print(f"No {SET} in {a.data}: the bundle gets no probe of dermoscopic structures.")
        return
    report = fit_structures(a.bundle or bundle_dir(), a.data, limit=a.limit)
    for name, auc in report["auc"].items():
        kept = "reported" if (auc["low"] or 0) > MIN_AUC else "not reported"
        print(f"{name:20s} AUC {auc['estimate']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}]  {kept}")


if __name__ == "__main__":
    main()
