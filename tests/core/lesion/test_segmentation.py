"""Lesion maps from fake networks: size, alignment of the views, batches."""

import numpy as np
import pytest

from core.images.symmetry import N_SYMMETRIES, apply_symmetry
from core.lesion.segmentation import predict_masks, stretch_map
from tests.fakes import SIZE_PX, darkness_segmenter

SIZES = {"input_size_px": SIZE_PX, "long_side_px": 200}


def _left_half(batch: np.ndarray) -> np.ndarray:
    """Lesion on the left of whatever it is shown."""
    answer = np.zeros((*batch.shape[:3], 1), np.float32)
    answer[:, :, : batch.shape[2] // 2] = 1
    return answer


def test_map_has_the_images_size_and_finds_the_dark_lesion(phantom):
    [mask_probability] = predict_masks(darkness_segmenter, [phantom.image], **SIZES)
    assert mask_probability.shape == (150, 200) and mask_probability.dtype == np.float32
    assert mask_probability.min() >= 0 and mask_probability.max() <= 1
    found = mask_probability > 0.5
    overlap = (found & phantom.lesion_mask).sum() / (found | phantom.lesion_mask).sum()
    assert overlap > 0.85


def test_one_view_is_the_networks_own_answer():
    [mask_probability] = predict_masks(_left_half, [np.zeros((64, 64, 3), np.uint8)], **SIZES, n_views=1)
    assert (mask_probability[:, :32] == 1).all() and (mask_probability[:, 32:] == 0).all()


def test_eight_views_cancel_a_preference_for_one_side():
    # Each pixel lies on the left of four of the eight views.
    [mask_probability] = predict_masks(_left_half, [np.zeros((64, 64, 3), np.uint8)], **SIZES)
    np.testing.assert_allclose(mask_probability, 0.5)


@pytest.mark.parametrize("view", range(N_SYMMETRIES))
def test_turning_the_image_turns_the_map(phantom, view):
    image = np.ascontiguousarray(apply_symmetry(phantom.image, view))
    [straight], [turned] = (predict_masks(darkness_segmenter, [i], **SIZES) for i in (phantom.image, image))
    difference = np.abs(turned - apply_symmetry(straight, view))
    assert np.quantile(difference, 0.99) < 0.05  # interpolation rounds to 1/32 px


def test_images_of_different_shape_share_one_call_and_keep_their_own_answer(phantom):
    seen = []

    def network(batch):
        seen.append(batch.shape)
        return darkness_segmenter(batch)

    images = [phantom.image, phantom.image[:100, :120], np.full((300, 90, 3), 200, np.uint8)]
    together = predict_masks(network, images, **SIZES)
    assert seen == [(3 * N_SYMMETRIES, SIZE_PX, SIZE_PX, 3)]
    for image, found in zip(images, together, strict=True):
        [alone] = predict_masks(darkness_segmenter, [image], **SIZES)
        np.testing.assert_array_equal(found, alone)


def test_map_of_a_smaller_copy_is_stretched_to_the_asked_shape(phantom):
    [at_size] = predict_masks(darkness_segmenter, [phantom.image], **SIZES)
    [stretched] = predict_masks(darkness_segmenter, [phantom.image], [(450, 600)], **SIZES)
    assert stretched.shape == (450, 600)
    assert (stretched > 0.5).mean() == pytest.approx((at_size > 0.5).mean(), abs=0.005)


def test_stretched_map_stays_a_probability():
    square = np.array([[0.0, 1.0], [1.0, 0.0]])
    stretched = stretch_map(square, (5, 9))
    assert stretched.shape == (5, 9) and stretched.dtype == np.float32
    assert stretched.min() == 0 and stretched.max() == 1
