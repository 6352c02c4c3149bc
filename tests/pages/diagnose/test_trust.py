"""Diagnose: prediction sets, and images outside what the model knows."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.diagnosis.novelty import NoveltyModel
from core.taxonomy import HAM10000_CLASSES
from models import loading, manifest
from models.manifest import ConformalEntry, NoveltyEntry, file_sha256
from tests.fakes import CHANNELS, fake_bundle, fake_manifest
from tests.pages.driver import keys, read_text, run, upload

UNKNOWN = "Outside what this model knows"
SET = "coverage the answer lies among"
EVERYTHING, NOTHING = (1.0,) * 7, (0.0,) * 7


@pytest.fixture
def give_trust(app: AppTest, monkeypatch, tmp_path):
    """Let the stand-in bundle state sets and a novelty threshold."""

    def change(quantiles: tuple[float, ...] = EVERYTHING, threshold: float = 2.0) -> None:
        path = tmp_path / "novelty.npz"
        NoveltyModel(np.zeros(CHANNELS), np.eye(CHANNELS)[:1]).save(path)
        stated = replace(
            fake_manifest(),
            folder=tmp_path,
            conformal=ConformalEntry(0.9, 0.8, quantiles),
            novelty=NoveltyEntry(path.name, file_sha256(path), threshold, "made up for tests of novelty"),
        )
        bundle = replace(fake_bundle(), manifest=stated)
        monkeypatch.setattr(manifest, "read_manifest", lambda folder=None: stated)
        monkeypatch.setattr(loading, "load_bundle", lambda folder=None: bundle)

    return change


def show_anyway(app: AppTest):
    [toggle] = [toggle for toggle in app.toggle if toggle.key.startswith("anyway_")]
    return toggle


def test_a_bundle_that_states_nothing_shows_neither_set_nor_novelty(app: AppTest, phantom_png: bytes):
    text = read_text(upload(app, ("lesion.png", phantom_png)))
    assert "Ranked probabilities" in text
    assert SET not in text and UNKNOWN not in text
    assert not any(key.startswith("anyway_") for key in keys(app.toggle))


def test_the_set_stands_beside_the_ranking_most_probable_first(give_trust, app, phantom_png: bytes):
    give_trust(EVERYTHING)
    text = read_text(upload(app, ("lesion.png", phantom_png)))
    assert f"With 90% {SET}" in text
    assert all(name in text.split(SET)[1] for name in ("Melanoma", "Melanocytic nevus", "Vascular lesion"))
    [analysis] = app.session_state["analyses"].values()
    assert analysis.conformal_set == tuple(code for code, _, _ in analysis.classification.ranked())
    assert set(analysis.conformal_set) == set(HAM10000_CLASSES)


def test_an_empty_set_is_said_in_words(give_trust, app: AppTest, phantom_png: bytes):
    give_trust(NOTHING)
    assert "no diagnosis is likely enough" in read_text(upload(app, ("lesion.png", phantom_png)))


def test_an_unknown_kind_of_image_gets_no_ranking_until_asked(give_trust, app, phantom_png: bytes):
    give_trust(threshold=1e-6)
    text = read_text(upload(app, ("lesion.png", phantom_png)))
    assert UNKNOWN in text and "made up for tests of novelty" in text
    for answer in ("Probability of malignancy", "Ranked probabilities", "Most probable class", SET):
        assert answer not in text
    assert "Grad-CAM" not in app.segmented_control(key="view").options
    assert not app.download_button
    show_anyway(app).set_value(True)
    text = read_text(run(app))
    assert UNKNOWN in text and "Probability of malignancy" in text
    assert SET not in text  # coverage is promised for known kinds of image only
    assert "download_json" in keys(app.download_button)


def test_a_known_kind_of_image_is_answered_at_once(give_trust, app: AppTest, phantom_png: bytes):
    give_trust(threshold=2.0)  # no distance reaches it
    text = read_text(upload(app, ("lesion.png", phantom_png)))
    assert UNKNOWN not in text and "Probability of malignancy" in text


def test_the_table_of_all_images_withholds_unknown_ones(give_trust, app, phantom_png, bare_skin_png):
    give_trust(threshold=1e-6)
    upload(app, ("one.png", phantom_png), ("two.png", bare_skin_png))
    table = app.dataframe[0].value
    assert set(table["Remarks"]) == {"out of distribution"}
    assert "Most probable" not in table


def test_the_readers_impression_is_asked_for_only_once_the_answer_is_wanted(give_trust, app, phantom_png):
    give_trust(threshold=1e-6)
    app.toggle(key="impression_first").set_value(True)
    run(app)
    assert "What is your impression?" not in read_text(upload(app, ("lesion.png", phantom_png)))
    show_anyway(app).set_value(True)
    text = read_text(run(app))
    assert "What is your impression?" in text and "Probability of malignancy" not in text
