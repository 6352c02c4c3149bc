"""Expected errors of a command are one message; bugs keep their traceback."""

import sys

import numpy as np
import pytest

from core.datasets.ham10000 import DatasetError
from tests.drawn_dataset import MASKS, write_dataset
from training.command import exit_with_message
from training.fit import train_classification, train_segmentation
from training.measure import quality_thresholds


def run(error_maker) -> None:
    exit_with_message(error_maker)()


def refuse_dataset():
    raise DatasetError("No folder. Give --data DIR.")


def refuse_value():
    raise ValueError("`shares` must be positive; got -1.")


def break_numpy():
    np.zeros(3) @ np.zeros(4)


@pytest.mark.parametrize(("command", "said"), [(refuse_dataset, "No folder"), (refuse_value, "got -1")])
def test_expected_errors_are_one_message(command, said, monkeypatch, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(command)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error


def test_a_librarys_complaint_keeps_its_traceback():
    with pytest.raises(ValueError, match="mismatch"):
        run(break_numpy)


def test_a_folder_without_masks_gives_no_thresholds(tmp_path, capsys):
    write_dataset(tmp_path)
    for mask in (tmp_path / MASKS).iterdir():
        mask.unlink()
    with pytest.raises(SystemExit):
        quality_thresholds.main(tmp_path)
    assert "No image with an expert mask" in capsys.readouterr().err


def test_what_goes_well_is_left_alone(capsys):
    run(lambda: print("done"))
    assert capsys.readouterr().out == "done\n"


@pytest.mark.parametrize("command", [train_classification, train_segmentation])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--config", "absent"], "No configuration 'absent'"),
        (["--config", "ablation_{task}"], "Give --data DIR or set DERMALENS_DATA"),
        (["--config", "ablation_{task}", "--devices", "99"], "--devices` must be from 1 to"),
    ],
)
def test_training_says_what_is_missing(command, options, said, monkeypatch, capsys):
    task = command.__name__.rsplit("train_", 1)[1]
    monkeypatch.delenv("DERMALENS_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["train", *(option.format(task=task) for option in options)])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    assert stopped.value.code == 2 and said in capsys.readouterr().err
