"""The controlled check of skin tone: one lesion, six skins."""

import numpy as np
import pandas as pd

from core.systems.skin_tones import TONES, draw_lesion_on, read_answers, summarise
from tests.fakes import fake_bundle


def test_only_the_skin_differs_between_tones():
    light, dark = (draw_lesion_on(3, tone, (60, 80)) for tone in (TONES[0], TONES[-1]))
    np.testing.assert_array_equal(light.lesion_mask, dark.lesion_mask)
    skin = ~light.lesion_mask
    assert light.image[skin].mean() > dark.image[skin].mean() + 60


def test_changes_are_taken_against_the_lightest_tone_of_the_same_lesion():
    # Lesion 0 is 0.2 everywhere, lesion 1 is 0.4 and on the darkest tone 0.6, beyond the threshold of 0.5.
    rows = [
        (lesion, tone, 0.9, 0.6 if (lesion, tone) == (1, TONES[-1]) else 0.2 * (lesion + 1), "mel")
        for lesion in (0, 1)
        for tone in TONES
    ]
    found = summarise(
        pd.DataFrame(rows, columns=["lesion", "tone", "dice", "malignancy", "prediction"]), 0.5, 50
    )
    assert [one.tone for one in found] == list(TONES)
    assert found[0].shift.estimate == 0 and found[0].changed.estimate == 0
    np.testing.assert_allclose(found[-1].shift.estimate, 0.1)
    assert found[-1].changed.estimate == 0.5 and found[-1].n_lesions == 2


def test_a_bundle_that_was_not_asked_has_no_answers(tmp_path):
    assert read_answers(fake_bundle().manifest, tmp_path) is None
