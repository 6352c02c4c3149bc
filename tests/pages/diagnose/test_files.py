"""Diagnose: refused files, several images, missing weights."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core.images.drawing import encode_png
from core.phantoms.lesions import draw_phantom
from models import loading, manifest
from models.manifest import WEIGHTS_VARIABLE, BundleError
from pages.components.diagnose import gallery, session_images
from pages.components.shared import engine
from tests.fakes import fake_manifest
from tests.pages.conftest import open_app
from tests.pages.driver import keys, read_text, read_viewer, run, upload

TEXT_FILE = ("notes.jpg", b"this is a text file, whatever its name says " * 10)


@pytest.fixture(scope="module")
def other_png() -> bytes:
    return encode_png(draw_phantom(11, size_px=(300, 400)).image)


def test_text_renamed_to_jpg_is_refused_with_the_reason(app: AppTest):
    upload(app, TEXT_FILE)
    [error] = app.error
    assert error.proto.title == "notes.jpg was not read"
    assert "This is not an image" in error.value
    assert not app.download_button


def test_a_refused_file_can_be_dismissed(app: AppTest):
    upload(app, TEXT_FILE)
    [button] = [button for button in app.button if button.key.startswith("dismiss_")]
    button.click()
    assert not run(app).error
    assert "Your images" in read_text(app)


def test_a_bad_file_does_not_stop_the_others(app: AppTest, phantom_png: bytes):
    upload(app, TEXT_FILE, ("lesion.png", phantom_png))
    assert len(app.error) == 1
    assert "Probability of malignancy" in read_text(app)
    assert "lesion.png" in read_viewer(app)["panels"][0]["caption"]


def test_a_truncated_image_is_refused_as_damaged(app: AppTest, phantom_png: bytes):
    upload(app, ("cut.png", phantom_png[: len(phantom_png) // 2]))
    assert "damaged or cut short" in app.error[0].value


def test_several_images_get_a_strip_a_table_and_a_csv(app: AppTest, phantom_png: bytes, other_png: bytes):
    upload(app, ("one.png", phantom_png), ("two.png", other_png), TEXT_FILE)
    assert {"pick_0", "pick_1"} <= keys(app.button)
    assert "pick_2" not in keys(app.button)  # the text file has no thumbnail
    table = app.dataframe[0].value
    assert list(table["Name"]) == ["one.png", "two.png", "notes.jpg"]
    assert table["Remarks"][2] == "not read: not an image"
    assert "download_csv" in keys(app.download_button)


def test_a_name_that_is_a_formula_is_harmless_in_the_tables_own_export(app: AppTest, phantom_png, other_png):
    upload(app, ("=1+1.png", phantom_png), ("two.png", other_png))
    assert list(app.dataframe[0].value["Name"]) == ["'=1+1.png", "two.png"]


def test_new_trust_values_are_taken_up_though_the_weights_are_the_same():
    old, new = fake_manifest(), replace(fake_manifest(), decision_offsets=(0.1,) * 7)
    assert old.fingerprint == new.fingerprint
    assert engine.bundle_key(old) != engine.bundle_key(new)


def test_picking_a_thumbnail_shows_that_image(app: AppTest, phantom_png: bytes, other_png: bytes):
    upload(app, ("one.png", phantom_png), ("two.png", other_png))
    assert "one.png" in read_viewer(app)["panels"][0]["caption"]
    app.button(key="pick_1").click()
    assert "two.png" in read_viewer(run(app))["panels"][0]["caption"]


def test_an_image_added_later_is_shown_first(app: AppTest, phantom_png: bytes, other_png: bytes):
    upload(app, ("one.png", phantom_png))
    upload(app, ("two.png", other_png))
    assert "two.png" in read_viewer(app)["panels"][0]["caption"]
    app.button(key="remove").click()
    assert "one.png" in read_viewer(run(app))["panels"][0]["caption"]


def test_the_same_image_twice_is_kept_once(app: AppTest, phantom_png: bytes):
    upload(app, ("one.png", phantom_png), ("copy.png", phantom_png))
    assert len(app.session_state["session_images"]) == 1


def test_the_same_image_under_a_new_name_is_shown_and_exported_under_that(
    app: AppTest, phantom_png: bytes, monkeypatch
):
    upload(app, ("one.png", phantom_png))
    seen = []
    monkeypatch.setattr(gallery, "draw_all", lambda outcomes, *_: seen.append(outcomes))
    upload(app, ("two.png", phantom_png), TEXT_FILE)
    assert "two.png" in read_viewer(app)["panels"][0]["caption"]
    csv = gallery.build_csv(seen[-1], app.session_state["session_images"], fake_manifest())
    assert [line.split(",")[0] for line in csv.splitlines()[1:]] == ["two", "notes"]


def test_images_beyond_the_limit_are_named(app: AppTest, phantom_png: bytes, other_png: bytes, monkeypatch):
    monkeypatch.setattr(session_images, "MAX_ITEMS", 1)
    upload(app, ("one.png", phantom_png), ("two.png", other_png))
    assert "left out: two.png" in read_text(app)


def test_impression_first_hides_the_answers_in_the_table(app: AppTest, phantom_png: bytes, other_png: bytes):
    app.toggle(key="impression_first").set_value(True)
    run(app)
    upload(app, ("one.png", phantom_png), ("two.png", other_png))
    table = app.dataframe[0].value
    assert "Most probable" not in table
    assert set(table["Remarks"]) == {"waiting for your impression"}
    assert "download_csv" not in keys(app.download_button)


def test_csv_has_a_row_for_every_file(app: AppTest, phantom_png: bytes):
    upload(app, ("one.png", phantom_png), TEXT_FILE)
    items = app.session_state["session_images"]
    outcomes = {key[0]: outcome for key, outcome in app.session_state["outcomes"].items()}
    outcomes = {sha256: outcomes[sha256] for sha256 in items}
    header, first, second, *rest = gallery.build_csv(outcomes, items, fake_manifest()).splitlines()
    assert header.startswith("image,path,akiec,bcc,bkl,df,mel,nv,vasc,prediction,suspicious_probability")
    assert first.startswith("one,one.png,0.")
    assert second.startswith("notes,notes.jpg,")
    assert "This is not an image" in second
    assert not rest


def test_without_weights_the_page_opens_and_says_so(monkeypatch, tmp_path, phantom_png: bytes):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    app = open_app()
    assert app.title[0].value == "Diagnose"
    assert app.error[0].proto.title == "The networks are not available"
    assert "manifest.json" in app.error[0].value
    upload(app, ("lesion.png", phantom_png))
    assert not app.download_button
    assert "Probability of malignancy" not in read_text(app)


def test_damaged_weights_are_named_when_an_image_comes(app: AppTest, phantom_png: bytes, monkeypatch):
    def refuse(folder=None):
        raise BundleError("The weights classifier.weights.h5 have another SHA-256.")

    monkeypatch.setattr(loading, "load_bundle", refuse)
    assert manifest.read_manifest().name == "fake bundle"
    upload(app, ("lesion.png", phantom_png))
    assert "classifier.weights.h5" in app.error[0].value
    assert "Probability of malignancy" not in read_text(app)


def test_a_camera_shot_is_analysed_and_the_camera_switched_off(app: AppTest, phantom_png: bytes):
    app.toggle(key="camera_on").set_value(True)
    run(app)
    app.camera_input(key="camera_0").set_value(("shot.jpg", phantom_png, "image/jpeg"))
    run(app)
    assert "camera 1.jpg" in read_viewer(app)["panels"][0]["caption"]
    assert not app.camera_input


def test_results_of_a_session_are_bounded(app: AppTest, phantom_png: bytes, other_png: bytes, monkeypatch):
    monkeypatch.setattr(engine, "MAX_ANALYSES_BYTES", 1)
    upload(app, ("one.png", phantom_png), ("two.png", other_png))
    [shown] = app.session_state["analyses"].values()
    assert shown.image.name == "one.png"
    assert app.dataframe[0].value["Probability"].notna().all()
    app.button(key="pick_1").click()  # dropped, so computed again
    assert "two.png" in read_viewer(run(app))["panels"][0]["caption"]
    assert len(app.session_state["analyses"]) == 1
