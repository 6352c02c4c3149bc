"""Run by test_reproducible: the short training with two workers, in the folder that is the argument."""

import multiprocessing
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from tests.training.test_reproducible import CONFIG, draw_split
from training.fit import run_folder, train_classification

WORKERS = 2


def main() -> None:
    arrays = draw_split()
    train_classification.load_split = lambda *arguments: arrays
    run_folder.WORK_DIR = Path(sys.argv[1])
    run_folder._summary_writer = lambda folder: None
    busy = []
    train = train_classification.train

    def look(*arguments):
        busy.append(len(multiprocessing.active_children()))
        return train(*arguments)

    train_classification.train = look
    arguments = SimpleNamespace(data=None, imagenet=None, limit=None, workers=WORKERS)
    train_classification.run_experiment(replace(CONFIG, name="helped"), arguments)
    left = len(multiprocessing.active_children())
    print(f"{busy[0]} workers, {left or 'none'} left")


if __name__ == "__main__":
    main()
