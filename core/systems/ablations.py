"""Ablations: short runs that differ from a base run in one choice of training.

`training.report.results` writes them to training/results/ablations.csv. Needs no TensorFlow.
"""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from core.systems.evaluations import RESULTS_DIR

PREFIX = "ablation_"
CONTROL = "control_"  # longer runs that leave something out of the recipe that ships
ABLATIONS_FILE = RESULTS_DIR / "ablations.csv"
# The validation score that each task's comparison is about.
DECIDES = {"classification": "val_macro_auc", "segmentation": "val_dice"}
# The change in a few words, by the ending of the name; others go by the ending itself.
LABELS = {
    "seed": "Other seed",
    "balanced": "Classes drawn evenly",
    "instance": "Images drawn evenly",
    "camera": "Worse photographs",
    "crop": "Crops alone",
    "whole": "Whole images alone",
    "discriminative": "Rising learning rates",
    "focal": "Focal loss",
    "logit_adjustment": "Logit adjustment",
    "mask_channel": "Mask as 4th channel",
    "mask_head": "Mask as 2nd output",
    "no_artefacts": "No drawn artefacts",
    "smoothing": "Label smoothing",
    "unfreezing": "Head first",
    "bce": "Cross-entropy alone",
    "boundary": "Heavier border",
    "dice": "Dice alone",
    "focal_tversky": "Focal Tversky loss",
    "fusion": "Multi-scale fusion",
    "gates": "Attention gates",
    "scratch": "From scratch",
    "scratch_wide": "From scratch, wide",
    "wide": "Wider decoder",
}


class Ablation(NamedTuple):
    """One run of the comparison.

    Attributes:
        label: the change in a few words.
        change: the change in a sentence.
        score: its validation score that decides.
        difference: to the base's.
        low, high: 95 % interval of the difference, from the spread between runs that differ only in their seed; NaN if not known.
    """

    label: str
    change: str
    score: float
    difference: float
    low: float
    high: float

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def is_ablation(name: str) -> bool:
    """Whether a run of this name belongs to a comparison rather than to a system."""
    return name.startswith((PREFIX, CONTROL))


def ablation_label(name: str, task: str) -> str:
    """The change in a few words.

    >>> ablation_label("ablation_classification_no_mixup", "classification")
    'No mixup'
    """
    change = name.removeprefix(f"{PREFIX}{task}").strip("_")
    return LABELS.get(change) or change.replace("_", " ").capitalize()


def read_ablations(task: str, file: Path = ABLATIONS_FILE) -> list[Ablation]:
    """The runs of one task that of the comparison, best first; [] where there are none."""
    if not file.is_file():
        return []
    table = pd.read_csv(file)
    table = table[(table["task"] == task) & (table["name"] != f"{PREFIX}{task}")]
    return [
        Ablation(
            ablation_label(row.name, task),
            row.description,
            getattr(row, DECIDES[task]),
            row.difference,
            row.low,
            row.high,
        )
        for row in table.sort_values("difference", ascending=False).itertuples(index=False)
    ]
