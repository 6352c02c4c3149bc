"""The tightest and the widest plausible outline lie inside and around the lesion that was found."""

from dataclasses import replace

import numpy as np
import pytest

from core.lesion.band import OutlineBand, plausible_masks, read_band
from models.manifest import BundleError
from tests.fakes import fake_manifest

BAND = OutlineBand(0.2, 0.8, 0.9, "drawn")


def cone(centre_yx=(50, 50), radius_px=40, shape=(100, 140)) -> np.ndarray:
    """(H, W) float32 that falls from 1 in the centre to 0 at the radius: the cut at p is a disc of (1 - p) radius."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.clip(1 - np.hypot(y - centre_yx[0], x - centre_yx[1]) / radius_px, 0, 1).astype(np.float32)


def test_the_cuts_are_discs_of_the_radii_at_which_the_probability_has_the_thresholds():
    found = cone()
    tight, wide = plausible_masks(found, found >= 0.5, BAND)
    # Discs of 8 and 32 px.
    assert tight.sum() == pytest.approx(np.pi * 8**2, rel=0.05)
    assert wide.sum() == pytest.approx(np.pi * 32**2, rel=0.05)
    assert not (tight & ~wide).any()


def test_other_spots_and_holes_do_not_count():
    found = np.maximum(cone(), cone((50, 120), 15))
    found[48:53, 48:53] = 0  # a hole in the middle of the lesion
    tight, wide = plausible_masks(found, cone() >= 0.5, BAND)
    assert not wide[:, 105:].any() and tight[50, 50] and wide[50, 50]


def test_a_hair_that_leaves_the_lesion_does_not_widen_it():
    found = cone(shape=(200, 280), centre_yx=(100, 100))
    found[100, 100:] = np.maximum(found[100, 100:], 0.3)
    _, wide = plausible_masks(found, found >= 0.5, BAND)
    assert wide[100, 125] and not wide[100, 150:].any()


def test_a_lesion_that_is_nowhere_likely_has_no_tightest_outline():
    faint = 0.7 * cone()
    tight, wide = plausible_masks(faint, faint >= 0.5, BAND)
    assert not tight.any() and wide.any()


def test_without_a_lesion_there_is_no_outline():
    tight, wide = plausible_masks(cone(), np.zeros((100, 140), bool), BAND)
    assert not tight.any() and not wide.any()


def test_the_lesion_of_a_large_picture_is_fitted_to_the_smaller_map():
    found = cone()
    large = np.repeat(np.repeat(found >= 0.5, 3, axis=0), 3, axis=1)
    for one, other in zip(
        plausible_masks(found, large, BAND), plausible_masks(found, found >= 0.5, BAND), strict=True
    ):
        assert np.array_equal(one, other)


def with_entry(entry):
    manifest = fake_manifest()
    return replace(manifest, segmenter=replace(manifest.segmenter, record={"outline_band": entry}))


def test_a_bundle_states_its_band_or_none():
    assert read_band(fake_manifest()) is None
    assert read_band(with_entry({"low": 0.2, "high": 0.8, "share": 0.9, "origin": "drawn"})) == BAND


@pytest.mark.parametrize("entry", [{"low": 0.2}, {"low": 0.8, "high": 0.2, "share": 0.9, "origin": ""}])
def test_a_damaged_band_is_refused(entry):
    with pytest.raises(BundleError, match="outline_band"):
        read_band(with_entry(entry))
