"""The records of training runs, finished or under way: what `training.fit.run_folder` writes. Needs no TensorFlow.

A run's folder holds config.json (configuration, command, versions); from the end of its first epoch on,
history.csv with one row an epoch; and scores.json when it has ended. Any of them may be incomplete when it is
read: only complete records count.
"""

import json
import time
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from core.systems.evaluations import RESULTS_DIR, RUNS_DIR, WORK_DIR
from models.manifest import Manifest

Kind = Literal["classification", "segmentation"]
State = tuple[tuple[str, int, int, int], ...]
Status = Literal["finished", "stopped early", "running", "interrupted"]

# The score that decides which epoch is best, where a run's configuration names none.
MONITORS: dict[Kind, str] = {"classification": "val_balanced_accuracy", "segmentation": "val_dice"}
# What the command of a run holds: by its module, and as `dermalens` has it.
COMMANDS: dict[Kind, tuple[str, str]] = {
    "classification": ("train_classification", "train classifier"),
    "segmentation": ("train_segmentation", "train segmenter"),
}
BENCHMARK_NAME = "benchmark.json"
NOT_SCORES = ("epoch", "stage", "learning_rate", "seconds")
FILES = ("config.json", "history.csv", "scores.json")
TITLES = {
    "segmenter": "Segmenter",
    "classifier_first": "First classifier",
    "classifier_second": "Second classifier",
    "classic_efficientnet": "EfficientNet, dense head",
    "classic_cnn_128": "Plain CNN, 128 px",
    "classic_binary_cnn_224": "Binary CNN, 224 px",
    "classic_unet_224": "U-Net, 224 px",
    "classic_unet_256": "U-Net, 256 px",
    "classic_unet_64_512": "Wide U-Net, 96 px",
}
# A run counts as running for this long after its files changed, or for three of its epochs if that is
# longer; a first epoch, whose length is not known yet, has taken more than half an hour on two busy cores.
PATIENCE_S = 2 * 3600


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """One run's folder as it is now.

    Attributes:
        name: of the folder.
        record: config.json; {} where it is missing or not whole.
        history: one row a finished epoch, in order; no rows before the first one ended.
        changed_at: when its files changed last, in seconds since 1970.
        scores: scores.json, the sign of a run that ended; {} before.
    """

    name: str
    record: dict[str, Any]
    history: pd.DataFrame
    changed_at: float
    scores: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its readable name."""
        return run_title(self.name)

    @property
    def config(self) -> dict[str, Any]:
        config = self.record.get("config")
        return config if isinstance(config, dict) else {}

    @property
    def command(self) -> str:
        """How it was started; "" where the record does not say."""
        return str(self.record.get("command", ""))

    @property
    def parameters(self) -> int | None:
        """Of the network; None before it has ended, and for older runs, which did not record it."""
        return self.scores.get("parameters")

    @cached_property
    def kind(self) -> Kind | None:
        """What was trained, by its scores, else by its command; None if neither tells."""
        scored = {*self.history, *self.scores.get("best_epoch", {})}
        for kind, monitor in MONITORS.items():
            if monitor in scored or any(name in self.command for name in COMMANDS[kind]):
                return kind
        return None

    @property
    def monitor(self) -> str | None:
        """The score that decides which epoch is best; None for a run of an unknown kind."""
        return self.config.get("monitor", MONITORS.get(self.kind))

    @property
    def score_names(self) -> list[str]:
        """Columns of the history that hold a loss or a score."""
        return [name for name in self.history if name not in NOT_SCORES]

    @property
    def epochs(self) -> int:
        """How many are finished."""
        return len(self.history)

    @property
    def planned_epochs(self) -> int:
        """How many the configuration asks for; 0 where it does not say."""
        return sum(int(stage.get("epochs", 0)) for stage in self.config.get("stages", []))

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far, from its last record on; None where nothing tells."""
        if not (self.epochs and self.planned_epochs):
            return None
        return self.seconds / self.epochs * (self.planned_epochs - self.epochs)

    @property
    def share_done(self) -> float | None:
        """Of its epochs, in [0, 1]; None where nothing tells how many there are."""
        return self.epochs / self.planned_epochs if self.planned_epochs else None

    @property
    def best(self) -> dict[str, Any] | None:
        """Its scores in the epoch that is kept; None without any.

        That is the history's row with the highest monitored score, the first of equals, or the last row where the
        configuration says so.
        """
        monitor = self.monitor
        if monitor not in self.history or self.history[monitor].isna().all():
            return None
        kept = -1 if self.config.get("keep_last") else int(self.history[monitor].argmax())
        return self.history.iloc[kept].to_dict()

    @property
    def seconds(self) -> float:
        """Wall time of the finished epochs; NaN where none is."""
        return float(self.history["seconds"].sum()) if self.epochs else float("nan")

    def status(self, now: float | None = None) -> Status:
        """Whether it reached its last epoch, stopped early, is running, or was interrupted."""
        if self.epochs >= self.planned_epochs > 0:
            return "finished"
        if self._out_of_patience():
            return "stopped early"
        if self.scores:
            return "finished"
        longest_s = float(self.history["seconds"].max()) if self.epochs else 0.0
        idle_s = (time.time() if now is None else now) - self.changed_at
        return "running" if idle_s < max(PATIENCE_S, 3 * longest_s) else "interrupted"

    def _out_of_patience(self) -> bool:
        best, patience = self.best, self.config.get("patience")
        return bool(best and patience and self.history["epoch"].iloc[-1] - best["epoch"] >= patience)

    def stages(self) -> list[tuple[int, str, str]]:
        """(first epoch counted from 0, name, frozen_until) of each stage that has begun or comes next."""
        found, start = [], 0
        for stage in self.config.get("stages", []):
            found.append((start, str(stage.get("name", "")), str(stage.get("frozen_until", ""))))
            start += int(stage.get("epochs", 0))
        return [stage for stage in found if stage[0] <= self.epochs]


