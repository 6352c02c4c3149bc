"""Choices on the validation split: windows judged with the views that the bundle will use."""

import numpy as np
import pytest

from core.analyzer import classifier_input
from core.phantoms import SAMPLES, draw_sample
from core.symmetry import N_SYMMETRIES
from tests.fakes import fake_bundle
from training.export import choose_windows
from training.validation import LabelledImages


@pytest.fixture(scope="module")
def split() -> LabelledImages:
    phantoms = [draw_sample(sample.name) for sample in SAMPLES[:2]]
    images, masks = [p.image for p in phantoms], [p.lesion_mask for p in phantoms]
    return LabelledImages(None, images, masks, np.array([0, 1]))


@pytest.mark.parametrize(
    ("n_views", "names"), [(1, {"one_view"}), (N_SYMMETRIES, {"one_view", "eight_views"})]
)
def test_windows_are_judged_with_the_bundles_views(split, n_views, names):
    bundle = fake_bundle()
    seen = classifier_input(bundle.manifest)
    scores, windows, views = choose_windows(bundle, split, split.masks, seen, n_views)
    assert all(set(found) == names for found in scores.values())
    assert set(scores) == {*seen.windows, "+".join(seen.windows)}
    assert views.shape == (2, n_views * len(windows), len(seen.classes))
