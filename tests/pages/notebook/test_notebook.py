"""Tags, notes and views: given on a page, shown on another, kept over sessions, and a file that cannot be written."""

import sqlite3
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.records.database import Database
from core.records.notebook import Notebook, identify
from core.settings import DATA_VARIABLE
from pages.components.notebook import store, visitor
from tests.core.tables import make_table
from tests.pages.conftest import open_app
from tests.pages.driver import DATASET, read_text, run, visit
from tests.pages.evaluate.evaluation import choose, open_view, press

ANSWERS = [("nv", "nv", 0.9), ("nv", "mel", 0.8), ("mel", "nv", 0.6), ("mel", "mel", 0.7)]
ELSEWHERE = identify("image", "elsewhere.csv")
TABLE = make_table(ANSWERS, ("bkl", "mel", "nv"))


@pytest.fixture(autouse=True)
def same_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every session of a test comes from one browser; AppTest sends no cookies."""
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.setattr(visitor, "_read_key", lambda: "0" * 32)


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    """What the page's visitor has written."""
    return Notebook(Database(tmp_path / "records.sqlite3", wait_s=0.1), f"browser:{'0' * 32}")


def tag_group(app: AppTest, notebook: Notebook, key: str, tag: str) -> AppTest:
    notebook.tag([ELSEWHERE], tag)  # an option then: AppTest types no new one
    choose(run(app), f"{key}_tag", tag)
    return press(app, f"{key}__tag")


def test_a_selected_group_is_tagged_and_evaluated_alone(notebook):
    app = open_view("Confusion", TABLE)
    choose(app, "true", "Melanoma")
    tag_group(app, notebook, "confusion_cases_group", "melanomas")
    assert notebook.find_tagged("melanomas") - {ELSEWHERE} == {
        identify(f"image_{n}", "mine.csv") for n in (2, 3)
    }
    choose(app, "notebook_shown_tag", "melanomas")
    assert "1 of 2 images lie on the diagonal" in read_text(app)
    press(app, "chip_tag")
    assert "2 of 4 images lie on the diagonal" in read_text(app)


def test_a_tag_whose_images_are_elsewhere_says_so(notebook):
    notebook.tag([identify("image_0", "other.csv")], "ink")
    app = open_view("Confusion", TABLE)
    choose(app, "notebook_shown_tag", "ink")
    assert "No image of this evaluation has the tag" in read_text(app)


def test_tags_and_note_of_an_image_are_kept_for_the_next_session(notebook):
    notebook.tag([ELSEWHERE], "ink")
    app = open_view("Errors first", TABLE)
    choose(app, "error_case_tags_image_2", ["ink"])
    choose(app, "error_case_note_image_2", "ulcer")
    assert notebook.tags_of(identify("image_2", "mine.csv")) == ["ink"]
    again = open_view("Errors first", TABLE)
    assert again.get_by_key("error_case_tags_image_2").value == ["ink"]
    assert again.get_by_key("error_case_note_image_2").value == "ulcer"


def test_a_locked_file_is_said_and_what_was_typed_stays(notebook, tmp_path, monkeypatch):
    notebook.tag([identify("image_2", "mine.csv")], "ink")
    monkeypatch.setattr(store, "Database", lambda path: Database(path, wait_s=0.1))
    app = open_view("Errors first", TABLE)
    with sqlite3.connect(tmp_path / "records.sqlite3") as other:
        other.execute("BEGIN IMMEDIATE")
        choose(app, "error_case_note_image_2", "ulcer")
    other.close()
    assert "in use by another program" in read_text(app)
    run(app)
    assert app.get_by_key("error_case_note_image_2").value == "ulcer"
    assert "in use by another program" not in read_text(app)


def test_the_dataset_shows_only_tagged_images_and_counts_them(notebook):
    app = visit(open_app(), DATASET)
    choose(app, "facet_search", "ISIC_002430")
    tag_group(app, notebook, "browse_group", "first ones")
    tagged = len(notebook.find_tagged("first ones") - {ELSEWHERE})
    assert tagged == 4  # HAM10000 begins at 24306
    press(app, "clear_filters")
    choose(app, "notebook_shown_tag", "first ones")
    assert f"**{tagged}** of 10,015 images" in read_text(app)


def test_a_view_is_saved_as_a_link_and_deleted(notebook):
    app = visit(open_app(), DATASET)
    choose(app, "facet_search", "ISIC_002430")
    choose(app, "notebook_view_name", "first ones")
    press(app, "view_save")
    [view] = notebook.list_views()
    assert (view.name, view.page, view.query) == ("first ones", "dataset", "q=ISIC_002430")
    assert app.get_by_key("notebook_view_name").value == ""
    press(app, f"view_delete_{view.id}")
    assert notebook.list_views() == []


def test_sessions_without_a_cookie_are_different_visitors(monkeypatch):
    monkeypatch.undo()
    keys = {open_view("Confusion", TABLE).session_state["visitor_key"] for _ in range(2)}
    assert len(keys) == 2 and all(len(key) == 32 for key in keys)