def run_title(name: str) -> str:
    """A readable name for a run.

    >>> run_title("classic_cnn_128"), run_title("my_own_run")
    ('Plain CNN, 128 px', 'My own run')
    """
    return TITLES.get(name) or name.replace("_", " ").capitalize()


# --- reading ----------------------------------------------------------------------------------------
def runs_state(*runs_dirs: Path) -> State:
    """The folder and the change times of `FILES` of every run: differs when anything was written.

    Times are in nanoseconds, 0 for a file that is not there. A folder without any, such as an evaluation's,
    is no run. Without `runs_dirs`, those of the repository and of trainings under way.
    """
    state = [
        (str(folder), *(_changed_ns(folder / file) for file in FILES))
        for runs_dir in runs_dirs or (RUNS_DIR, WORK_DIR)
        for folder in sorted(runs_dir.glob("*/"))
    ]
    return tuple(entry for entry in state if any(entry[1:]))


def read_runs(*runs_dirs: Path) -> list[TrainingRun]:
    """Every training run, by folder and name; what a damaged file holds is left empty.

    Folders are those of `runs_state`; of two runs of one name the one in the later folder counts.
    """
    runs = (_read_run(Path(folder), max(changed) / 1e9) for folder, *changed in runs_state(*runs_dirs))
    return list({run.name: run for run in runs}.values())


def _read_run(folder: Path, changed_at: float) -> TrainingRun:
    record, scores = _read_record(folder / "config.json"), _read_record(folder / "scores.json")
    return TrainingRun(folder.name, record, read_history(folder / "history.csv"), changed_at, scores)


def read_history(path: Path) -> pd.DataFrame:
    """The whole rows of a history.csv; a last line still being written is left out.

    Returns:
        Columns `epoch`, `stage`, `learning_rate`, `loss`, scores and `seconds`; no rows, and perhaps no
        columns, where nothing can be read yet.
    """
    whole, newline, _ = _read_text(path).rpartition("\n")
    try:
        frame = pd.read_csv(StringIO(whole + newline), on_bad_lines="skip")
    except ValueError:  # nothing there yet
        return pd.DataFrame()
    if not {"epoch", "seconds"} <= set(frame):
        return pd.DataFrame()
    for name in set(frame) - {"stage"}:
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    return frame.dropna(subset=["epoch"]).astype({"epoch": int}).reset_index(drop=True)


def read_analysis_seconds(results_dir: Path = RESULTS_DIR) -> float | None:
    """How long one analysis took when `make bench` measured it; None where it has not."""
    return _read_record(results_dir / BENCHMARK_NAME).get("analysis_seconds")


def _read_record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(_read_text(path))
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # not there, or replaced between looking and reading
        return ""


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


# --- tables -----------------------------------------------------------------------------------------
def config_differences(runs: list[TrainingRun]) -> pd.DataFrame:
    """Settings in which runs differ, or all settings of a single run, as text.

    One row a setting, such as `augmentation.zoom` or `stages.head`, and one column a run.

    "–" stands for a setting that the run's record does not have.
    """
    flat = {run.title: _flatten({k: v for k, v in run.config.items() if k != "name"}) for run in runs}
    names = list(dict.fromkeys(name for settings in flat.values() for name in settings))
    rows = {name: [settings.get(name, "–") for settings in flat.values()] for name in names}
    differing = {name: values for name, values in rows.items() if len(set(values)) > 1 or len(runs) == 1}
    return pd.DataFrame.from_dict(differing, orient="index", columns=list(flat))


def _flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):  # stages
            flat |= {f"{prefix}{name}.{item.get('name', n)}": _to_text(item) for n, item in enumerate(value)}
        else:
            flat[f"{prefix}{name}"] = _to_text(value)
    return flat


def _to_text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_to_text(item)}" for name, item in value.items() if name != "name")
    if isinstance(value, list):
        return ", ".join(map(_to_text, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value == "" else str(value)


def shipped_runs(manifest: Manifest) -> set[str]:
    """The runs that trained a bundle's networks, as its manifest names them."""
    found: set[str] = set()
    for entry in (manifest.segmenter, manifest.classifier):
        found.update(entry.record.get("training_runs") or filter(None, [entry.record.get("training_run")]))
    return found
