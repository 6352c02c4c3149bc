"""The folder of a training run below `WORK_DIR`, which git does not follow.

A run's folder holds
    config.json        the configuration, versions, hardware and command
    history.csv        one row an epoch: stage, learning rate, losses, validation scores, seconds
    scores.json        the best epoch with its validation scores, and the number of parameters
    checkpoints/       last.weights.h5 (with optimiser), average.weights.h5 and best.weights.h5
    tensorboard/       event files, where the tensorboard package is installed
What is worth keeping of a run goes to training/results/ and training/runs/.
"""

import dataclasses
import json
from collections.abc import Callable
from importlib import util
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from core.systems.evaluations import WORK_DIR
from training.fit.environment import describe_environment
from training.fit.hosts import host

BEST_WEIGHTS = Path("checkpoints") / "best.weights.h5"  # in a run's folder


def run_dir(name: str) -> Path:
    """Where the run of that name is written: below `DERMALENS_WORK`, or work/ in the project."""
    return WORK_DIR / name


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration that a run's folder records."""
    return json.loads((folder / "config.json").read_text())["config"]


class Run:
    """One training run and its folder; resumes where an earlier process stopped.

    A record whose checkpoints are not there, as in a fresh clone, belongs to a training on another machine: this one starts from the beginning.
    """

    def __init__(self, run_dir: Path, config: Any):
        self.dir = run_dir
        self.checkpoints = run_dir / "checkpoints"
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        self.history_file, self.scores_file = run_dir / "history.csv", run_dir / "scores.json"
        self.rows: list[dict[str, Any]] = []
        if self.history_file.is_file():
            if self.last_weights.is_file():
                self.rows = pd.read_csv(self.history_file).to_dict("records")
            else:
                print(f"{run_dir.name} has a record and no checkpoints: it is trained anew.")
        if host() == 0:
            record = {"config": dataclasses.asdict(config), **describe_environment()}
            (run_dir / "config.json").write_text(json.dumps(record, indent=1, default=str) + "\n")
        self.board = _summary_writer(run_dir / "tensorboard") if host() == 0 else None

    def best(self, monitor: str) -> tuple[float, int]:
        """(score, epoch) of the best epoch so far; (-inf, -1) before the first."""
        scores = [row[monitor] for row in self.rows]
        return (max(scores), int(np.argmax(scores))) if scores else (float("-inf"), -1)

    def out_of_patience(self, monitor: str, patience: int) -> bool:
        """Whether the last `patience` epochs brought no better score."""
        return bool(self.rows) and len(self.rows) - 1 - self.best(monitor)[1] >= patience

    def record(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        if host() > 0:
            return
        self.scores_file.unlink(missing_ok=True)  # what goes on has not finished
        pd.DataFrame(self.rows).to_csv(self.history_file, index=False)
        if self.board:
            self.board(row)
        print(
            "  ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in row.items()),
            flush=True,
        )

    def resume(self, model: keras.Model) -> None:
        """Load the last weights, optimiser and all, into a compiled model."""
        model.load_weights(self.last_weights)

    def write_scores(self, record: dict[str, Any]) -> None:
        """scores.json, the sign of a finished run: `best_epoch` with its scores, and whatever else is known."""
        if host() == 0:
            self.scores_file.write_text(json.dumps(record, indent=1) + "\n")

    @property
    def last_weights(self) -> Path:
        return self.checkpoints / "last.weights.h5"

    @property
    def average_weights(self) -> Path:
        return self.checkpoints / "average.weights.h5"

    @property
    def best_weights(self) -> Path:
        return self.dir / BEST_WEIGHTS


def _summary_writer(folder: Path) -> Callable[[dict], None] | None:
    """A function that logs a history row to TensorBoard, where TensorFlow and tensorboard are there."""
    if keras.backend.backend() != "tensorflow" or util.find_spec("tensorboard") is None:
        print("TensorBoard logs are off: the tensorboard package or the TensorFlow backend is missing.")
        return None
    import tensorflow as tf

    writer = tf.summary.create_file_writer(str(folder))

    def write(row: dict) -> None:
        with writer.as_default(step=int(row["epoch"])):
            for name, value in row.items():
                if isinstance(value, float):
                    tf.summary.scalar(name, value)
        writer.flush()

    return write
