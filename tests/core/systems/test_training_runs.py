"""Records of training runs, whole and half-written."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from core.systems.training_runs import (
    PATIENCE_S,
    TrainingRun,
    config_differences,
    read_analysis_seconds,
    read_history,
    read_runs,
    run_title,
    runs_state,
    shipped_runs,
)
from tests.fakes import fake_manifest

HEADER = "epoch,stage,learning_rate,loss,val_dice,seconds\n"
ROW = "0,all,0.001,0.5,0.8,60.0\n"
CONFIG = {
    "name": "a",
    "model": {"size": 64, "attention": True},
    "stages": [
        {"name": "head", "epochs": 1, "learning_rate": 0.001, "frozen_until": "features"},
        {"name": "all", "epochs": 3, "learning_rate": 0.0005, "frozen_until": ""},
    ],
    "patience": 2,
}


def make_run(dices: list[float], config: dict = CONFIG, changed_at: float = 0.0) -> TrainingRun:
    """A segmentation run with one epoch of 60 s for each Dice."""
    history = pd.DataFrame(
        {"epoch": range(len(dices)), "loss": 0.5, "val_dice": dices, "seconds": 60.0},
    )
    return TrainingRun("a", {"config": config, "command": "train_segmentation"}, history, changed_at)


def write_run(folder: Path, history: str | None = HEADER + ROW, config: dict | None = CONFIG) -> None:
    folder.mkdir()
    if history is not None:
        (folder / "history.csv").write_text(history)
    if config is not None:
        command = f"python -m training.fit.train_segmentation --config {folder.name}"
        (folder / "config.json").write_text(json.dumps({"config": config, "command": command}))


# --- reading


def test_a_history_is_read_with_its_types(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(HEADER + ROW + "1,last block,0.0005,0.4,,61\n")
    history = read_history(path)
    assert history["epoch"].tolist() == [0, 1]
    assert history["stage"].tolist() == ["all", "last block"]
    assert history["val_dice"].isna().tolist() == [False, True]
    assert history["seconds"].sum() == 121


@pytest.mark.parametrize("end", range(len("1,all,0.001,0.4,0.9,61.25")))
def test_a_line_still_being_written_is_left_out(tmp_path, end):
    path = tmp_path / "history.csv"
    path.write_text(HEADER + ROW + "1,all,0.001,0.4,0.9,61.25"[: end + 1])
    assert read_history(path)["epoch"].tolist() == [0]


@pytest.mark.parametrize("text", ["", "\n", "epoch,sta", HEADER.strip(), "no,such\n1,2\n", "\x00\xff\n"])
def test_a_file_without_a_whole_row_has_no_rows(tmp_path, text):
    path = tmp_path / "history.csv"
    path.write_text(text, encoding="latin-1")
    assert len(read_history(path)) == 0
    assert len(read_history(tmp_path / "missing.csv")) == 0


def test_folders_that_hold_no_run_are_passed_over(tmp_path):
    write_run(tmp_path / "b")
    write_run(tmp_path / "a", history=None)
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "test_scores.json").write_text("{}")
    (tmp_path / "benchmark.json").write_text("{}")
    assert [run.name for run in read_runs(tmp_path)] == ["a", "b"]
    assert read_runs(tmp_path / "nowhere") == []


def test_a_run_that_is_made_again_stands_for_the_one_on_record(tmp_path):
    for folder, config in (("runs", CONFIG), ("work", CONFIG | {"seed": 7})):
        (tmp_path / folder).mkdir()
        write_run(tmp_path / folder / "a", config=config)
    [run] = read_runs(tmp_path / "runs", tmp_path / "work")
    assert run.config["seed"] == 7


@pytest.mark.parametrize("text", ["", '{"config": {"na', "[1, 2]", '{"config": null}', '{"config": [1]}'])
def test_a_damaged_record_leaves_the_curves(tmp_path, text):
    write_run(tmp_path / "a")
    (tmp_path / "a" / "config.json").write_text(text)
    [run] = read_runs(tmp_path)
    assert (run.kind, run.epochs, run.planned_epochs, run.config, run.stages()) == (
        "segmentation",
        1,
        0,
        {},
        [],
    )


def test_the_state_changes_when_a_run_writes(tmp_path):
    write_run(tmp_path / "a")
    before = runs_state(tmp_path)
    assert runs_state(tmp_path) == before
    file = tmp_path / "a" / "history.csv"
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
    assert runs_state(tmp_path) != before
    before = runs_state(tmp_path)
    (tmp_path / "a" / "scores.json").write_text("{}")
    assert runs_state(tmp_path) != before


def test_parameters_come_from_the_scores_file(tmp_path):
    write_run(tmp_path / "a")
    [run] = read_runs(tmp_path)
    assert run.parameters is None
    (tmp_path / "a" / "scores.json").write_text('{"parameters": 123}')
    [run] = read_runs(tmp_path)
    assert run.parameters == 123


def test_the_time_of_an_analysis_is_the_benchmarks(tmp_path):
    assert read_analysis_seconds(tmp_path) is None
    (tmp_path / "benchmark.json").write_text('{"analysis_seconds": 0.5}')
    assert read_analysis_seconds(tmp_path) == 0.5


# --- what a run is


def test_the_kind_follows_from_scores_or_command():
    empty = pd.DataFrame()
    assert make_run([0.8]).kind == "segmentation"
    for command in ("python -m training.fit.train_classification", "dermalens train classifier --config a"):
        assert TrainingRun("a", {"command": command}, empty, 0).kind == "classification"
    assert TrainingRun("a", {}, empty, 0).kind is None


def test_the_best_epoch_is_the_first_with_the_highest_monitored_score():
    assert make_run([0.8, 0.9, 0.9, 0.7]).best["epoch"] == 1
    assert make_run([]).best is None
    assert make_run([float("nan")]).best is None


def test_the_last_epoch_is_shown_where_it_is_kept():
    assert make_run([0.8, 0.9, 0.7], CONFIG | {"keep_last": True}).best["epoch"] == 2
    assert make_run([], CONFIG | {"keep_last": True}).best is None


def test_planned_epochs_and_seconds_are_sums():
    run = make_run([0.8, 0.9])
    assert (run.planned_epochs, run.epochs, run.seconds) == (4, 2, 120)
    assert (run.seconds_left, run.share_done) == (120, 0.5)
    assert (make_run([]).seconds_left, make_run([]).share_done) == (None, 0)
    assert make_run([0.8], {}).share_done is None
    assert make_run([]).seconds != make_run([]).seconds  # NaN


def test_stages_begin_where_the_one_before_ends():
    assert make_run([]).stages() == [(0, "head", "features")]
    assert make_run([0.8]).stages() == [(0, "head", "features"), (1, "all", "")]


@pytest.mark.parametrize(
    ("dices", "idle_s", "status"),
    [
        ([0.7, 0.8, 0.9, 0.95], 0, "finished"),
        ([0.7, 0.8], 0, "running"),
        ([0.7, 0.8], PATIENCE_S + 1, "interrupted"),
        ([0.9, 0.8, 0.7], 0, "stopped early"),  # two epochs without a better score, patience 2
        ([0.9, 0.8], 0, "running"),
        ([], 0, "running"),
        ([], PATIENCE_S + 1, "interrupted"),
    ],
)
def test_status(dices, idle_s, status):
    assert make_run(dices, changed_at=1000).status(now=1000 + idle_s) == status


def test_long_epochs_are_waited_for():
    run = make_run([0.8])
    slow = replace(run, history=run.history.assign(seconds=PATIENCE_S))
    assert slow.status(now=2.9 * PATIENCE_S) == "running"
    assert slow.status(now=3.1 * PATIENCE_S) == "interrupted"


# --- tables


def test_only_differing_settings_are_listed():
    other = CONFIG | {"name": "b", "model": {"size": 96, "attention": True}, "mixup": 0.3}
    table = config_differences([make_run([]), replace(make_run([], other), name="b")])
    assert table.to_dict("index") == {
        "model.size": {"A": "64", "B": "96"},
        "mixup": {"A": "–", "B": "0.3"},
    }


def test_a_changed_stage_is_named():
    stages = [CONFIG["stages"][0], CONFIG["stages"][1] | {"epochs": 9}]
    other = replace(make_run([], CONFIG | {"stages": stages}), name="b")
    table = config_differences([make_run([]), other])
    assert list(table.index) == ["stages.all"]
    assert table.loc["stages.all", "B"] == "epochs 9, learning_rate 0.0005, frozen_until none"


def test_a_single_run_lists_all_its_settings():
    table = config_differences([make_run([])])
    assert table["A"].to_dict() == {
        "model.size": "64",
        "model.attention": "yes",
        "stages.head": "epochs 1, learning_rate 0.001, frozen_until features",
        "stages.all": "epochs 3, learning_rate 0.0005, frozen_until none",
        "patience": "2",
    }


def test_equal_runs_differ_in_nothing():
    assert config_differences([make_run([]), replace(make_run([]), name="b")]).empty
    assert config_differences([]).empty


def test_the_runs_behind_a_bundle_are_those_its_manifest_names():
    manifest = fake_manifest()
    assert shipped_runs(manifest) == set()
    segmenter = replace(manifest.segmenter, record={"training_run": "a"})  # as older bundles say it
    classifier = replace(manifest.classifier, record={"training_runs": ["b", "c"]})
    assert shipped_runs(replace(manifest, segmenter=segmenter, classifier=classifier)) == {"a", "b", "c"}


def test_a_run_without_a_title_goes_by_its_name():
    assert run_title("classic_unet_256") == "U-Net, 256 px" and run_title("my_run") == "My run"
