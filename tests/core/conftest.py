"""Shared by the tests of the engine: an analyser on fake networks, and one drawn lesion."""

import pytest

from core.analyzer import Analyzer
from core.phantoms.lesions import Phantom, PhantomSpec, draw_phantom
from tests.fakes import fake_bundle

# Dark on light skin, well inside the frame: `darkness_segmenter` finds it.
SPEC = PhantomSpec("light", 0.27, 0.3, 0.4, ("dark brown", "black"), "structureless", 4.0)


@pytest.fixture(scope="session")
def analyzer() -> Analyzer:
    return Analyzer(fake_bundle())


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    return draw_phantom(7, size_px=(150, 200), spec=SPEC)
