"""A run's process on stand-in networks, slowed down so that a test can end it in the middle."""

import time

import numpy as np

from core import analyzer
from core.batch import worker as job_process
from models.loading import Bundle
from tests.fakes import colour_features, darkness_segmenter, fake_manifest

SECONDS_A_BATCH = 0.1


def light_bundle() -> Bundle:
    """Numpy alone, so that the process starts in a moment."""
    manifest = fake_manifest()
    weights = np.random.default_rng(0).normal(0, 3, (6, len(manifest.classes)))
    head = lambda features: features.mean(axis=(1, 2)) @ weights  # noqa: E731
    return Bundle(manifest, darkness_segmenter, colour_features, head, None)


def slow_segmenter(batch: np.ndarray) -> np.ndarray:
    time.sleep(SECONDS_A_BATCH)
    return darkness_segmenter(batch)


def load_slow_bundle(folder=None) -> Bundle:
    fast = light_bundle()
    return Bundle(fast.manifest, slow_segmenter, fast.feature_network, fast.head_network, None)


if __name__ == "__main__":
    analyzer.load_bundle = load_slow_bundle
    job_process.main()
