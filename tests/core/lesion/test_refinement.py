"""Refinement on maps of known shape: discs, specks, holes, gradients and their eight symmetries."""

import cv2
import numpy as np
import pytest

from core.lesion.refinement import RefinedMask, RefinementSettings, refine_mask

METHODS = ("adaptive", "otsu", "fixed")


def _disc(height: int, width: int, cx: float, cy: float, radius: float) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return (x - cx) ** 2 + (y - cy) ** 2 <= radius**2


def _soft_disc(
    height: int, width: int, cx: float, cy: float, radius: float, softness: float = 3.0
) -> np.ndarray:
    """(H, W) float32: 0.5 exactly on the circle, a sigmoid across it."""
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(x - cx, y - cy)
    return (1 / (1 + np.exp((distance - radius) / softness))).astype(np.float32)


def _noisy_map(height: int, width: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.normal(size=(height, width)).astype(np.float32), (0, 0), 8)
    y, x = np.mgrid[:height, :width]
    bump = 2.5 - ((x - 0.45 * width) / (width / 6)) ** 2 - ((y - 0.55 * height) / (height / 5)) ** 2
    return (1 / (1 + np.exp(-2 * (bump + noise / noise.std())))).astype(np.float32)


def _symmetry(array: np.ndarray, k: int) -> np.ndarray:
    """One of the eight flips and quarter-turns."""
    turned = np.rot90(array, k % 4)
    return np.ascontiguousarray(turned[:, ::-1] if k >= 4 else turned)


def _jaccard(a: np.ndarray, b: np.ndarray) -> float:
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(450, 600), (150, 200), (97, 233)])
def test_soft_disc_is_recovered(method, shape):
    height, width = shape
    radius = 0.3 * height
    probability = _soft_disc(height, width, width / 2, height / 2, radius, softness=height / 150)
    refined = refine_mask(probability, RefinementSettings(method=method))
    assert refined.found
    assert refined.lesion_mask.shape == shape and refined.lesion_mask.dtype == np.bool_
    assert _jaccard(refined.lesion_mask, _disc(height, width, width / 2, height / 2, radius)) > 0.97


def test_contour_is_xy_and_runs_along_the_disc():
    # Centre (x=140, y=60), radius 30: every outline point lies within 1.5 px of the circle.
    refined = refine_mask(_soft_disc(150, 200, 140, 60, 30, softness=0.5))
    assert refined.contour.dtype == np.float32
    distance = np.hypot(refined.contour[:, 0] - 140, refined.contour[:, 1] - 60)
    assert np.abs(distance - 30).max() < 1.5
    x, y = refined.contour.astype(int).T
    assert refined.lesion_mask[y, x].all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(450, 600), (192, 256), (97, 233)])
def test_refining_commutes_with_the_eight_symmetries(method, shape):
    settings = RefinementSettings(method=method)
    probability = _noisy_map(*shape, seed=shape[0])
    refined = refine_mask(probability, settings)
    assert refined.found
    for k in range(8):
        moved = refine_mask(_symmetry(probability, k), settings)
        np.testing.assert_array_equal(moved.lesion_mask, _symmetry(refined.lesion_mask, k))
        assert moved.threshold == refined.threshold


def test_otsu_lies_in_the_middle_between_two_separated_heaps():
    # Values 0.3 and 0.6 only: every cut between them separates equally well, the middle is 0.45.
    probability = np.full((60, 80), 0.3, np.float32)
    probability[20:40, 25:55] = 0.6
    assert refine_mask(probability, RefinementSettings(method="otsu")).threshold == pytest.approx(
        0.45, abs=0.002
    )


def test_otsu_agrees_with_opencv_within_the_clip_range():
    probability = _noisy_map(150, 200, seed=5)
    eight_bit = np.rint(probability * 255).astype(np.uint8)
    reference, _ = cv2.threshold(eight_bit, 0, 255, cv2.THRESH_OTSU)
    settings = RefinementSettings(threshold_min=0.01, threshold_max=0.99)
    assert refine_mask(probability, settings).threshold == pytest.approx(reference / 255, abs=0.01)


