"""Systems with their thresholds, and the table of classic systems with gaps where one does not do a thing."""

import json
import math

import pytest

from core.evaluation.operating_point import operate
from core.evaluation.score_table import SUSPICIOUS, binary_outcomes
from core.systems.systems import format_cell, list_systems, mobile_table, read_systems, systems_table
from tests.fakes import fake_manifest

INTERVAL = {"estimate": 0.9, "low": 0.8, "high": 0.95}
RECORD = {
    "title": "U-Net",
    "about": "It outlines.",
    "bundle": None,
    "cut": "",
    "scores": {"dice": INTERVAL},
    "parameters": 1_900_000,
    "size_mb": 3.9,
    "ms_per_image": 61.4,
    "tasks": ["segmentation"],  # more than the table needs
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "systems.json"
    path.write_text(json.dumps({"systems": [RECORD, RECORD | {"title": "CNN", "scores": {}}]}))
    return path


def write_evaluation(folder, scores):
    folder.mkdir()
    (folder / "test_predictions.csv").touch()
    (folder / "test_scores.json").write_text(json.dumps(scores))


def test_threshold_is_that_of_the_evaluation_then_none(tmp_path):
    write_evaluation(tmp_path / "a", {"suspicious_at_threshold": {"threshold": 0.25}})
    write_evaluation(tmp_path / "b", {})
    first, second = list_systems(tmp_path, bundles=[])
    assert (first.name, first.threshold(first.evaluations[0])) == ("a", 0.25)
    assert second.threshold(second.evaluations[0]) is None


def test_threshold_is_the_bundles_where_the_scores_do_not_say(tmp_path, monkeypatch):
    monkeypatch.setattr("core.systems.systems.read_manifest", lambda folder: fake_manifest())
    write_evaluation(tmp_path / "fake bundle", {})
    [system] = list_systems(tmp_path, bundles=[tmp_path])
    assert system.threshold(system.evaluations[0]) == fake_manifest().suspicious_threshold


@pytest.mark.slow
def test_every_shipped_system_has_its_stored_specificity_at_its_own_threshold():
    thresholds = set()
    for system in list_systems():
        for evaluation in system.evaluations:
            stored = evaluation.read_scores()["suspicious_at_threshold"]
            threshold = system.threshold(evaluation)
            thresholds.add(threshold)
            outcomes = binary_outcomes(evaluation.read_predictions(), SUSPICIOUS)
            assert operate(*outcomes, threshold).specificity == pytest.approx(
                stored["specificity"]["estimate"], abs=2e-3
            )
    assert len(thresholds) > 1


def test_systems_keep_their_order_and_lack_what_they_do_not_do(path):
    table = systems_table(read_systems(path))
    assert list(table["System"]) == ["U-Net", "CNN"]
    assert table["Dice"][0] == 0.9 and math.isnan(table["Dice"][1])
    assert table[["Parameters", "MB", "ms an image"]].to_numpy().tolist() == [[1_900_000, 3.9, 61.4]] * 2


def test_without_the_file_there_are_none(tmp_path):
    assert read_systems(tmp_path / "systems.json") == [] and systems_table([]).empty


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("System", "U-Net", "U-Net"),
        ("Dice", 0.93849, "0.938"),
        ("Dice", float("nan"), "–"),
        ("Parameters", 51_500_000, "51.5 M"),
        ("MB", 13.26, "13"),
        ("ms an image", 61.4, "61"),
    ],
)
def test_cells(column, value, text):
    assert format_cell(column, value) == text


def test_files_for_phones_are_those_of_the_same_weights(tmp_path):
    path = tmp_path / "mobile.csv"
    columns = "fingerprint,file,megabytes,images,balanced_accuracy,macro_roc_auc,answers_changed"
    path.write_text(f"{columns}\nold,int8,6.1,9,0.5,0.8,0.1\nnew,int8,6.2,9,0.6,0.9,0.02\n")
    [row] = mobile_table("new", path).to_dict("records")
    assert row["MB"] == 6.2 and row["Answers changed"] == 0.02
    assert mobile_table("other", path).empty and mobile_table("new", tmp_path / "none.csv").empty
