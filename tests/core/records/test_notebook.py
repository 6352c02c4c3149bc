"""Tags, notes, views and reviews: what is kept, whose it is, and a file that cannot be used."""

import sqlite3
from pathlib import Path

import pytest

from core.records import database as module
from core.records import notebook as notebooks
from core.records.database import SCHEMA_VERSION, Database, RecordsError
from core.records.notebook import ImageKey, Notebook, identify
from core.records.reviews import CHANGE, UNSURE, LabelReviews, to_rows

A, B, C = (identify(name, "mine.csv") for name in ("a", "b", "c"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "records.sqlite3"


@pytest.fixture
def notebook(path: Path) -> Notebook:
    return Notebook(Database(path, wait_s=0.1), "ada")


def test_reading_makes_no_file(notebook, path):
    assert notebook.list_tags() == {} and notebook.find_tagged("x") == set() and notebook.list_views() == []
    assert notebook.read_note(A) == ""
    assert not path.exists()


def test_a_group_is_tagged_once_and_found_by_its_tag(notebook):
    assert notebook.tag([A, B, B], " ink ") == 2
    assert notebook.tag([B, C], "ink") == 1
    notebook.tag([A], "hair")
    assert notebook.list_tags() == {"hair": 1, "ink": 3}
    assert notebook.find_tagged("ink") == {A, B, C} and notebook.tags_of(A) == ["hair", "ink"]


def test_a_tag_without_images_is_gone(notebook):
    notebook.tag([A, B], "ink")
    notebook.untag([A], "ink")
    assert notebook.list_tags() == {"ink": 1}
    notebook.untag([B], "ink")
    assert notebook.list_tags() == {}
    notebook.tag([A], "hair")
    notebook.delete_tag("hair")
    assert notebook.tags_of(A) == []


def test_many_images_take_a_tag_at_once(notebook):
    images = [ImageKey("big.csv", f"image_{n}") for n in range(40_000)]  # more than one statement takes
    assert notebook.tag(images, "all") == 40_000
    notebook.untag(images[:-1], "all")
    assert notebook.find_tagged("all") == {images[-1]}


def test_too_many_tagged_images_are_refused_and_none_is_kept(notebook, monkeypatch):
    monkeypatch.setattr(notebooks, "MAX_TAGGED", 2)
    notebook.tag([A, B], "ink")
    with pytest.raises(RecordsError, match="3 images of at most 2"):
        notebook.tag([C], "hair")
    assert notebook.list_tags() == {"ink": 2}


def test_the_same_name_of_another_source_is_another_image(notebook):
    notebook.write_note(A, "ulcer")
    assert notebook.read_note(identify("a", "other.csv")) == ""
    notebook.write_note(identify("ISIC_0024306", "one.csv"), "nevus")
    assert notebook.read_note(identify("ISIC_0024306", "other.csv")) == "nevus"


def test_a_note_is_replaced_and_an_empty_one_removed(notebook):
    notebook.write_note(A, "first")
    notebook.write_note(A, "second")
    assert notebook.read_note(A) == "second"
    notebook.write_note(A, " ")
    assert notebook.read_note(A) == ""


def test_what_another_owner_wrote_is_not_seen_nor_changed(notebook):
    other = Notebook(notebook.database, "bob")
    notebook.tag([A], "ink")
    notebook.write_note(A, "mine")
    notebook.save_view("v", "dataset", "class=mel")
    assert (other.list_tags(), other.read_note(A), other.list_views()) == ({}, "", [])
    other.delete_tag("ink")
    other.write_note(A, "")
    other.delete_view("v")
    assert notebook.list_tags() == {"ink": 1} and notebook.read_note(A) == "mine"
    assert [(view.name, view.page, view.query) for view in notebook.list_views()] == [
        ("v", "dataset", "class=mel")
    ]


def test_a_view_of_the_same_name_is_replaced(notebook):
    notebook.save_view("v", "dataset", "class=mel")
    notebook.save_view("v", "evaluate", "show=Curves")
    assert [view.query for view in notebook.list_views()] == ["show=Curves"]
    notebook.delete_view("v")
    assert notebook.list_views() == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_a_name_that_nobody_could_read_is_refused(notebook, path, name):
    with pytest.raises(RecordsError, match="1 to 80 characters"):
        notebook.tag([A], name)
    assert not path.exists()


def test_the_last_decision_about_a_label_counts(notebook):
    reviews = LabelReviews(notebook.database, "ada")
    reviews.write(A, "nv", "mel", UNSURE)
    reviews.write(A, "nv", "mel", CHANGE, "atypical network ")
    reviews.write(B, "nv", "bkl", "keep")
    [first, second] = to_rows(reviews.read())
    assert (first["image_id"], first["dx"], first["note"]) == ("a", "mel", "atypical network")
    assert (second["decision"], second["dx"]) == ("keep", "nv")
    reviews.remove(A)
    assert list(reviews.read()) == [B]
    assert LabelReviews(notebook.database, "bob").read() == {}


# --- a file that cannot be used


def test_a_locked_file_is_said_and_nothing_is_lost(notebook, path):
    notebook.tag([A], "ink")
    with sqlite3.connect(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(
            RecordsError, match=r"in use by another program\. Try again .*Nothing was changed"
        ):
            notebook.tag([B], "ink")
    other.close()
    assert notebook.find_tagged("ink") == {A}


def test_a_write_protected_file_is_still_read(notebook, path, monkeypatch):
    notebook.tag([A], "ink")
    create = module._create_engine
    url = f"sqlite:///file:{path}?mode=ro&uri=true"  # root may write whatever the file's mode says
    monkeypatch.setattr(module, "_create_engine", lambda _, wait_s: create(url, wait_s))
    protected = Notebook(Database(path), "ada")
    with pytest.raises(RecordsError, match="cannot be written"):
        protected.tag([B], "ink")
    assert protected.find_tagged("ink") == {A}


@pytest.mark.parametrize("content", [b"image,tag\n" * 200, b"SQLite format 3\0" + b"\1" * 4000])
def test_another_file_in_its_place_is_said_and_left_alone(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(RecordsError, match=r"records file .* (not an SQLite|cannot be used)"):
        Notebook(Database(path), "ada").tag([A], "ink")
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RecordsError, match="DERMALENS_RECORDS"):
        Notebook(Database(tmp_path / "file" / "records.sqlite3"), "ada").write_note(A, "x")


def test_a_file_of_a_newer_version_is_not_touched(notebook, path):
    notebook.tag([A], "ink")
    with sqlite3.connect(path) as file:
        file.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    file.close()
    with pytest.raises(RecordsError, match="newer version"):
        notebook.tag([B], "ink")
    with pytest.raises(RecordsError, match="newer version"):
        notebook.list_tags()
