"""Errors first: the queues and the steps through them."""

import numpy as np
import pandas as pd

from core.systems.evaluations import list_evaluations
from pages.components.evaluate import errors
from pages.components.shared import dataset_folder
from tests.core.tables import make_table
from tests.pages.driver import keys, read_text
from tests.pages.evaluate.evaluation import choose, open_view, press

CLASSES = ("bkl", "mel", "nv")
# In the order of "sure mistakes": image_2 (missed melanoma), image_1, image_3.
ANSWERS = [("nv", "nv", 0.9), ("nv", "bkl", 0.8), ("mel", "nv", 0.6), ("bkl", "nv", 0.7)]


def shown(app) -> str:
    """The image in view, without the marks that keep Markdown from reading it."""
    return app.subheader[0].value.replace("\\", "")


def test_shipped_run_begins_with_a_missed_melanoma():
    shipped = list_evaluations()[0].read_predictions()
    app = open_view("Errors first")
    wrong = int((shipped.predicted != shipped.labels).sum())
    assert f"**1 of {wrong:,}**" in read_text(app)
    row = shipped.frame.set_index("image_id").loc[shown(app)]
    assert row["dx"] == "mel" != row["prediction"]


def test_with_drawn_pictures_the_cases_that_have_one_come_first(monkeypatch):
    table = make_table(ANSWERS, CLASSES)
    monkeypatch.setattr(dataset_folder, "shows_drawn", lambda: True)
    monkeypatch.setattr(dataset_folder, "read_frame", lambda: pd.DataFrame(index=["image_3"]))
    assert errors.pictures_first(table, np.array([2, 1, 3])).tolist() == [3, 2, 1]


def test_next_and_previous_step_through_the_mistakes():
    app = open_view("Errors first", make_table(ANSWERS, CLASSES))
    assert (shown(app), app.button(key="error_previous").disabled) == ("image_2", True)
    press(app, "error_next")
    assert shown(app) == "image_1"
    press(app, "error_next")
    assert (shown(app), app.button(key="error_next").disabled) == ("image_3", True)
    assert "**3 of 3**" in read_text(app)
    press(app, "error_previous")
    assert shown(app) == "image_1"


def test_arrow_keys_press_the_buttons():
    app = open_view("Errors first", make_table(ANSWERS, CLASSES))
    assert app.button(key="error_previous").proto.shortcut == "left"
    assert app.button(key="error_next").proto.shortcut == "right"


def test_position_is_in_the_address_and_beyond_the_end_means_the_last():
    app = open_view("Errors first", make_table(ANSWERS, CLASSES))
    press(app, "error_next")
    assert app.query_params["position"] == "2"
    app.query_params["position"] = "99"
    app.run()
    assert shown(app) == "image_3"
    app.query_params["position"] = "second"
    app.run()
    assert shown(app) == "image_2"


def test_another_queue_begins_at_its_first():
    table = make_table(ANSWERS, CLASSES, dice=[0.9, 0.3, None, 0.1], agreement=[0.5, 1.0, 0.9, 0.25])
    app = open_view("Errors first", table)
    press(app, "error_next")
    choose(app, "errors", "masks")
    assert (shown(app), "**1 of 3**" in read_text(app)) == ("image_3", True)
    press(app, "error_next")
    assert shown(app) == "image_1"
    choose(app, "errors", "views")
    assert (shown(app), "**1 of 3**" in read_text(app)) == ("image_3", True)


def test_case_shows_facts_without_the_dataset():
    app = open_view("Errors first", make_table(ANSWERS, CLASSES, age=45, sex="male"))
    cells = app.table[0].value.to_numpy().ravel().tolist()
    assert {"Age", "45", "Sex", "male", "Lesion", "lesion\\_2"} <= set(cells)


def test_no_mistake_and_missing_columns_are_said():
    app = open_view("Errors first", make_table([("nv", "nv", 0.9)], CLASSES))
    assert "Every labelled image got its true class" in read_text(app)
    assert "download_errors" not in keys(app.download_button)
    choose(app, "errors", "masks")
    assert "column `dice`" in read_text(app)
    choose(app, "errors", "views")
    assert "column `agreement`" in read_text(app)


def test_names_from_a_file_cannot_carry_markup():
    table = make_table([("nv", "mel", 0.9)], CLASSES, image_id=["**bold** <b>x</b>"])
    app = open_view("Errors first", table)
    assert app.subheader[0].value == r"\*\*bold\*\* \<b\>x\</b\>"
