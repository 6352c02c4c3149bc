"""About: what Dermalens is, and what the loaded bundle states about itself."""

import json

from streamlit.testing.v1 import AppTest

from core.systems import model_card
from models.manifest import WEIGHTS_VARIABLE, Manifest
from pages.components.about import reliability
from tests.core.systems.test_reliability import RECORD as RELIABILITY
from tests.fakes import fake_manifest
from tests.pages.conftest import open_app
from tests.pages.driver import ABOUT, read_tables, read_text, visit


def test_about_states_limits_licences_and_the_bundle(app: AppTest):
    text = read_text(visit(app, ABOUT))
    assert app.title[0].value == "About Dermalens"
    assert "Not a medical device" in text
    assert "few pictures of dark skin" in text
    assert "CC BY-NC 4.0" in text
    assert "10.1038/sdata.2018.161" in text
    assert fake_manifest().fingerprint in text
    assert "0" * 64 in text


def test_the_model_card_shows_the_scores_that_the_evaluation_wrote(app: AppTest, monkeypatch, tmp_path):
    run = tmp_path / fake_manifest().name
    run.mkdir()
    dice = {"estimate": 0.9234, "low": 0.91, "high": 0.93}
    (run / "test_scores.json").write_text(
        json.dumps({**fake_manifest().stamp, "segmentation": {"dice": dice}})
    )
    monkeypatch.setattr(model_card.read_record, "__defaults__", (tmp_path,))
    assert "0.923 (0.910 to 0.930)" in read_tables(visit(app, ABOUT))


def test_a_bundle_trained_on_validation_lesions_says_how_it_was_validated(
    app: AppTest, monkeypatch, tmp_path
):
    (tmp_path / fake_manifest().name).mkdir()
    (tmp_path / fake_manifest().name / "test_scores.json").write_text(
        json.dumps(
            {**fake_manifest().stamp, "segmentation": {"dice": {"estimate": 0.9, "low": 0.8, "high": 1.0}}}
        )
    )
    monkeypatch.setattr(model_card.read_record, "__defaults__", (tmp_path,))
    said = "Part of this bundle was trained on validation lesions"
    assert said not in read_text(visit(app, ABOUT))
    monkeypatch.setattr(Manifest, "training_splits", ("train", "validation"))
    assert said in read_text(app.run())


def test_a_bundle_without_records_says_which_command_writes_them(app: AppTest):
    assert "dermalens evaluate scores" in read_text(visit(app, ABOUT))


def test_about_opens_without_weights(monkeypatch, tmp_path):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    app = visit(open_app(), ABOUT)
    assert "networks are not available" in app.error[0].proto.title


def test_what_the_load_test_found_is_shown_with_its_machine(app: AppTest, monkeypatch):
    record = RELIABILITY | {"date": "2026-01-02", "machine": {"cores": 2, "load_average": 9.5}}
    monkeypatch.setattr(reliability, "read_reliability", lambda: record)
    visit(app, ABOUT)
    assert "Under load" in read_text(app) and "2 cores with a load of 9.5" in read_text(app)
    assert "1,013 of 1,015 answers right" in read_tables(app)
