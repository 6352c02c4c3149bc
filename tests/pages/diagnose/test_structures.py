"""Diagnose: dermoscopic structures with their evidence, and the range of plausible outlines."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.diagnosis.structures import StructureProbe
from models import loading, manifest
from models.manifest import StructuresEntry, file_sha256
from pages.components.diagnose import outline_check
from tests.fakes import CHANNELS, fake_bundle, fake_manifest
from tests.pages.driver import read_tables, read_text, read_viewer, run, upload

NAMES = ("globules", "milia_like_cyst", "streaks")
BAND = {"low": 0.1, "high": 0.9, "share": 0.8, "origin": "outlines made up for tests"}


@pytest.fixture
def give(app: AppTest, monkeypatch, tmp_path):
    """Let the stand-in bundle state a probe, of which milia-like cysts were not tested well, and a band."""

    def change(band: dict | None = BAND, low: float = 0.8) -> None:
        path = tmp_path / "structures.npz"
        StructureProbe(NAMES, np.ones((3, CHANNELS), np.float32), np.float32([-1, -2, -3])).save(path)
        lows = dict(zip(NAMES, (low, 0.6, low), strict=True))
        auc = {name: {"estimate": 0.85, "low": one, "high": 0.9} for name, one in lows.items()}
        stated = replace(
            fake_manifest(),
            folder=tmp_path,
            structures=StructuresEntry(path.name, file_sha256(path), auc, "fitted on drawings"),
            segmenter=replace(fake_manifest().segmenter, record={"outline_band": band} if band else {}),
        )
        monkeypatch.setattr(manifest, "read_manifest", lambda folder=None: stated)
        monkeypatch.setattr(
            loading, "load_bundle", lambda folder=None: replace(fake_bundle(), manifest=stated)
        )

    return change


def test_a_bundle_without_probe_and_band_shows_neither(app: AppTest, phantom_png: bytes):
    text = read_text(upload(app, ("lesion.png", phantom_png)))
    assert "Dermoscopic structures" not in text and "plausible outline" not in text
    assert "Structures" not in app.segmented_control(key="view").options


def test_structures_stand_with_probability_and_tested_auc_those_not_tested_well_by_name(
    give, app, phantom_png
):
    give()
    text = read_text(upload(app, ("lesion.png", phantom_png)))
    [analysis] = app.session_state["analyses"].values()
    assert f"{analysis.structures['globules']:.0%}" in text and "AUC 0.85 (0.80–0.90)" in text
    assert "**Streaks**" in text and "milia-like cysts (AUC 0.85): not tested well enough" in text


def test_a_probe_of_which_nothing_was_tested_well_shows_no_probability(give, app, phantom_png):
    give(low=0.7)
    text = read_text(upload(app, ("lesion.png", phantom_png)))
    assert "None is shown" in text and "**Streaks**" not in text
    assert "Structures" not in app.segmented_control(key="view").options


def test_show_where_opens_the_evidence_of_that_structure(give, app, phantom_png):
    give()
    upload(app, ("lesion.png", phantom_png))
    app.button(key="structure_streaks").click()
    run(app)
    assert read_viewer(app)["panels"][1]["alt"] == "Heatmap of where streaks was found."
    app.selectbox(key="structure").set_value("globules")
    run(app)
    assert "globules" in read_viewer(app)["panels"][1]["caption"]


def test_the_view_of_a_bundle_with_a_probe_is_left_with_one_without(give, app, phantom_png):
    give()
    upload(app, ("lesion.png", phantom_png))
    app.segmented_control(key="view").set_value("Structures")
    run(app)
    give(low=0.7)
    run(app)
    assert app.segmented_control(key="view").value == "Outline"


def test_measurements_are_ranges_between_the_plausible_outlines(give, app, phantom_png):
    give()
    upload(app, ("lesion.png", phantom_png))
    [note] = [one for one in app.caption if "tightest and widest plausible outline" in one.value]
    assert "80% of experts" in note.value and "made up for tests" in note.proto.help
    [analysis] = app.session_state["analyses"].values()
    own, tight, wide = analysis.measure_plausible()
    assert tight.diameter_px < own.diameter_px < wide.diameter_px
    assert f"{tight.diameter_px:.0f}–{wide.diameter_px:.0f} px" in read_tables(app)


def test_a_button_says_whether_the_answer_depends_on_the_outline(give, app, phantom_png):
    give()
    upload(app, ("lesion.png", phantom_png))
    app.button(key="outline_check").click()
    text = read_text(run(app))
    assert "depend on the outline" in text and "Tightest outline: " in text and "Widest: " in text


def test_the_verdict_names_class_or_side_of_the_threshold(give, app, phantom_png):
    give()
    upload(app, ("lesion.png", phantom_png))
    [analysis] = app.session_state["analyses"].values()
    own = analysis.classification
    shifted = np.roll(own.probabilities, 1)
    other = replace(own, probabilities=shifted)
    assert "does not depend" in outline_check.describe(analysis, [own, own])
    assert "class depends" in outline_check.describe(analysis, [own, other])
