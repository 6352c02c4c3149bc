"""What age, sex and body site would add to the shipped classifier: a measured comparison, on validation.

    dermalens evaluate facts --data DIR

Facts are taken as independent given the diagnosis (naive Bayes): to the calibrated log-probabilities is added,
for each fact, share * log(p(value | class) / p(value)), counted over the training split's lesions. Unknown
values add nothing, so a lesion without facts gets the answer of its image alone. Share 0 is the image alone.

Writes training/runs/patient_facts.json:

    {"bundle": str, "version": str, "fingerprint": str, "split": "validation", "command": str,
     "rows": [{"facts": [str, ...], "share": float, <scores of training.bundle.validation.view_scores>}, ...]}
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from core.datasets.ham10000 import default_data_dir
from core.datasets.splits import HAM10000
from core.diagnosis.decision import apply_offsets
from core.evaluation.predictions import Predictions, from_frame, read_predictions
from core.evaluation.slices import UNKNOWN_VALUE, slice_rows
from core.systems.evaluations import RUNS_DIR
from models.manifest import read_manifest
from training.bundle.validation import view_scores
from training.command import exit_with_message
from training.data.sets import read_split
from training.fit.environment import describe_environment

PATIENT_FACTS_FILE = RUNS_DIR / "patient_facts.json"
FACTS = ("age", "sex", "site")
TRIED = (("age",), ("sex",), ("site",), FACTS)
SHARES = (0.25, 0.5, 0.75, 1.0)
PSEUDO_COUNT = 20.0  # lesions' worth of the value's overall share, added to each class


def log_ratios(rows: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """(K,) log(p(value | class) / p(value)) of one value.

    Args:
        rows: (N,) bool, which lesions have the value.
        labels: (N,) class numbers.
        n_classes: K.
    """
    overall = rows.mean()
    found = np.bincount(labels[rows], minlength=n_classes)
    of_class = np.bincount(labels, minlength=n_classes)
    return np.log((found / overall + PSEUDO_COUNT) / (of_class + PSEUDO_COUNT))


def fact_offsets(seen: Predictions, lesions: Predictions, fact: str) -> np.ndarray:
    """(N, K) what a fact adds to the log-probabilities of N images, 0 where it is unknown or new.

    Args:
        seen: the N images.
        lesions: of the training split, one image each.
        fact: of `FACTS`.
    """
    n_classes = len(seen.classes)
    offsets = np.zeros((len(seen), n_classes))
    learnt = slice_rows(lesions, fact)
    for value, rows in slice_rows(seen, fact).items():
        if value != UNKNOWN_VALUE and value in learnt:
            offsets[rows] = log_ratios(learnt[value], lesions.labels, n_classes)
    return offsets


def compare(seen: Predictions, lesions: Predictions) -> list[dict]:
    """Scores of the image alone (no facts, share 0), then with each set of facts at each share."""
    offsets = {fact: fact_offsets(seen, lesions, fact) for fact in FACTS}
    rows = [{"facts": [], "share": 0.0, **view_scores(seen.labels, seen.probabilities)}]
    for facts in TRIED:
        added = sum(offsets[fact] for fact in facts)
        for share in SHARES:
            scores = view_scores(seen.labels, apply_offsets(seen.probabilities, share * added))
            rows.append({"facts": list(facts), "share": share, **scores})
    return rows


def label_lesions(frame: pd.DataFrame, classes: Sequence[str]) -> Predictions:
    """One labelled row a lesion, in the form that slices are taken from; its probabilities are not used."""
    uniform = {f"p_{code}": 1 / len(classes) for code in classes}
    return from_frame(frame.drop_duplicates("lesion_id").assign(**uniform))


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="folder of the data sets")
    data = parser.parse_args().data
    bundle = read_manifest()
    seen = read_predictions(RUNS_DIR / bundle.name / "validation_predictions.csv")
    lesions = label_lesions(read_split(data, "train", (HAM10000,)), seen.classes)
    record = {**bundle.stamp, "split": "validation", **describe_environment()}
    rows = compare(seen, lesions)
    PATIENT_FACTS_FILE.write_text(json.dumps(record | {"rows": rows}, indent=1) + "\n")
    print(pd.DataFrame(rows).round(4).to_string())


if __name__ == "__main__":
    main()
