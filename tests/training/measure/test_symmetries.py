"""The eight symmetries: counted by hand, and a pipeline that averages all of them does not care which it gets."""

import numpy as np
import pytest

from core.analyzer import Analyzer
from core.images.symmetry import N_SYMMETRIES
from core.phantoms.lesions import draw_phantom
from tests.fakes import fake_bundle
from training.measure.symmetries import answer_symmetries, measure, score_symmetries


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer(fake_bundle())


def test_changes_are_counted_by_hand():
    steady = np.tile([0.6, 0.4], (N_SYMMETRIES, 1))
    moved = steady.copy()
    moved[3] = [0.3, 0.7]
    scores = score_symmetries(np.stack([steady, moved]))
    assert scores["images_changed"] == 0.5
    assert scores["symmetries_changed"] == pytest.approx(1 / 14)
    assert scores["largest_probability_change"] == pytest.approx(0.3)


def test_the_first_answer_is_that_of_the_image_as_it_is(analyzer):
    image = draw_phantom(4, size_px=(96, 128)).image
    expected = analyzer.analyze(image).classification.probabilities
    answers = answer_symmetries(analyzer, image, test_time_augmentation=True)
    assert answers.shape == (N_SYMMETRIES, len(expected))
    np.testing.assert_allclose(answers[0], expected, atol=1e-6)


def test_eight_views_make_the_answer_the_same_from_every_side(analyzer):
    scores = measure(analyzer, [draw_phantom(seed, size_px=(96, 128)).image for seed in (1, 2)])
    assert scores["eight_views"]["images_changed"] == 0
    assert scores["eight_views"]["largest_probability_change"] < 0.02
