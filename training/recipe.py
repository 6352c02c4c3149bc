"""The recipe of the weights that ship: seven commands from the raw data to a validated bundle.

    dermalens train recipe --data DIR [--imagenet WEIGHTS.h5]

Every network starts from ImageNet. A training that was stopped resumes; `--from STAGE` starts at a later
stage. The test split is not used: `make evaluate` evaluates it, once.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.datasets.ham10000 import default_data_dir
from models.manifest import SHIPPED_DIR
from training.command import exit_with_message


@dataclass(frozen=True)
class Stage:
    """One command of the recipe.

    Attributes:
        name: of the stage.
        module: whose `main` it calls.
        arguments: of the command, without those that all stages get.
        from_imagenet: whether its network starts from ImageNet weights.
        bundle: the argument that names the bundle's folder; "" for one that needs none.
    """

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    from_imagenet: bool = False
    bundle: str = ""


STAGES = (
    Stage("segmenter", "training.fit.train_segmentation", ("--config", "segmenter"), from_imagenet=True),
    Stage(
        "classifier-first",
        "training.fit.train_classification",
        ("--config", "classifier_first"),
        from_imagenet=True,
    ),
    Stage(
        "classifier-second",
        "training.fit.train_classification",
        ("--config", "classifier_second"),
        from_imagenet=True,
    ),
    Stage(
        "export",
        "training.bundle.export",
        ("--segmentation", "segmenter", "--classification", "classifier_first", "classifier_second"),
        bundle="--out",
    ),
    Stage("structures", "training.bundle.fit_structures", bundle="--bundle"),
    Stage("evaluate", "training.measure.evaluate", ("--split", "validation"), bundle="--bundle"),
    Stage("trust", "training.bundle.fit_trust", bundle="--bundle"),
)


def command_of(stage: Stage, data: Path | None, imagenet: str | None, bundle: Path) -> list[str]:
    """A stage's module and its arguments."""
    weights = ["--imagenet", imagenet] if stage.from_imagenet and imagenet else []
    where = [stage.bundle, str(bundle)] if stage.bundle else []
    found = ["--data", str(data)] if data else []  # without it, the stage says how to set it
    return [stage.module, *stage.arguments, *found, *weights, *where]


def run_in_process(command: Sequence[str]) -> None:
    """Run a command in a process of its own, which gives its memory back.

    Raises:
        SystemExit: it failed, with its exit status.
    """
    finished = subprocess.run([sys.executable, "-m", *command], check=False)
    if finished.returncode:
        raise SystemExit(finished.returncode)


def run(
    data: Path | None,
    imagenet: str | None = "imagenet",
    bundle: Path = SHIPPED_DIR,
    first: str = STAGES[0].name,
    execute: Callable[[Sequence[str]], None] = run_in_process,
) -> None:
    """Run the stages one after the other.

    Args:
        data: folder of the data sets; None where the environment names it.
        imagenet: weights file to start from, or "imagenet", which Keras downloads; None leaves it to the stages.
        bundle: folder that the bundle is written to.
        first: name of the stage to begin with.
        execute: runs one command.

    Raises:
        ValueError: there is no such stage.
    """
    names = [stage.name for stage in STAGES]
    if first not in names:
        raise ValueError(f"`first` must be one of {', '.join(names)}; got {first!r}.")
    for number, stage in enumerate(STAGES[names.index(first) :], start=names.index(first) + 1):
        print(f"{number} of {len(STAGES)}: {stage.name}", flush=True)
        execute(command_of(stage, data, imagenet, bundle))


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="folder of the data sets")
    parser.add_argument("--imagenet", default="imagenet", help="weights file; by default Keras downloads")
    parser.add_argument("--bundle", type=Path, default=SHIPPED_DIR, help="folder that the bundle goes to")
    parser.add_argument("--from", dest="first", default=STAGES[0].name, help="stage to begin with")
    a = parser.parse_args()
    run(a.data, a.imagenet, a.bundle, a.first)


if __name__ == "__main__":
    main()
