"""Fourteen corruptions: pure, reproducible, worse with severity, and the mask goes along."""

import numpy as np
import pytest

from core.evaluation.mask_metrics import dice
from core.phantoms.lesions import draw_phantom
from training.data.corruptions import CORRUPTIONS, FILTERS, SEVERITIES, WARPS, corrupt, corrupt_each


@pytest.fixture(scope="module", params=[(150, 200), (450, 600)], ids=["small", "large"])
def phantom(request):
    return draw_phantom(7, size_px=request.param)


def change(phantom, name: str, severity: int, seed: int) -> float:
    """Mean absolute change of the pixels."""
    image, _ = corrupt(phantom.image, phantom.lesion_mask, name, severity, np.random.default_rng(seed))
    return float(np.abs(image.astype(int) - phantom.image).mean())


def test_there_are_fourteen():
    assert len(CORRUPTIONS) == len(set(CORRUPTIONS)) == 14 and len(SEVERITIES) == 5


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("seed", [0, 1])
def test_severity_takes_the_change_further(phantom, name, seed):
    changes = [change(phantom, name, severity, seed) for severity in SEVERITIES]
    assert changes[0] > 0.1 and (np.diff(changes) > 0).all(), changes


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_is_a_pure_function_of_image_and_seed(phantom, name):
    before = phantom.image.copy()
    first, second, other = (
        corrupt(phantom.image, phantom.lesion_mask, name, 3, np.random.default_rng(seed))
        for seed in (5, 5, 6)
    )
    assert np.array_equal(phantom.image, before)
    assert first[0].shape == before.shape and first[0].dtype == np.uint8
    assert first[1].shape == before.shape[:2] and first[1].dtype == np.bool_
    assert np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])
    draws = {"motion blur", "Gaussian noise", "shot noise", "colour cast", "elastic", "tilt"}
    if name in draws:
        assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_what_moves_nothing_leaves_the_mask_alone(phantom, name):
    _, mask = corrupt(phantom.image, phantom.lesion_mask, name, 5, np.random.default_rng(0))
    assert np.array_equal(mask, phantom.lesion_mask)


@pytest.mark.parametrize("name", sorted(WARPS))
def test_the_mask_moves_with_the_skin(phantom, name):
    # An image painted with its own mask: after the warp it must still be painted with the moved one.
    painted = np.repeat(phantom.lesion_mask[..., None], 3, axis=2).astype(np.uint8) * 255
    image, mask = corrupt(painted, phantom.lesion_mask, name, 5, np.random.default_rng(0))
    assert np.array_equal(image[..., 0] > 127, mask)
    assert dice(mask, phantom.lesion_mask) < 0.99  # and it did move


def test_a_tilt_leaves_the_centre_where_it_was_and_widens_the_near_side():
    # A 41 px wide frame: the reading position of the middle pixel is itself.
    x, y = WARPS["tilt"]((41, 41), 5, np.random.default_rng(0))
    assert (x[20, 20], y[20, 20]) == (20, 20)
    gaps = np.hypot(np.diff(x, axis=1), np.diff(y, axis=1))
    assert gaps.max() > 1.3 > 1 > gaps.min()


def test_blurs_keep_a_flat_image_flat():
    flat = np.full((60, 80, 3), 130, np.uint8)
    mask = np.zeros((60, 80), bool)
    for name in ("defocus blur", "Gaussian blur", "motion blur", "zoom blur", "low resolution", "elastic"):
        image, _ = corrupt(flat, mask, name, 5, np.random.default_rng(0))
        assert (image == 130).all(), name


def test_defocus_spreads_a_point_over_a_disc():
    # One bright pixel in a 90 px frame (scale 0.2): severity 5 has a radius of 17 * 0.2 = 3.4 px,
    # so light reaches 3 px to the side, but neither 5 px nor 3 px along both axes (4.2 px).
    point = np.zeros((90, 120, 3), np.uint8)
    point[45, 60] = 255
    image, _ = corrupt(point, np.zeros((90, 120), bool), "defocus blur", 5, np.random.default_rng(0))
    assert image[45, 63, 0] > 0 and image[45, 65, 0] == 0 and image[48, 63, 0] == 0


@pytest.mark.parametrize(("name", "severity"), [("fog", 1), ("JPEG", 0), ("JPEG", 6)])
def test_unknown_corruptions_and_severities_are_refused(name, severity):
    image = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match=r"one of defocus blur, .*1 to 5; got"):
        corrupt(image, np.zeros((4, 4), bool), name, severity, np.random.default_rng(0))


def test_each_image_is_corrupted_its_own_way_the_same_each_time():
    image = np.full((60, 80, 3), 120, np.uint8)
    image[20:40, 30:50] = 60
    mask = image[..., 0] < 100
    images, masks = corrupt_each([image] * 12, [mask] * 12, (1, 2, 3), seed=5)
    again, _ = corrupt_each([image] * 12, [mask] * 12, (1, 2, 3), seed=5)
    other, _ = corrupt_each([image] * 12, [mask] * 12, (1, 2, 3), seed=6)
    assert all(np.array_equal(a, b) for a, b in zip(images, again, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(images, other, strict=True))
    assert len({picture.tobytes() for picture in images}) > 8
    assert all(m.shape == mask.shape and m.dtype == bool for m in masks)
