"""What a network's weights came from: the runs that it was averaged, joined, trained on or learned from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from core.systems.evaluations import RUNS_DIR


def merged_from(scores: dict[str, Any]) -> tuple[list[str], str]:
    """The runs that this one was made of without training, and how; none and "" for a trained one."""
    for key, how in (("average_of", "Mean of the weights of"), ("joined", "Mean of the logits of")):
        if parents := scores.get(key):
            return parents, f"{how} {' and '.join(parents)}."
    return [], ""


def runs_behind(name: str, runs_dir: Path = RUNS_DIR) -> set[str]:
    """The names of a run in training/runs/ and of all runs that its weights came from.

    Raises:
        OSError, ValueError: the record of one of them is missing or not whole.
    """
    folder = runs_dir / name
    scores = json.loads((folder / "scores.json").read_text())
    parents, _ = merged_from(scores)
    if not parents:
        config = json.loads((folder / "config.json").read_text()).get("config", {})
        parents = [before for before in (config.get("start_from"), *config.get("teachers", ())) if before]
    return {name}.union(*(runs_behind(parent, runs_dir) for parent in parents))


def training_cost(
    names: set[str], split_sizes: Mapping[str, int], runs_dir: Path = RUNS_DIR
) -> tuple[float, int]:
    """(hours that these runs trained, validation with them; images that they saw); of merged runs neither.

    Args:
        names: of runs in training/runs/.
        split_sizes: how many images there are in each split that a run may have learned.
        runs_dir: their folder.
    """
    hours, images = 0.0, 0
    for folder in (runs_dir / name for name in names):
        if (history := folder / "history.csv").is_file():
            seconds = pd.read_csv(history)["seconds"]
            config = json.loads((folder / "config.json").read_text())["config"]
            epoch = config.get("passes", 1) * sum(
                split_sizes[split] for split in config.get("learn", ["train"])
            )
            hours += float(seconds.sum()) / 3600
            images += len(seconds) * epoch
    return hours, images
