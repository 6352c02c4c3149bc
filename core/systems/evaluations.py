"""What ships under training/runs/: which evaluations there are, and their scores. Needs no TensorFlow."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.evaluation.predictions import Predictions, read_predictions
from core.settings import PROJECT_DIR

RUNS_DIR = PROJECT_DIR / "training" / "runs"
RESULTS_DIR = PROJECT_DIR / "training" / "results"
CONFIGS_DIR = PROJECT_DIR / "training" / "configs"
# Trainings write here; git does not follow it.
WORK_DIR = Path(os.environ.get("DERMALENS_WORK") or PROJECT_DIR / "work")
_SUFFIX = "_predictions.csv"


@dataclass(frozen=True)
class Evaluation:
    """One model on one split: where its predictions and its scores are."""

    run: str
    split: str
    predictions_file: Path

    @property
    def label(self) -> str:
        """Run and split."""
        return f"{self.run} · {self.split}"

    def read_threshold(self) -> float | None:
        """The decision threshold that its scores were computed at; None where the scores file does not say."""
        stated = self.read_scores().get("suspicious_at_threshold", {}).get("threshold")
        return None if stated is None else float(stated)

    def read_predictions(self) -> Predictions:
        """Its predictions, among the classes that it was scored by where its scores file names them.

        Raises:
            PredictionsError: see `core.evaluation.predictions.read_predictions`.
        """
        predictions = read_predictions(self.predictions_file)
        scored = self.read_scores().get("scored_classes")
        return predictions.restrict(scored) if scored else predictions

    def read_scores(self) -> dict[str, Any]:
        """The scores file that `training.measure.evaluate` wrote beside the predictions; {} without one."""
        path = self.predictions_file.with_name(f"{self.split}_scores.json")
        return json.loads(path.read_text()) if path.is_file() else {}


def list_evaluations(runs_dir: Path = RUNS_DIR) -> list[Evaluation]:
    """Every evaluated model and split, test splits first."""
    found = [
        Evaluation(path.parent.name, path.name.removesuffix(_SUFFIX), path)
        for path in runs_dir.glob(f"*/*{_SUFFIX}")
    ]
    return sorted(found, key=lambda e: (e.split != "test", e.run, e.split))
