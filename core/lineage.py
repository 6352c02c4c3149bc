"""What a network's weights came from: the runs that it was averaged, joined, trained on or learned from."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from core.runs import RUNS_DIR


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


def training_cost(names: set[str], runs_dir: Path = RUNS_DIR) -> tuple[float, int]:
    """(hours, epochs) that these runs trained, validation with them; averaged and joined runs have no epochs."""
    files = [path for name in names if (path := runs_dir / name / "history.csv").is_file()]
    seconds = [pd.read_csv(path)["seconds"] for path in files]
    return sum(float(column.sum()) for column in seconds) / 3600, sum(map(len, seconds))
