"""Short runs that differ from a base run in one thing: which way each choice of training points.

The base is the run `ablation_<task>`, the others are named `ablation_<task>_<change>`. Needs no TensorFlow.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

PREFIX = "ablation_"
# The validation score that each task's comparison is about.
DECIDES = {"classification": "val_macro_auc", "segmentation": "val_dice"}


class Ablation(NamedTuple):
    """One run of the comparison.

    Attributes:
        name: of the run.
        change: what it does otherwise, in a sentence; the base says what all have in common.
        scores: of its best epoch on the validation split, by name.
        gain: its score that decides less the base's; 0 for the base, None where there is no base.
    """

    name: str
    change: str
    scores: dict[str, float]
    gain: float | None


def is_ablation(name: str) -> bool:
    """Whether a run of this name belongs to a comparison rather than to a system."""
    return name.startswith(PREFIX)


def list_ablations(runs: Sequence[dict[str, Any]], task: str, score: str) -> list[Ablation]:
    """The comparison of one task: its base, the base with other random numbers, then best first by `score`.

    Args:
        runs: as in training/RESULTS.json; see `training.report.results`.
        task: "classification" or "segmentation".
        score: the validation score that decides, such as "val_macro_auc".
    """
    base_name = PREFIX + task
    family = {run["name"]: run for run in runs if run["name"].startswith(base_name)}
    base = family.get(base_name)
    order = {base_name: 0, f"{base_name}_seed": 1}
    ordered = sorted(family.values(), key=lambda run: (order.get(run["name"], 2), -run["scores"][score]))
    return [
        Ablation(
            run["name"],
            run["description"],
            run["scores"],
            run["scores"][score] - base["scores"][score] if base else None,
        )
        for run in ordered
    ]
