"""The tables of runs: made from run folders, kept where the folder is gone."""

import json

import pandas as pd
import pytest

from training.report.results import (
    collect_runs,
    compare_ablations,
    describe_config,
    read_run,
    run,
    update_table,
)


@pytest.fixture
def configs(tmp_path):
    folder = tmp_path / "configs" / "ablations"
    folder.mkdir(parents=True)
    (folder / "good.py").write_text('"""A good, long run.\n\nMore about it.\n"""\nCONFIG = None\n')
    return tmp_path / "configs"


@pytest.fixture
def runs_dir(tmp_path):
    folder = tmp_path / "runs"
    write_run(folder / "poor", {"val_balanced_accuracy": 0.5, "val_macro_auc": 0.7}, parameters=None)
    write_run(folder / "good", {"val_balanced_accuracy": 0.8, "val_macro_auc": 0.9}, parameters=6_400_000)
    write_run(folder / "outline", {"val_dice": 0.9, "val_jaccard": 0.82, "val_failed_share": 0.1})
    (folder / "unfinished").mkdir()
    (folder / "unfinished" / "config.json").write_text("{}")
    return folder


def write_run(folder, scores: dict, parameters: int | None = 100):
    """Three epochs of 90 seconds, of which the second was best."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"config": {"sets": {"ham10000": 1}}, "cores": 2}))
    best = {"epoch": 1, "stage": "all", "loss": 0.3, **scores, "seconds": 90.0}
    known = {} if parameters is None else {"parameters": parameters}
    (folder / "scores.json").write_text(json.dumps({"best_epoch": best, **known}))
    pd.DataFrame({"epoch": [0, 1, 2], "seconds": [90.0] * 3}).to_csv(folder / "history.csv", index=False)


def test_a_row_says_what_a_run_was_what_it_scored_and_what_it_cost(runs_dir, configs):
    assert read_run(runs_dir / "good", configs) == {
        "task": "classification",
        "name": "good",
        "description": "A good, long run.",
        "config": "training/configs/ablations/good.py",
        "data": "ham10000 (train)",
        "val_macro_auc": 0.9,
        "val_balanced_accuracy": 0.8,
        "best_epoch": 2,  # counted from 1
        "epochs": 3,
        "minutes": 4.5,  # 3 * 90 s
        "parameters": 6_400_000,
        "machine": "2 cores",
    }


def test_only_finished_runs_are_collected(runs_dir, configs):
    assert [found["name"] for found in collect_runs([runs_dir], configs)] == ["good", "outline", "poor"]


def test_a_configuration_that_is_gone_or_says_nothing_has_no_description(tmp_path):
    (tmp_path / "silent.py").write_text("CONFIG = None\n")
    assert describe_config(tmp_path / "silent.py") == describe_config(tmp_path / "gone.py") == ""


def test_each_task_has_a_table_with_the_best_first(runs_dir, tmp_path):
    run([runs_dir], tmp_path / "results")
    table = pd.read_csv(tmp_path / "results" / "classification.csv")
    assert table["name"].tolist() == ["good", "poor"]
    assert table["parameters"].isna().tolist() == [False, True]
    assert pd.read_csv(tmp_path / "results" / "segmentation.csv")["val_dice"].tolist() == [0.9]


def test_rows_of_runs_that_are_gone_stay(tmp_path):
    file = tmp_path / "table.csv"
    update_table(file, [{"name": "old", "score": 0.5}, {"name": "kept", "score": 0.6}], ["name"], "score")
    update_table(file, [{"name": "kept", "score": 0.7}], ["name"], "score")
    assert pd.read_csv(file).to_dict("list") == {"name": ["kept", "old"], "score": [0.7, 0.5]}
    update_table(file, [], ["name"], "score")
    assert len(pd.read_csv(file)) == 2


def test_short_runs_are_compared_with_their_base_within_what_chance_explains():
    runs = [
        {"name": f"ablation_segmentation{ending}", "val_dice": dice}
        for ending, dice in {"": 0.9, "_seed": 0.91, "_wild": 0.85}.items()
    ]
    rows = {row["name"]: row for row in compare_ablations(runs, "segmentation")}
    wild = rows["ablation_segmentation_wild"]
    # Two runs that differ in their random numbers are 0.01 apart: 1.96 times that on either side.
    assert (wild["difference"], wild["low"], wild["high"]) == (-0.05, -0.0696, -0.0304)
    assert compare_ablations(runs[1:], "segmentation") == []


def test_a_bundle_has_a_row_with_the_scores_of_both_splits(tmp_path):
    folder = tmp_path / "runs" / "ham"
    folder.mkdir(parents=True)
    stamp = {"bundle": "ham", "version": "2", "fingerprint": "abc"}
    for split, score in {"test": 0.75, "validation": 0.77}.items():
        detail = {"balanced_accuracy": score, "macro_roc_auc": 0.9, "accuracy": 0.8, "log_loss": 0.5}
        record = {"classification_detail": detail, "segmentation": {"dice": {"estimate": 0.94}}}
        (folder / f"{split}_scores.json").write_text(json.dumps(stamp | record))
    run([tmp_path / "runs"], tmp_path)
    [row] = pd.read_csv(tmp_path / "bundles.csv").to_dict("records")
    assert (row["bundle"], row["version"], row["test_balanced_accuracy"]) == ("ham", 2, 0.75)
    assert (row["validation_balanced_accuracy"], row["test_dice"]) == (0.77, 0.94)


def test_a_control_stands_with_the_ablations_under_a_task_of_its_own(runs_dir, tmp_path):
    write_run(runs_dir / "control_small", {"val_balanced_accuracy": 0.6, "val_macro_auc": 0.8})
    run([runs_dir], tmp_path / "results")
    table = pd.read_csv(tmp_path / "results" / "ablations.csv")
    assert table[["name", "task"]].to_numpy().tolist() == [["control_small", "control"]]
    assert "control_small" not in set(pd.read_csv(tmp_path / "results" / "classification.csv")["name"])