def test_threshold_is_clipped_and_fixed_uses_its_own():
    faint = 0.1 * _soft_disc(60, 80, 40, 30, 15)
    assert refine_mask(faint).threshold == RefinementSettings().threshold_min
    assert refine_mask(faint, RefinementSettings(method="fixed", fixed_threshold=0.4)).threshold == 0.4


def test_hysteresis_keeps_a_faint_margin_only_next_to_a_seed():
    # A core at 0.9 with a 0.58 annex touching it, and the same annex alone: 0.58 is below the seed level.
    probability = np.full((150, 200), 0.02, np.float32)
    probability[50:100, 60:100] = 0.9
    probability[50:100, 100:120] = 0.58
    probability[20:40, 150:190] = 0.58
    mask = refine_mask(probability).lesion_mask
    assert mask[75, 110] and not mask[30, 170]


def test_adaptive_follows_a_faint_border_further_than_fixed():
    # The same bump at 0.45 around a core: above the local cut, below one half.
    probability = np.full((150, 200), 0.02, np.float32)
    probability[_disc(150, 200, 100, 75, 45)] = 0.45
    probability[_disc(150, 200, 100, 75, 30)] = 0.95
    areas = {m: refine_mask(probability, RefinementSettings(method=m)).lesion_mask.sum() for m in METHODS}
    assert areas["fixed"] == pytest.approx(np.pi * 30**2, rel=0.03)
    assert areas["adaptive"] > areas["fixed"]


def test_holes_are_filled_and_specks_dropped():
    probability = _soft_disc(150, 200, 100, 75, 40)
    probability[70:80, 95:105] = 0.0  # a glare spot
    probability[10:13, 10:13] = 1.0  # a speck
    refined = refine_mask(probability)
    assert refined.lesion_mask[75, 100] and not refined.lesion_mask[11, 11]
    assert cv2.connectedComponents(refined.lesion_mask.astype(np.uint8))[0] == 2  # background and one region


def test_bay_open_to_the_edge_is_not_a_hole():
    probability = np.zeros((150, 200), np.float32)
    probability[:80, 40:160] = 1.0
    probability[:50, 80:120] = 0.0  # reaches the upper edge
    mask = refine_mask(probability).lesion_mask
    assert not mask[20, 100] and mask[65, 100] and mask[20, 60]


def test_larger_region_wins_and_centrality_decides_between_equals():
    large_off_centre = np.maximum(_soft_disc(150, 200, 40, 40, 30), _soft_disc(150, 200, 130, 75, 12))
    assert refine_mask(large_off_centre).lesion_mask[40, 40]
    equals = np.maximum(_soft_disc(150, 200, 30, 30, 20), _soft_disc(150, 200, 100, 75, 20))
    mask = refine_mask(equals).lesion_mask
    assert mask[75, 100] and not mask[30, 30]


def test_a_second_spot_of_a_tenth_is_kept_as_an_outline_and_a_smaller_one_is_not():
    main = _soft_disc(300, 400, 120, 150, 60)
    second = _soft_disc(300, 400, 320, 150, 30)  # a quarter of the area
    speck = _soft_disc(300, 400, 320, 40, 12)  # a twenty-fifth
    refined = refine_mask(np.maximum(np.maximum(main, second), speck))
    assert _jaccard(refined.lesion_mask, refine_mask(main).lesion_mask) > 0.99  # the cut moves a little
    [outline] = refined.other_spots
    assert np.abs(np.hypot(outline[:, 0] - 320, outline[:, 1] - 150) - 30).max() < 2
    assert [finding.code for finding in refined.findings] == ["other_spots"]
    assert refine_mask(main).other_spots == () and refine_mask(main).findings == ()


