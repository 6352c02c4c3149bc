"""The app through its entrypoint, on the tests' tiny stand-in networks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.images.drawing import encode_png
from core.phantoms.lesions import draw_phantom
from core.settings import RECORDS_VARIABLE
from models import loading, manifest
from pages.components.shared import dataset_folder
from tests.fakes import fake_bundle, fake_manifest


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the app keeps the datasets that it fetches or draws, and the records: an empty folder."""
    monkeypatch.setenv(RECORDS_VARIABLE, str(tmp_path / "records.sqlite3"))
    monkeypatch.setattr(dataset_folder, "STORE", tmp_path / "store")
    return tmp_path / "store"


def open_app() -> AppTest:
    """The app's first page."""
    return AppTest.from_file("../../streamlit_app.py", default_timeout=60).run()


@pytest.fixture
def fake_networks(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Stand-ins for the shipped bundle; returns how often the networks were loaded."""
    st.cache_resource.clear()
    bundle, loads = fake_bundle(), []
    monkeypatch.setattr(manifest, "read_manifest", lambda folder=None: fake_manifest())
    monkeypatch.setattr(loading, "load_bundle", lambda folder=None: loads.append(folder) or bundle)
    yield lambda: len(loads)
    st.cache_resource.clear()


@pytest.fixture
def app(fake_networks: Callable[[], int]) -> AppTest:
    """The app, opened, with stand-in networks."""
    return open_app()


@pytest.fixture(scope="session")
def phantom_png() -> bytes:
    """A drawn lesion, 300 x 400 px."""
    return encode_png(draw_phantom(7, size_px=(300, 400)).image)


@pytest.fixture(scope="session")
def bare_skin_png() -> bytes:
    """Evenly bright skin: the stand-in segmenter, which takes dark for lesion, finds nothing."""
    return encode_png(np.full((300, 400, 3), (222, 190, 180), np.uint8))
