"""Runs that differ from a base in one thing."""

import pytest

from core.systems.ablations import is_ablation, list_ablations


def result(name: str, macro_auc: float) -> dict:
    return {"name": name, "description": f"{name}.", "scores": {"val_macro_auc": macro_auc}}


RUNS = [
    result("ablation_classification_better", 0.93),
    result("ablation_classification_worse", 0.88),
    result("ablation_classification", 0.90),
    result("ablation_segmentation", 0.5),
    result("classification_v2b0", 0.96),
    result("ablation_classification_best", 0.95),
    result("ablation_classification_seed", 0.91),
]


def test_the_base_comes_first_then_its_other_seed_then_the_best():
    found = list_ablations(RUNS, "classification", "val_macro_auc")
    endings = [run.name.removeprefix("ablation_classification") for run in found]
    assert endings == ["", "_seed", "_best", "_better", "_worse"]
    assert [run.gain for run in found] == pytest.approx([0, 0.01, 0.05, 0.03, -0.02])
    assert found[2].change == "ablation_classification_best."


def test_without_a_base_nothing_is_gained():
    [run] = list_ablations(RUNS[:1], "classification", "val_macro_auc")
    assert run.gain is None and run.scores == {"val_macro_auc": 0.93}


def test_no_runs_give_no_comparison():
    assert list_ablations(RUNS[4:5], "classification", "val_macro_auc") == []


@pytest.mark.parametrize(("name", "expected"), [("ablation_segmentation", True), ("classic_cnn_128", False)])
def test_ablations_are_told_from_systems_by_their_name(name, expected):
    assert is_ablation(name) is expected
