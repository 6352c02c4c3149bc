"""The table of classic systems: what is there, in order, with gaps where a system does not do a thing."""

import json
import math

import pytest

from core.systems.systems import format_cell, read_systems, systems_table

INTERVAL = {"estimate": 0.9, "low": 0.8, "high": 0.95}
RECORD = {
    "title": "U-Net",
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
