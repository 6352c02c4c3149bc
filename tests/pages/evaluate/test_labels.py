"""Labels: the suspected ones, the order, and decisions that are kept and exported."""

from pathlib import Path

import pytest

from core.evaluation.label_errors import find_label_errors
from core.records.database import Database
from core.records.notebook import identify
from core.records.reviews import LabelReviews
from pages.components.evaluate.labels import ORDERS, sort_errors
from pages.components.notebook import visitor
from tests.core.tables import make_table
from tests.pages.driver import keys, read_text
from tests.pages.evaluate.evaluation import choose, open_view

CLASSES = ("bkl", "mel", "nv")
# Suspected: image_0 (mel, margin 0.7), image_1 (bkl, 0.85) and image_2 (bkl, 0.55).
TABLE = make_table(
    [("nv", "mel", 0.8), ("nv", "bkl", 0.9), ("mel", "bkl", 0.7)]
    + [("nv", "nv", 0.6), ("bkl", "bkl", 0.6), ("mel", "mel", 0.6)] * 4,
    CLASSES,
)


@pytest.fixture
def reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabelReviews:
    """What the page's visitor has decided."""
    monkeypatch.setattr(visitor, "_read_key", lambda: "0" * 32)
    return LabelReviews(Database(tmp_path / "records.sqlite3"), f"browser:{'0' * 32}")


def shown(app) -> list[str]:
    prefix = "label_errors_open_"
    return [button.key.removeprefix(prefix) for button in app.button if button.key.startswith(prefix)]


def test_suspected_labels_are_counted_and_come_in_the_chosen_order(reviews):
    app = open_view("Labels", TABLE)
    assert "**3** of 15 labels are suspected (20.0%)" in read_text(app)
    assert shown(app) == ["1", "0", "2"]
    choose(app, "label_order", "malignant")
    assert shown(app) == [
        "0",
        "1",
        "2",
    ]  # the nevus that may be a melanoma; the melanoma that may be benign last
    choose(app, "label_order", "image")
    assert shown(app) == ["0", "1", "2"]


def test_a_decision_and_its_note_are_kept_and_can_be_taken_back(reviews):
    app = open_view("Labels", TABLE)
    choose(app, "label_errors_decision_image_1", "change")
    choose(app, "label_errors_note_image_1", "comedo-like openings")
    review = reviews.read()[identify("image_1", "mine.csv")]
    assert (review.stated, review.suggested, review.decision) == ("nv", "bkl", "change")
    assert review.note == "comedo-like openings"
    choose(app, "decided", "change")
    assert shown(app) == ["1"]
    choose(app, "decided", "not decided")
    assert shown(app) == ["0", "2"]
    choose(app, "decided", "all")
    choose(app, "label_errors_decision_image_1", None)
    assert reviews.read() == {}


def test_decisions_about_images_of_another_file_are_not_exported_here(reviews):
    reviews.write(identify("image_1", "other.csv"), "nv", "mel", "change")
    app = open_view("Labels", TABLE)
    [button] = [one for one in app.download_button if one.key == "download_reviews"]
    assert (button.label, button.disabled) == ("Decisions (0)", True)


def test_labels_that_all_fit_say_so(reviews):
    app = open_view("Labels", make_table([("nv", "nv", 0.9), ("mel", "mel", 0.9)], CLASSES))
    assert "No suspected label here" in read_text(app)
    assert "label_errors_group_popover" not in keys(app.button)


def test_every_order_holds_every_suspected_label():
    errors = find_label_errors(TABLE)
    assert all(sorted(sort_errors(TABLE, errors, order)) == [0, 1, 2] for order in ORDERS)
