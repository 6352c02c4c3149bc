"""The versions of the shipped bundle side by side, from what was measured about each.

training/runs/<bundle>/ holds the records of the version in use, training/runs/<bundle>_v<number>/ those of
others: scores by `training.measure.evaluate`, robustness by `training.measure.robustness`.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.evaluation.metrics import classification_scores
from core.evaluation.predictions import read_predictions
from core.systems.evaluations import RUNS_DIR
from models.manifest import SHIPPED_DIR, read_manifest
from training.report.markdown import markdown_table

VERSIONS_HEADING = """## Every version of the bundle that was measured

Validation / test split, by `python -m training.measure.evaluate`. Each version was made on the training and validation
splits and looked at once on the test split, in this order. That versions 6 and 10 do not ship was decided with their
test scores known, that the others do before they were; HISTORY.md says why. Versions from 11 on have learned the
validation images, version 19 with its segmenter alone; those are answered by the networks behind them that have not.
Version 18 has version 17's classifier, version 19 version 18's segmenter, whose answers to the validation images are on
record. The last row is what an ensemble of all before version 11 would answer there, by the mean of their probabilities.
"""
FIRST_THAT_LEARNED_VALIDATION = 11
VERSION_SCORES = {
    "macro AUC": "macro_roc_auc",
    "balanced accuracy": "balanced_accuracy",
    "accuracy": "accuracy",
    "log loss": "log_loss",
    "melanoma AUC": "roc_auc_mel",
}
ROBUSTNESS_HEADING = """## Answers to worse photographs

Balanced accuracy / Dice, mean over five severities, on the same {n_images} images of the validation split (few:
differences of some points may be chance), one view each, by `python -m training.measure.robustness`. A corruption marked *
was drawn on training images of the last version in the table. Version 18's balanced accuracy is version 17's,
version 19's Dice version 18's.
"""


def _folders(runs_dir: Path) -> dict[int | None, Path]:
    """Version -> folder of its records; None is the version in use."""
    name = read_manifest(SHIPPED_DIR).name
    matches = (
        (re.fullmatch(rf"{name}(?:_v(\d+))?", folder.name), folder) for folder in runs_dir.glob(f"{name}*/")
    )
    return {match[1] and int(match[1]): folder for match, folder in matches if match}


def read_versions(runs_dir: Path = RUNS_DIR) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(validation, test) scores of every version of the shipped bundle that was measured, oldest first."""
    found = []
    for folder in _folders(runs_dir).values():
        files = [folder / f"{split}_scores.json" for split in ("validation", "test")]
        if all(file.is_file() for file in files):
            found.append(tuple(json.loads(file.read_text()) for file in files))
    return sorted(found, key=lambda pair: int(pair[1]["version"]))


def read_together(runs_dir: Path = RUNS_DIR) -> tuple[list[int], dict[str, float]] | None:
    """(versions that have not learned the validation split, scores of their mean probabilities there); None of none.

    Their files must list the same images in the same order, as `training.measure.evaluate` writes them.
    """
    files = {
        number: folder / "validation_predictions.csv"
        for number, folder in _folders(runs_dir).items()
        if number and number < FIRST_THAT_LEARNED_VALIDATION
    }
    numbers = sorted(number for number, file in files.items() if file.is_file())
    if not numbers:
        return None
    answers = [read_predictions(files[number]) for number in numbers]
    mean = np.mean([each.probabilities for each in answers], axis=0)
    return numbers, classification_scores(answers[0].labels, mean, answers[0].classes)


def render_versions(
    versions: Sequence[tuple[dict[str, Any], dict[str, Any]]],
    together: tuple[list[int], dict[str, float]] | None = None,
) -> str:
    """Markdown section of the bundle's versions, the one in models/weights marked, and of `read_together`."""
    shipped = read_manifest(SHIPPED_DIR).fingerprint
    rows = []
    for splits in versions:
        version, fingerprint = splits[-1]["version"], splits[-1]["fingerprint"]
        found = [[split["classification_detail"][key] for split in splits] for key in VERSION_SCORES.values()]
        found.append([split["segmentation"]["dice"]["estimate"] for split in splits])
        cells = [" / ".join(f"{value:.3f}" for value in values) for values in found]
        rows.append([version, "yes" if fingerprint == shipped else "", *cells])
    if together:
        numbers, scores = together
        cells = [f"{scores[key]:.3f} / –" for key in VERSION_SCORES.values()]
        rows.append([f"{numbers[0]} to {numbers[-1]} together", "", *cells, "–"])
    table = markdown_table(["version", "ships", *VERSION_SCORES, "Dice"], rows)
    return f"{VERSIONS_HEADING}\n{table}\n"


def read_robustness(runs_dir: Path = RUNS_DIR) -> list[dict[str, Any]]:
    """The records of every version whose robustness was measured on the images of the latest, oldest first."""
    paths = [folder / "robustness.json" for folder in _folders(runs_dir).values()]
    found = [json.loads(path.read_text()) for path in paths if path.is_file()]
    records = sorted(found, key=lambda r: int(r["version"]))
    return [
        r for r in records if (r["seed"], r["n_images"]) == (records[-1]["seed"], records[-1]["n_images"])
    ]


def render_robustness(records: Sequence[dict[str, Any]]) -> str:
    """Markdown section: a row a corruption, a column a version."""
    learned = records[-1].get("learned", [])
    scores = {record["version"]: _mean_scores(record) for record in records}
    rows = [
        [
            name + " *" * (name in learned),
            *(" / ".join(f"{v:.3f}" for v in by[name]) for by in scores.values()),
        ]
        for name in next(iter(scores.values()))
    ]
    table = markdown_table(["corruption", *(f"version {version}" for version in scores)], rows)
    return f"{ROBUSTNESS_HEADING.format(n_images=records[-1]['n_images'])}\n{table}\n"


def _mean_scores(record: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Balanced accuracy and Dice on the clean images, by corruption, and in the mean of all of them."""
    keys = ["balanced_accuracy", "dice"]
    table = pd.DataFrame(record["corruptions"])
    means = table.groupby("corruption", sort=False)[keys].mean()
    means.loc["mean of all"] = table[keys].mean()
    clean = {"none": tuple(record["clean"][key] for key in keys)}
    return clean | {name: tuple(values) for name, values in means.iterrows()}
