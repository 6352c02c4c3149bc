"""Systems: a recipe with its bundle, its decision threshold and its evaluations under one name. Needs no TensorFlow.

`list_systems` finds them; `read_systems` reads how they compare, as `dermalens evaluate systems` measured it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from core.systems.evaluations import RESULTS_DIR, RUNS_DIR, Evaluation, list_evaluations
from models.manifest import BundleError, Manifest, list_bundles, read_manifest

SYSTEMS_FILE = RUNS_DIR / "systems.json"
MOBILE_FILE = RESULTS_DIR / "mobile.csv"
MAX_ANSWERS_CHANGED = 0.002  # share that networks of lower precision may change
# Score in the file, its heading. A score that a system does not have is NaN in the table.
SCORES = {
    "dice": "Dice",
    "jaccard": "Jaccard",
    "balanced_accuracy": "Balanced accuracy",
    "accuracy": "Accuracy",
    "macro_roc_auc": "Macro AUC",
    "suspicious_roc_auc": "Malignancy AUC",
    "suspicious_sensitivity": "Malignancy sensitivity",
    "suspicious_specificity": "Malignancy specificity",
}


@dataclass(frozen=True)
class System:
    """A bundle with its evaluations: what is chosen, evaluated and compared.

    Attributes:
        name: of its bundle and of the folder of its evaluations.
        title: for lists: what the bundle says about itself, else its name.
        manifest: of its bundle; None where only evaluations are left.
        evaluations: of this system, test split first.
    """

    name: str
    title: str
    manifest: Manifest | None
    evaluations: tuple[Evaluation, ...]

    def threshold(self, evaluation: Evaluation) -> float | None:
        """The decision threshold of one of its evaluations: the one it was scored at, else the bundle's, else None."""
        scored_at = evaluation.read_threshold()
        if scored_at is None and self.manifest is not None:
            return self.manifest.suspicious_threshold
        return scored_at


def list_systems(runs_dir: Path = RUNS_DIR, bundles: Sequence[Path] | None = None) -> list[System]:
    """Every system with a bundle or an evaluation: those with a bundle first, in the order of `list_bundles`.

    Args:
        runs_dir: where evaluations lie, a folder a system.
        bundles: folders of the bundles; those that cannot be read are left out. `list_bundles()` if None.
    """
    manifests: dict[str, Manifest] = {}
    for folder in list_bundles() if bundles is None else bundles:
        try:
            manifest = read_manifest(folder)
        except BundleError:
            continue
        manifests.setdefault(manifest.name, manifest)
    evaluations: dict[str, list[Evaluation]] = {}
    for one in list_evaluations(runs_dir):
        evaluations.setdefault(one.run, []).append(one)
    systems = []
    for name in dict.fromkeys([*manifests, *evaluations]):
        manifest = manifests.get(name)
        title = (manifest.description if manifest else "") or name
        systems.append(System(name, title, manifest, tuple(evaluations.get(name, ()))))
    return systems


# --- how they compare -------------------------------------------------------------------------------
@dataclass(frozen=True)
class SystemRecord:
    """One system on the test split.

    Attributes:
        title: what it is called.
        about: what it is, in a sentence.
        bundle: name of its bundle; None if its weights do not ship.
        cut: how its training was shortened; "" if it was not.
        scores: name in `SCORES` -> {"estimate", "low", "high"}, the last two a 95 % interval over lesions.
        parameters: of its networks.
        size_mb: of its weights in half precision.
        ms_per_image: median time its networks take for one image within the analysis.
    """

    title: str
    about: str
    bundle: str | None
    cut: str
    scores: dict[str, dict[str, float]]
    parameters: int
    size_mb: float
    ms_per_image: float


def read_systems(path: Path = SYSTEMS_FILE) -> list[SystemRecord]:
    """Every system of the file; none where it was not written yet."""
    if not path.is_file():
        return []
    fields = SystemRecord.__dataclass_fields__
    systems: list[dict[str, Any]] = json.loads(path.read_text())["systems"]
    return [SystemRecord(**{name: record[name] for name in fields}) for record in systems]


def systems_table(systems: list[SystemRecord]) -> pd.DataFrame:
    """One row a system, in the file's order: `System`, the scores, `Parameters`, `MB` and `ms an image`."""
    rows = [
        {
            "System": system.title,
            **{
                label: system.scores.get(name, {}).get("estimate", float("nan"))
                for name, label in SCORES.items()
            },
            "Parameters": system.parameters,
            "MB": system.size_mb,
            "ms an image": system.ms_per_image,
        }
        for system in systems
    ]
    return pd.DataFrame(rows, columns=["System", *SCORES.values(), "Parameters", "MB", "ms an image"])


def mobile_table(fingerprint: str, path: Path = MOBILE_FILE) -> pd.DataFrame:
    """The files for phones beside Keras, as `dermalens export-mobile` scored them; empty where it did not for these weights.

    Columns: `File`, `MB`, `Balanced accuracy`, `Macro AUC`, `Answers changed` (share) and `Images`.
    """
    columns = {
        "file": "File",
        "megabytes": "MB",
        "balanced_accuracy": SCORES["balanced_accuracy"],
        "macro_roc_auc": SCORES["macro_roc_auc"],
        "answers_changed": "Answers changed",
        "images": "Images",
    }
    if not path.is_file():
        return pd.DataFrame(columns=list(columns.values()))
    rows = pd.read_csv(path)
    return rows.loc[rows["fingerprint"] == fingerprint, list(columns)].rename(columns=columns)


def format_cell(column: str, value: Any) -> str:
    """A cell of `systems_table` as text; "–" for what a system does not have.

    >>> format_cell("Dice", 0.9384), format_cell("Parameters", 6_130_000), format_cell("Macro AUC", float("nan"))
    ('0.938', '6.1 M', '–')
    """
    if isinstance(value, str):
        return value
    if value != value:
        return "–"
    if column == "Parameters":
        return f"{value / 1e6:.1f} M"
    return f"{value:.3f}" if column in SCORES.values() else f"{value:.0f}"
