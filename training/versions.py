"""The versions of the shipped bundle side by side, from what was measured about each.

training/runs/<bundle>/ holds the records of the version in use, training/runs/<bundle>_v<number>/ those of
others: scores by `training.evaluate`, robustness by `training.robustness`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from core.runs import RUNS_DIR
from models.manifest import SHIPPED_DIR, read_manifest
from training.markdown import markdown_table

VERSIONS_HEADING = """## Every version of the bundle that was measured

Validation / test split, by `python -m training.evaluate`. Each version was made on the training and validation
splits and looked at once on the test split, in this order. That a later version than the one in use does not ship
was decided with its test scores known; README.md says why.
"""
VERSION_SCORES = {
    "macro AUC": "macro_roc_auc",
    "balanced accuracy": "balanced_accuracy",
    "accuracy": "accuracy",
    "log loss": "log_loss",
    "melanoma AUC": "roc_auc_mel",
}
ROBUSTNESS_HEADING = """## What worse photographs take from an answer

Points of balanced accuracy / of Dice lost, mean over five severities, on {n_images} images of the validation
split, one view each, by `python -m training.robustness`. A corruption marked * was drawn on training images of the
last version in the table.
"""


def read_versions(runs_dir: Path = RUNS_DIR) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(validation, test) scores of every version of the shipped bundle that was measured, oldest first."""
    name = read_manifest(SHIPPED_DIR).name
    found = []
    for path in runs_dir.glob(f"{name}*/test_scores.json"):
        validation = path.with_name("validation_scores.json")
        if validation.is_file():
            found.append(tuple(json.loads(file.read_text()) for file in (validation, path)))
    return sorted(found, key=lambda pair: int(pair[1]["version"]))


def render_versions(versions: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    """Markdown section of the bundle's versions; the one in models/weights is marked."""
    shipped = read_manifest(SHIPPED_DIR).fingerprint
    rows = []
    for splits in versions:
        version, fingerprint = splits[-1]["version"], splits[-1]["fingerprint"]
        found = [[split["classification_detail"][key] for split in splits] for key in VERSION_SCORES.values()]
        found.append([split["segmentation"]["dice"]["estimate"] for split in splits])
        cells = [" / ".join(f"{value:.3f}" for value in values) for values in found]
        rows.append([version, "yes" if fingerprint == shipped else "", *cells])
    table = markdown_table(["version", "ships", *VERSION_SCORES, "Dice"], rows)
    return f"{VERSIONS_HEADING}\n{table}\n"


def read_robustness(runs_dir: Path = RUNS_DIR) -> list[dict[str, Any]]:
    """The records of every version whose robustness was measured on the images of the latest, oldest first."""
    paths = runs_dir.glob(f"{read_manifest(SHIPPED_DIR).name}*/robustness.json")
    records = sorted((json.loads(path.read_text()) for path in paths), key=lambda r: int(r["version"]))
    return [
        r for r in records if (r["seed"], r["n_images"]) == (records[-1]["seed"], records[-1]["n_images"])
    ]


def render_robustness(records: Sequence[dict[str, Any]]) -> str:
    """Markdown section: a row a corruption, a column a version."""
    learned = records[-1].get("learned", [])
    losses = {record["version"]: _mean_losses(record) for record in records}
    rows = [
        [
            name + " *" * (name in learned),
            *(f"{by[name][0]:.1f} / {by[name][1]:.1f}" for by in losses.values()),
        ]
        for name in next(iter(losses.values()))
    ]
    table = markdown_table(["corruption", *(f"version {version}" for version in losses)], rows)
    return f"{ROBUSTNESS_HEADING.format(n_images=records[-1]['n_images'])}\n{table}\n"


def _mean_losses(record: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Mean points of balanced accuracy and of Dice lost by corruption, and in all of them."""
    keys = ["balanced_accuracy_loss", "dice_loss"]
    table = pd.DataFrame(
        {"corruption": row["corruption"], **{key: 100 * row[key]["estimate"] for key in keys}}
        for row in record["corruptions"]
    )
    means = table.groupby("corruption", sort=False)[keys].mean()
    means.loc["mean of all"] = table[keys].mean()
    return {name: tuple(values) for name, values in means.iterrows()}
