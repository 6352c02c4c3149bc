"""What the tests of batches share."""

import pytest

from core.batch import foreground
from tests.core.slow_job import light_bundle
from tests.fakes import fake_manifest


@pytest.fixture
def light_networks(monkeypatch):
    """Every batch of this process runs on networks that answer at once."""
    bundle = light_bundle()
    monkeypatch.setattr("core.analyzer.load_bundle", lambda folder: bundle)
    monkeypatch.setattr(foreground, "read_manifest", fake_manifest)
