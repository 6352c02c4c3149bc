"""Diagnose, one image: what each state of the page shows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.images.drawing import encode_png
from core.phantoms.lesions import SAMPLES
from models import loading, manifest
from pages.components.diagnose.settings import describe_scores
from tests.fakes import fake_bundle, fake_manifest
from tests.pages.driver import (
    ABOUT,
    DIAGNOSE,
    focus_box,
    keys,
    read_ranking,
    read_tables,
    read_text,
    read_viewer,
    run,
    upload,
    visit,
)

NOTICE = "Not a medical device"


def test_empty_page_offers_upload_camera_and_every_sample(app: AppTest):
    assert app.title[0].value == "Diagnose"
    assert keys(app.file_uploader) == {"upload_0"}
    assert "camera_on" in keys(app.toggle)
    assert [b.label for b in app.button if b.key.startswith("sample_")] == [s.name for s in SAMPLES]
    assert "drawn, not a patient" in read_text(app)
    assert not app.download_button


def test_opening_the_page_loads_no_networks(app: AppTest, fake_networks):
    assert fake_networks() == 0
    visit(app, ABOUT)
    assert fake_networks() == 0


def test_sample_is_analysed_and_labelled_as_drawn(app: AppTest):
    app.button(key="sample_1").click()
    run(app)
    assert "drawn, not a patient" in read_viewer(app)["panels"][0]["caption"]
    assert NOTICE in read_text(app)


def test_upload_shows_verdict_ranking_measurements_and_provenance(app: AppTest, phantom_png: bytes):
    text = read_text(upload(app, ("lesion.png", phantom_png)))
    assert "Probability of malignancy" in text
    assert "made up for tests" in text  # where the threshold comes from
    assert "16 of 16 views" in text  # two windows in eight views
    assert "fake bundle, version 0" in text
    assert "PNG, 400 × 300 px" in text
    assert NOTICE in text
    for letter in ("A · Asymmetry", "B · Compactness", "C · Colours", "D · Largest diameter"):
        assert letter in read_tables(app)
    assert keys(app.download_button) == {"download_json", "download_overlay", "download_mask"}


def test_ranking_is_sorted_with_the_spread_as_error_bars(app: AppTest, phantom_png: bytes):
    [bars] = read_ranking(upload(app, ("lesion.png", phantom_png)))["data"]
    assert list(bars["x"]) == sorted(bars["x"], reverse=True)
    assert sum(bars["x"]) == pytest.approx(1)
    assert len(bars["error_x"]["array"]) == 7
    assert all(down <= share for down, share in zip(bars["error_x"]["arrayminus"], bars["x"], strict=True))


def test_malignancy_above_the_threshold_is_stated(app: AppTest, phantom_png, monkeypatch):
    from dataclasses import replace

    from models import loading, manifest
    from tests.fakes import fake_bundle, fake_manifest

    strict = replace(fake_manifest(), suspicious_threshold=0.001)
    monkeypatch.setattr(manifest, "read_manifest", lambda folder=None: strict)
    bundle = replace(fake_bundle(), manifest=strict)
    monkeypatch.setattr(loading, "load_bundle", lambda folder=None: bundle)
    text = read_text(upload(app, ("lesion.png", phantom_png)))
    assert "At or above the decision threshold" in text
    assert ":orange-badge[" in text
    assert "green" not in text


def test_below_the_threshold_is_no_all_clear(app: AppTest, phantom_png: bytes):
    text = read_text(upload(app, ("lesion.png", phantom_png)))
    assert "Below the decision threshold" in text
    assert "does not rule out cancer" in text


@pytest.mark.parametrize("view", ["Outline", "Mask", "Probability map", "Grad-CAM"])
def test_every_view_is_drawn_and_described(app: AppTest, phantom_png: bytes, view: str):
    upload(app, ("lesion.png", phantom_png))
    app.segmented_control(key="view").set_value(view)
    original, shown = read_viewer(run(app))["panels"]
    assert original["src"] != shown["src"]
    assert shown["caption"].startswith(view)
    assert len(shown["alt"]) > 20
    assert ("Heatmap" in shown["alt"]) == (view in ("Probability map", "Grad-CAM"))
    assert f"opacity_{view}" in keys(app.slider)


def test_opacity_changes_the_view(app: AppTest, phantom_png: bytes):
    upload(app, ("lesion.png", phantom_png))
    before = read_viewer(app)["panels"][1]["src"]
    app.slider(key="opacity_Outline").set_value(80)
    assert read_viewer(run(app))["panels"][1]["src"] != before


def test_another_class_changes_words_heatmap_and_ranking(app: AppTest, phantom_png: bytes):
    upload(app, ("lesion.png", phantom_png))
    app.segmented_control(key="view").set_value("Grad-CAM")
    run(app)
    before = read_viewer(app)["panels"][1]["src"]
    focus_box(app).set_value("mel")
    text = read_text(run(app))
    assert "the one not to miss" in text
    assert "neither a lesion outline nor a dermoscopic criterion" in text
    panel = read_viewer(app)["panels"][1]
    assert panel["caption"] == "Grad-CAM of Melanoma"
    assert panel["src"] != before
    assert "<b>Melanoma</b>" in read_ranking(app)["layout"]["yaxis"]["ticktext"]


def test_gradcam_plus_plus_can_be_chosen(app: AppTest, phantom_png: bytes):
    upload(app, ("lesion.png", phantom_png))
    app.segmented_control(key="view").set_value("Grad-CAM")
    run(app)
    before = read_viewer(app)["panels"][1]["src"]
    app.segmented_control(key="method").set_value("gradcam++")
    assert read_viewer(run(app))["panels"][1]["src"] != before


def test_no_lesion_is_a_result_of_its_own(app: AppTest, bare_skin_png: bytes):
    text = read_text(upload(app, ("skin.png", bare_skin_png)))
    assert "No lesion found" in text
    assert "nothing to measure" in text
    assert "Read the result with care" in text  # an even surface is no dermoscopy
    assert read_viewer(app)["panels"][1]["alt"] == "No lesion was found in this image."
    assert len(read_ranking(app)["data"][0]["x"]) == 7


def test_switching_augmentation_off_leaves_one_view_and_no_whiskers(app: AppTest, phantom_png: bytes):
    upload(app, ("lesion.png", phantom_png))
    app.toggle(key="setting_augmentation").set_value(False)
    text = read_text(run(app))
    assert "2 of 2 views" in text  # one view of each window
    assert "one view of each window" in text


def test_filters_reach_the_analysis(app: AppTest, phantom_png: bytes):
    upload(app, ("lesion.png", phantom_png))
    app.toggle(key="setting_hair_removal").set_value(True)
    app.toggle(key="setting_colour_constancy").set_value(True)
    assert "hair removal, colour constancy" in read_text(run(app))


def test_known_settings_are_not_computed_twice(app: AppTest, phantom_png: bytes):
    upload(app, ("lesion.png", phantom_png))
    [first] = app.session_state["analyses"].values()
    app.toggle(key="setting_augmentation").set_value(False)
    run(app)
    app.toggle(key="setting_augmentation").set_value(True)
    run(app)
    results = list(app.session_state["analyses"].values())
    assert len(results) == 2
    assert results[0] is first


def test_pixel_size_turns_the_diameter_into_millimetres(app: AppTest, phantom_png: bytes):
    upload(app, ("lesion.png", phantom_png))
    assert "(no scale)" in read_tables(app)
    [spacing] = [box for box in app.number_input if box.label == "Pixel size (mm)"]
    spacing.set_value(0.02)
    assert "mm)" in read_tables(run(app))


def test_result_and_choices_stay_when_the_page_is_left(app: AppTest, phantom_png: bytes, fake_networks):
    upload(app, ("lesion.png", phantom_png))
    app.segmented_control(key="view").set_value("Mask")
    run(app)
    focus_box(app).set_value("mel")
    run(app)
    [before] = app.session_state["analyses"].values()
    assert visit(app, ABOUT).title[0].value == "About Dermalens"
    visit(app, DIAGNOSE)
    assert "Probability of malignancy" in read_text(app)
    assert app.segmented_control(key="view").value == "Mask"
    assert focus_box(app).value == "mel"
    assert list(app.session_state["analyses"].values()) == [before]
    assert fake_networks() == 1


def test_impression_first_hides_the_answer_until_one_is_chosen(app: AppTest, phantom_png: bytes):
    app.toggle(key="impression_first").set_value(True)
    run(app)
    text = read_text(upload(app, ("lesion.png", phantom_png)))
    assert "What is your impression?" in text
    assert "Probability of malignancy" not in text
    assert "Vascular lesion" not in text
    assert "Grad-CAM" not in app.segmented_control(key="view").options
    assert not app.download_button
    [pills] = [pills for pills in app.pills if pills.key.startswith("impression_")]
    pills.set_value("mel")
    text = read_text(run(app))
    assert "**Your impression:** Melanoma" in text
    assert "Probability of malignancy" in text


def test_clear_returns_to_the_empty_page(app: AppTest, phantom_png: bytes):
    upload(app, ("lesion.png", phantom_png))
    app.button(key="clear").click()
    assert "Your images" in read_text(run(app))


def test_another_model_can_be_chosen_and_is_named(app: AppTest, phantom_png: bytes, monkeypatch):
    first = fake_bundle()
    manifest_of_other = replace(
        first.manifest,
        folder=Path("other"),
        name="other",
        temperature=2.0,
        description="a classic system",
        test_time_augmentation=False,
    )
    other = replace(first, manifest=manifest_of_other)
    bundles = {Path("fake"): first, Path("other"): other}
    monkeypatch.setattr(manifest, "list_bundles", lambda: list(bundles))
    monkeypatch.setattr(
        manifest, "read_manifest", lambda folder=None: bundles[Path(folder or "fake")].manifest
    )
    monkeypatch.setattr(loading, "load_bundle", lambda folder=None: bundles[Path(folder)])
    upload(app, ("lesion.png", phantom_png))
    assert "fake bundle, version 0" in read_text(app) and "eight symmetric views" in read_text(app)
    app.selectbox(key="setting_model").set_value("other")
    text = read_text(run(app))
    assert "other, version 0, a classic system" in text and "fake bundle" not in text
    assert "eight symmetric views" not in text  # it was measured with one
    assert "Nothing has been measured about this model yet." in text


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        (
            ("validation",),
            "On the validation split: balanced accuracy 0.71, accuracy 0.82. Not yet evaluated",
        ),
        (("validation", "test"), "On the test split: balanced accuracy 0.71, accuracy 0.82."),
    ],
)
def test_a_models_scores_are_those_of_its_manifest(splits, expected):
    scores = {"balanced_accuracy": {"estimate": 0.714}, "accuracy": {"estimate": 0.82}}
    whole = fake_manifest()
    entry = replace(whole.classifier, record={"scores": dict.fromkeys(splits, scores)})
    assert describe_scores(replace(whole, classifier=entry)).startswith(expected)


def test_of_two_spots_the_other_can_be_analysed(app: AppTest):
    y, x = np.mgrid[:300, :400]
    picture = np.full((300, 400, 3), (225, 180, 160), np.uint8)
    for centre, radius in ((120, 60), (330, 40)):
        picture[np.hypot(x - centre, y - 150) < radius] = (70, 40, 30)
    upload(app, ("two.png", encode_png(picture)))
    assert "Another spot was left out" in read_text(app)
    assert "Spot 1 of 2" in read_text(app)
    app.button(key="next_spot").click()
    run(app)
    assert "Spot 2 of 2" in read_text(app)
