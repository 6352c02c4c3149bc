"""Runs that differ from a base in one thing."""

import pytest

from core.systems.ablations import is_ablation, read_ablations

TABLE = """task,name,description,val_macro_auc,val_dice,difference,low,high
classification,ablation_classification,The base.,0.9,,0.0,-0.01,0.01
classification,ablation_classification_focal,Focal loss.,0.88,,-0.02,-0.03,-0.01
classification,ablation_classification_seed,Another seed.,0.905,,0.005,-0.005,0.015
segmentation,ablation_segmentation_wide,Wider.,,0.93,0.002,,
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "ablations.csv"
    path.write_text(TABLE)
    return path


def test_the_best_change_comes_first_and_the_base_is_left_out(file):
    found = read_ablations("classification", file)
    assert [(run.label, run.score) for run in found] == [("Other seed", 0.905), ("Focal loss", 0.88)]
    assert found[1].change == "Focal loss."


def test_a_difference_is_beyond_chance_if_its_interval_leaves_out_0(file):
    assert [run.beyond_chance for run in read_ablations("classification", file)] == [False, True]
    [wide] = read_ablations("segmentation", file)  # no repeat was made: nothing is known
    assert not wide.beyond_chance


def test_without_a_table_there_is_no_comparison(tmp_path):
    assert read_ablations("classification", tmp_path / "none.csv") == []


@pytest.mark.parametrize(("name", "expected"), [("ablation_segmentation", True), ("classic_cnn_128", False)])
def test_ablations_are_told_from_systems_by_their_name(name, expected):
    assert is_ablation(name) is expected
