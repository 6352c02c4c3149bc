"""Train several configurations at the same time on one accelerator, which one alone leaves half idle.

    KERAS_BACKEND=jax python -m training.side_by_side --configs NAME NAME ... --data DIR [--workers 4]
        [--precision mixed_bfloat16] [--imagenet WEIGHTS.h5] [--compiled DIR]

Each is a process of its own, as if its training command had been given; its output goes to training/runs/<name>/
checkpoints/log.txt. The first starts alone, and the others once it has finished an epoch: what it compiled is in
--compiled by then, where they find it. A process that dies is started again and goes on from its last epoch.
Classifiers and segmenters may be mixed.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from core.datasets.ham10000 import default_data_dir
from core.systems.evaluations import RUNS_DIR
from training.command import in_words
from training.fit.engine import load_config
from training.fit.train_segmentation import SegmentationConfig

LOOK_SECONDS = 1.0
MAX_STARTS = 3
# Several processes share the accelerator's memory, each taking what it needs.
SHARED = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}


@dataclass
class Trainer:
    """One configuration's process: started when asked, and again when it died.

    Attributes:
        name: of the configuration.
        command: what trains it.
        environment: of the process.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    starts: int = 0
    process: subprocess.Popen | None = field(default=None, repr=False)

    @property
    def folder(self) -> Path:
        return RUNS_DIR / self.name

    @property
    def has_epoch(self) -> bool:
        return (self.folder / "history.csv").is_file()

    @property
    def finished(self) -> bool:
        return self.process is not None and self.process.poll() == 0

    @property
    def failed(self) -> bool:
        """Whether it died as often as it may."""
        return self.process is not None and bool(self.process.poll()) and self.starts >= MAX_STARTS

    def keep_going(self) -> None:
        """Start the process unless it runs, has finished or may not start again."""
        if self.process is not None and (self.process.poll() is None or self.finished or self.failed):
            return
        log = self.folder / "checkpoints" / "log.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as stream:
            self.process = subprocess.Popen(
                self.command, stdout=stream, stderr=subprocess.STDOUT, env=self.environment
            )
        self.starts += 1
        print(f"{self.name}: start {self.starts}", flush=True)


def train_all(trainers: list[Trainer]) -> list[str]:
    """Train until every process has finished or failed; returns the names of those that failed."""
    first, *others = trainers
    while not all(trainer.finished or trainer.failed for trainer in trainers):
        first.keep_going()
        if first.has_epoch or first.finished or first.failed:
            for other in others:
                other.keep_going()
        time.sleep(LOOK_SECONDS)
    return [trainer.name for trainer in trainers if trainer.failed]


def make_trainer(name: str, options: list[str], compiled: Path | None) -> Trainer:
    """The trainer of a configuration in training/configs/, with options of its training command."""
    task = "segmentation" if isinstance(load_config(name), SegmentationConfig) else "classification"
    command = [sys.executable, "-m", f"training.train_{task}", "--config", name, *options]
    cache = {"JAX_COMPILATION_CACHE_DIR": str(compiled)} if compiled else {}
    return Trainer(name, command, os.environ | SHARED | cache)


@in_words
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configs", nargs="+", required=True, help="names in training/configs/")
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="HAM10000 folder")
    parser.add_argument("--imagenet", default="imagenet", help="weights file; by default Keras downloads")
    parser.add_argument("--workers", default="1", help="processes of each that prepare batches")
    parser.add_argument("--precision", default="float32", help="or mixed_bfloat16")
    parser.add_argument("--compiled", type=Path, help="folder for what JAX compiles")
    a = parser.parse_args()
    options = ["--imagenet", a.imagenet, "--workers", a.workers, "--precision", a.precision]
    options += ["--data", str(a.data)] if a.data else []
    if failed := train_all([make_trainer(name, options, a.compiled) for name in a.configs]):
        logs = ", ".join(f"training/runs/{name}/checkpoints/log.txt" for name in failed)
        raise SystemExit(f"Died {MAX_STARTS} times; the reason is at the end of {logs}.")


if __name__ == "__main__":
    main()
