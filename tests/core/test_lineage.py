"""Lineage: which runs stand behind a network, and how long they trained."""

import json
from pathlib import Path

import pytest

from core.lineage import runs_behind, training_cost


def write_run(
    folder: Path, seconds: int = 0, start_from: str = "", teachers=(), learn=(), **scores: list[str]
) -> None:
    folder.mkdir()
    lists = {name: value for name, value in (("teachers", teachers), ("learn", learn)) if value}
    config = {"start_from": start_from} | lists
    (folder / "config.json").write_text(json.dumps({"config": config}))
    (folder / "scores.json").write_text(json.dumps(scores))
    if seconds:
        (folder / "history.csv").write_text(f"epoch,seconds\n0,{seconds}\n1,{seconds}\n")


@pytest.fixture
def runs(tmp_path) -> Path:
    """The run "pair" joins soup and second; soup averages first and first_on, which began with first."""
    write_run(tmp_path / "first", seconds=1800)
    write_run(tmp_path / "first_on", seconds=3600, start_from="first")
    write_run(tmp_path / "second", seconds=900, learn=["train", "validation_a", "validation_a"])
    write_run(tmp_path / "unrelated", seconds=9999)
    # As training.average leaves it: the configuration is the second run's.
    write_run(tmp_path / "soup", start_from="first", average_of=["first", "first_on"])
    write_run(tmp_path / "pair", joined=["soup", "second"])
    return tmp_path


def test_every_run_behind_a_network_is_found_once(runs):
    assert runs_behind("pair", runs) == {"pair", "soup", "first", "first_on", "second"}
    assert runs_behind("first_on", runs) == {"first_on", "first"}


def test_teachers_stand_behind_what_they_taught(runs):
    write_run(runs / "taught", start_from="first", teachers=["second"])
    assert runs_behind("taught", runs) == {"taught", "first", "second"}


def test_hours_and_images_count_each_trained_run_once(runs):
    hours, images = training_cost(runs_behind("pair", runs), {"train": 100, "validation_a": 7}, runs)
    # Three runs of two epochs; one of them learned half of the validation lesions twice as often.
    assert (hours, images) == (pytest.approx(3.5), 6 * 100 + 2 * 2 * 7)


def test_an_epoch_of_several_passes_saw_the_images_so_often(runs):
    record = json.loads((runs / "first" / "config.json").read_text())
    record["config"]["passes"] = 3
    (runs / "first" / "config.json").write_text(json.dumps(record))
    assert training_cost({"first"}, {"train": 100}, runs)[1] == 2 * 3 * 100
