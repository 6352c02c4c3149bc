"""The table of runs: made from run folders alone, complete and in order."""

import json

import pandas as pd
import pytest

from core.systems.systems import SystemRecord
from training.report.results import collect_runs, describe_config, read_run, render


@pytest.fixture
def configs(tmp_path):
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "good.py").write_text('"""A good | long run.\n\nMore about it.\n"""\nCONFIG = None\n')
    return folder


@pytest.fixture
def runs_dir(tmp_path):
    folder = tmp_path / "runs"
    write_run(folder / "poor", {"val_balanced_accuracy": 0.5, "val_macro_auc": 0.7}, parameters=None)
    write_run(folder / "good", {"val_balanced_accuracy": 0.8, "val_macro_auc": 0.9}, parameters=6_400_000)
    write_run(folder / "outline", {"val_dice": 0.9, "val_jaccard": 0.82, "val_failed_share": 0.1})
    (folder / "unfinished").mkdir()
    (folder / "unfinished" / "config.json").write_text("{}")
    (folder / "bundle").mkdir()  # an evaluation has predictions, but no training behind it
    (folder / "bundle" / "test_predictions.csv").write_text("image_id\n")
    return folder


def write_run(folder, scores: dict, parameters: int | None = 100):
    """Three epochs of 90 seconds, of which the second was best."""
    folder.mkdir(parents=True)
    record = {"command": f"python -m train --config {folder.name}", "cores": 2}
    (folder / "config.json").write_text(json.dumps(record))
    best = {"epoch": 1, "stage": "all", "loss": 0.3, **scores, "seconds": 90.0}
    known = {} if parameters is None else {"parameters": parameters}
    (folder / "scores.json").write_text(json.dumps({"best_epoch": best, **known}))
    pd.DataFrame({"epoch": [0, 1, 2], "seconds": [90.0] * 3}).to_csv(folder / "history.csv", index=False)


def test_finished_runs_are_listed_by_task_and_best_score_first(runs_dir, configs):
    runs = collect_runs(runs_dir, configs)
    assert [run["name"] for run in runs] == ["good", "poor", "outline"]
    assert [run["task"] for run in runs] == ["classification", "classification", "segmentation"]


def test_a_row_says_what_a_run_was_what_it_scored_and_what_it_cost(runs_dir, configs):
    assert read_run(runs_dir / "good", configs) == {
        "name": "good",
        "task": "classification",
        "description": "A good | long run.",
        "scores": {"val_balanced_accuracy": 0.8, "val_macro_auc": 0.9},
        "best_epoch": 2,  # counted from 1
        "epochs": 3,
        "minutes": 4.5,  # 3 * 90 s
        "parameters": 6_400_000,
        "cores": 2,
        "accelerator": "",
        "command": "python -m train --config good",
    }


@pytest.mark.parametrize(("key", "what"), [("average_of", "weights"), ("joined", "logits")])
def test_a_run_made_of_others_has_no_epochs_of_its_own(runs_dir, configs, key, what):
    folder = runs_dir / "soup"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"command": "python -m training.average", "cores": 2}))
    best = {"input_size_px": 192, "share": 0.5, "val_balanced_accuracy": 0.81, "val_macro_auc": 0.95}
    (folder / "scores.json").write_text(json.dumps({"best_epoch": best, key: ["good", "poor"]}))
    row = collect_runs(runs_dir, configs)[0]
    assert row["name"] == "soup" and row["description"] == f"Mean of the {what} of good and poor."
    assert (row["best_epoch"], row["epochs"], row["minutes"]) == (None, 0, 0.0)
    [line] = [line for line in render([row], []).splitlines() if line.startswith("| `soup`")]
    assert line.endswith("| 0.950 | 0.810 | – | – | – | – | 2 | – |")


def test_a_configuration_that_is_gone_or_says_nothing_has_no_description(tmp_path):
    (tmp_path / "silent.py").write_text("CONFIG = None\n")
    assert describe_config(tmp_path / "silent.py") == describe_config(tmp_path / "gone.py") == ""


def test_the_page_shows_every_run_and_a_dash_for_what_is_not_known(runs_dir, configs):
    text = render(collect_runs(runs_dir, configs), [])
    lines = text.splitlines()
    [good] = [line for line in lines if line.startswith("| `good`")]
    # A bar inside a cell would break the row: it is escaped. Log loss and accuracy were not recorded.
    assert good == r"| `good` | A good \| long run. | 0.900 | 0.800 | – | – | 2 of 3 | 4 | 2 | 6.4 M |"
    [poor] = [line for line in lines if line.startswith("| `poor`")]
    assert poor.endswith("| – |")
    assert "## Segmentation" in lines and "    python -m train --config outline" in lines


def test_no_runs_give_a_page_without_tables(tmp_path):
    assert collect_runs(tmp_path) == [] and "|" not in render([], [])


def test_short_runs_stand_beside_their_base_and_not_among_the_systems(runs_dir, configs):
    scores = {"val_macro_auc": 0.9, "val_balanced_accuracy": 0.8, "val_accuracy": 0.7, "val_loss": 0.6}
    write_run(runs_dir / "ablation_classification", scores)
    write_run(runs_dir / "ablation_classification_wild", scores | {"val_macro_auc": 0.875})
    runs = collect_runs(runs_dir, configs)
    text = render(runs, [])
    assert "## One change at a time: classification" in text and "time: segmentation" not in text
    [row] = [line for line in text.splitlines() if line.startswith("| `ablation_classification_wild`")]
    assert row == "| `ablation_classification_wild` |  | 0.875 | 0.800 | 0.700 | 0.600 | -0.025 |"
    assert "--config ablation" not in text.split("## One change")[0]


def test_classic_systems_follow_with_a_dash_for_what_they_do_not_do():
    dice = {"estimate": 0.91, "low": 0.9, "high": 0.92}
    system = SystemRecord("U-Net", "classic", "Cut short.", {"dice": dice}, 2_000_000, 3.9, 60.4)
    assert render([], [system]).splitlines()[-1] == (
        "| U-Net | 0.910 | – | – | – | – | – | – | – | 2.0 M | 4 | 60 | Cut short. |"
    )
