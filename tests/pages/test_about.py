"""About: what Dermalens is, and what the loaded bundle states about itself."""

from dataclasses import replace

from streamlit.testing.v1 import AppTest

from models import manifest
from models.manifest import WEIGHTS_VARIABLE
from tests.fakes import fake_manifest
from tests.pages.conftest import open_app
from tests.pages.driver import ABOUT, read_tables, read_text, visit


def test_about_states_limits_licences_and_the_bundle(app: AppTest):
    text = read_text(visit(app, ABOUT))
    assert app.title[0].value == "About Dermalens"
    assert "Not a medical device" in text
    assert "darker skin is unknown" in text
    assert "CC BY-NC 4.0" in text
    assert "10.1038/sdata.2018.161" in text
    assert fake_manifest().fingerprint in text
    assert "0" * 64 in text


def test_about_shows_the_scores_in_the_manifest(app: AppTest, monkeypatch):
    scores = {"test": {"dice": {"estimate": 0.9234, "low": 0.91, "high": 0.93}}, "validation": {"dice": 0.94}}
    plain = fake_manifest()
    scored = replace(plain, segmenter=replace(plain.segmenter, record={"scores": scores}))
    monkeypatch.setattr(manifest, "read_manifest", lambda folder=None: scored)
    cells = read_tables(visit(app, ABOUT))
    assert "0.923 :gray[(0.910 to 0.930)]" in cells
    assert "0.940" in cells


def test_about_opens_without_weights(monkeypatch, tmp_path):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    app = visit(open_app(), ABOUT)
    assert "networks are not available" in app.error[0].proto.title