def test_another_spot_can_be_picked_and_the_main_one_is_then_the_other():
    probability = np.maximum(_soft_disc(300, 400, 120, 150, 60), _soft_disc(300, 400, 320, 150, 30))
    first, second = refine_mask(probability), refine_mask(probability, spot=1)
    assert second.lesion_mask[150, 320] and not second.lesion_mask[150, 120]
    np.testing.assert_array_equal(second.contour, first.other_spots[0])
    np.testing.assert_array_equal(second.other_spots[0], first.contour)
    with pytest.raises(ValueError, match="0 to 1"):
        refine_mask(probability, spot=2)


def test_a_spot_inside_the_lesion_is_no_other_spot():
    y, x = np.mgrid[:300, :400]
    distance = np.hypot(x - 200, y - 150)
    ring = ((distance < 100) & (distance > 60)) | (distance < 40)
    refined = refine_mask(ring.astype(np.float32))
    assert refined.lesion_mask[150, 200] and refined.other_spots == ()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 0.3])
def test_flat_map_holds_no_lesion(method, value):
    refined = refine_mask(np.full((60, 80), value, np.float32), RefinementSettings(method=method))
    assert not refined.found
    assert not refined.lesion_mask.any() and refined.lesion_mask.shape == (60, 80)
    assert refined.contour.shape == (0, 2)


@pytest.mark.parametrize("method", METHODS)
def test_whole_picture_is_a_lesion(method):
    refined = refine_mask(np.ones((60, 80), np.float32), RefinementSettings(method=method))
    assert refined.found and refined.lesion_mask.all()


def test_single_pixel_and_weak_noise_are_no_lesion():
    probability = (0.2 * np.random.default_rng(0).random((150, 200))).astype(np.float32)
    assert not refine_mask(probability).found
    probability[75, 100] = 1.0
    assert not refine_mask(probability).found


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (3, 2)])
def test_tiny_maps_do_not_fail(shape):
    assert refine_mask(np.zeros(shape, np.float32)).contour.shape == (0, 2)
    assert refine_mask(np.ones(shape, np.float32)).lesion_mask.shape == shape


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_float_types_give_the_same_mask(dtype):
    probability = np.rint(_soft_disc(60, 80, 40, 30, 15) * 64).astype(np.float32) / 64  # exact in float16
    np.testing.assert_array_equal(
        refine_mask(probability.astype(dtype)).lesion_mask, refine_mask(probability).lesion_mask
    )


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((4, 4, 1), np.float32), "non-empty"),
        (np.zeros((0, 4), np.float32), "non-empty"),
        (np.zeros((4, 4), np.uint8), "floating point"),
        (np.full((4, 4), np.nan, np.float32), "finite"),
        (np.full((4, 4), 1.5, np.float32), "sigmoid"),
        (np.full((4, 4), -0.5, np.float32), "sigmoid"),
    ],
)
def test_bad_maps_are_refused_with_a_remedy(bad, message):
    with pytest.raises(ValueError, match=message):
        refine_mask(bad)


def test_bad_settings_and_results_are_refused():
    with pytest.raises(ValueError, match="method"):
        RefinementSettings(method="watershed")
    with pytest.raises(ValueError, match="threshold_min"):
        RefinementSettings(threshold_min=0.7, threshold_max=0.3)
    with pytest.raises(ValueError, match="seed_probability"):
        RefinementSettings(seed_probability=1.5)
    with pytest.raises(ValueError, match="local_weight"):
        RefinementSettings(local_weight=-1)
    with pytest.raises(ValueError, match="contour"):
        RefinedMask(np.zeros((2, 2), bool), np.zeros((2,), np.float32), 0.5)
    with pytest.raises(ValueError, match="lesion_mask"):
        RefinedMask(np.zeros((2, 2)), np.zeros((0, 2), np.float32), 0.5)


def test_input_is_left_unchanged():
    probability = _noisy_map(60, 80, seed=1)
    before = probability.copy()
    refine_mask(probability)
    np.testing.assert_array_equal(probability, before)
