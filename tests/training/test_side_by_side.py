"""Several trainings at once: the first alone until its first epoch, the dead started again, none forgotten."""

import os
import sys
from pathlib import Path

import pytest

from training import side_by_side
from training.side_by_side import MAX_STARTS, Trainer, make_trainer, train_all

WRITE_EPOCH = "open('{folder}/history.csv', 'w').close()"
# Notes when it began and whether the first had an epoch then.
NOTE = "import os; open('{folder}/seen.txt', 'a').write(str(os.path.exists('{first}/history.csv')) + '\\n')"


@pytest.fixture(autouse=True)
def runs(monkeypatch, tmp_path) -> Path:
    monkeypatch.setattr(side_by_side, "RUNS_DIR", tmp_path)
    monkeypatch.setattr(side_by_side, "LOOK_SECONDS", 0.01)
    return tmp_path


def trainer(runs: Path, name: str, code: str) -> Trainer:
    code = code.format(folder=runs / name, first=runs / "first")
    return Trainer(name, [sys.executable, "-c", code], dict(os.environ))


def test_the_others_begin_once_the_first_has_an_epoch(runs):
    trainers = [trainer(runs, "first", NOTE + "; import time; time.sleep(0.3); " + WRITE_EPOCH)]
    trainers += [trainer(runs, name, NOTE) for name in ("second", "third")]
    assert train_all(trainers) == []
    assert (runs / "first" / "seen.txt").read_text() == "False\n"
    assert [(runs / name / "seen.txt").read_text() for name in ("second", "third")] == ["True\n"] * 2
    assert [t.starts for t in trainers] == [1, 1, 1]


def test_a_process_that_dies_is_started_again(runs):
    # Dies until it has noted two starts.
    code = NOTE + "; assert len(open('{folder}/seen.txt').readlines()) == 2, 'too early'"
    [one] = trainers = [trainer(runs, "first", code)]
    assert train_all(trainers) == [] and one.starts == 2
    assert "too early" in (runs / "first" / "checkpoints" / "log.txt").read_text()


def test_one_that_always_dies_is_named_and_the_others_finish(runs):
    trainers = [trainer(runs, "first", "raise SystemExit(1)"), trainer(runs, "second", NOTE)]
    assert train_all(trainers) == ["first"]
    assert trainers[0].starts == MAX_STARTS and trainers[1].finished


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("segmentation_v2b0", "training.fit.train_segmentation"),
        ("classification_v2b0", "training.fit.train_classification"),
    ],
)
def test_each_configuration_gets_its_training_command(name, command, tmp_path):
    made = make_trainer(name, ["--workers", "4"], tmp_path)
    assert made.command[1:] == ["-m", command, "--config", name, "--workers", "4"]
    assert made.environment["JAX_COMPILATION_CACHE_DIR"] == str(tmp_path)
    assert made.environment["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"


def test_the_command_says_where_the_reason_is(runs, monkeypatch):
    dead = trainer(runs, "first", "raise SystemExit(1)")
    monkeypatch.setattr(side_by_side, "make_trainer", lambda *arguments: dead)
    monkeypatch.setattr(sys, "argv", ["side_by_side", "--configs", "first"])
    with pytest.raises(SystemExit, match=r"training/runs/first/checkpoints/log\.txt"):
        side_by_side.main()
