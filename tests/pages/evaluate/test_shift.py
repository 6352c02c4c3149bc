"""Shift: the verdict, the table and the farthest pictures, against a reference made for the test."""

import numpy as np
import pytest

from core.systems.evaluations import Evaluation
from pages.components.evaluate import shift
from tests.core.tables import make_table
from tests.pages.conftest import open_app
from tests.pages.driver import EVALUATE, read_text, run, visit
from tests.pages.evaluate.evaluation import choose, open_view, to_csv

CLASSES = ("bkl", "mel", "nv")
ANSWERS = [("nv", "nv", 0.9), ("mel", "mel", 0.9)] * 40


def table(mean: float, seed: int, n: int = 80):
    rng = np.random.default_rng(seed)
    measures = {name: rng.normal(0.5, 0.1, n) for name in ("sharpness", "novelty")}
    return make_table(ANSWERS[:n], CLASSES, brightness=rng.normal(mean, 0.1, n), **measures)


@pytest.fixture
def reference(tmp_path, monkeypatch) -> None:
    path = tmp_path / "validation_predictions.csv"
    path.write_bytes(to_csv(table(0.6, 1)))
    monkeypatch.setattr(
        shift, "list_references", lambda: {"drawn · validation": Evaluation("drawn", "validation", path)}
    )


def test_a_darker_set_is_warned_of_and_its_farthest_picture_stands_first(reference):
    own = table(0.4, 2)
    app = open_view("Shift", own)
    assert "may not be expected to hold" in app.warning[0].value
    [rows] = [one.value for one in app.dataframe if "Finding" in one.value]
    assert rows["Measure"][0] == "Brightness" and rows["Finding"][0] == "large"
    assert (
        rows["Measure"].iloc[-1] == "Mix of predicted classes" and rows["Finding"].iloc[-1] == "within chance"
    )
    assert app.get_by_key("shift_by").value == "brightness"
    median = np.median(table(0.6, 1).frame["brightness"])
    farthest = int(np.abs(own.frame["brightness"] - median).argmax())
    opened = [one.key for one in app.button if one.key.startswith("shift_cards_open_")]
    assert opened[0] == f"shift_cards_open_{farthest}"
    choose(app, "shift_by", "novelty")


def test_a_set_like_the_reference_and_one_of_few_lesions_are_said_to_be_so(reference):
    assert "No large shift" in read_text(open_view("Shift", table(0.6, 1)))
    assert "Too few images" in read_text(open_view("Shift", table(0.4, 2, n=20)))


def test_a_table_without_the_columns_says_what_to_do(reference):
    assert "Analyse the images anew" in read_text(open_view("Shift", make_table(ANSWERS, CLASSES)))


def test_without_a_reference_nothing_is_compared(monkeypatch):
    monkeypatch.setattr(shift, "list_references", dict)
    text = read_text(open_view("Shift", table(0.4, 2)))
    assert "No shipped evaluation says" in text and "Distance:" not in text


def test_images_without_labels_are_compared_too(reference):
    unlabelled = make_table([("", "nv", 0.9)] * 40, CLASSES, brightness=np.linspace(0.1, 0.3, 40))

    app = visit(open_app(), EVALUATE)
    app.get_by_key("source").set_value("Predictions file")
    run(app)
    app.file_uploader(key="predictions_file").set_value(("mine.csv", to_csv(unlabelled), "text/csv"))
    text = read_text(run(app))
    assert "may not be expected to hold" in text


def test_the_split_that_decisions_were_made_on_is_offered_first():
    splits = [one.split for one in shift.list_references().values()]
    assert splits[0] == "validation"
    assert splits.index("milk10k_validation") < splits.index("test")
