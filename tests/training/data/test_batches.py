"""Training batches: shapes, types, reproducibility, and what they draw."""

from dataclasses import replace

import numpy as np
import pytest

from core.images.preprocessing import Box
from tests.training.data.test_augmentation import NONE
from training.data.augmentation import Augmentation
from training.data.batches import Batches, ClassificationBatches, SegmentationBatches


class Numbers(Batches):
    """Sample i is i, with one random number."""

    def sample(self, index, rng):
        return np.array([index]), rng.random()


@pytest.fixture
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(6)]


@pytest.fixture
def masks() -> list[np.ndarray]:
    mask = np.zeros((48, 64), bool)
    mask[10:30, 20:50] = True
    return [mask] * 6


def equal(a, b) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


# --- any batches


def test_an_epoch_shows_each_sample_at_most_once_and_drops_the_rest():
    batches = Numbers(n_samples=10, batch_size=3, seed=0)
    assert len(batches) == 3
    seen = np.concatenate([batches[i][0][:, 0] for i in range(3)])
    assert len(set(seen)) == 9 and set(seen) <= set(range(10))


def test_the_same_seed_epoch_and_index_give_the_same_batch():
    first, second = (Numbers(10, 3, seed=4) for _ in range(2))
    first.start_epoch(2)
    first[0], first[1]
    second.start_epoch(2)
    assert equal(first[2], second[2])  # whatever was read before


def test_an_epoch_draws_as_many_samples_as_it_is_told():
    batches = Numbers(n_samples=6, batch_size=3, seed=0, draws=12)
    assert len(batches) == 4
    assert sorted(np.concatenate([batches[i][0][:, 0] for i in range(4)])) == sorted([*range(6)] * 2)
    assert len(Numbers(6, 3, seed=0, draws=3)) == 1
    drawn = Numbers(6, 3, seed=0, sampling=np.full(6, 1 / 6), draws=18)
    assert len(drawn) == 6


def test_epochs_and_seeds_differ():
    batches = Numbers(10, 10, seed=4)
    epochs = []
    for epoch in range(3):
        batches.start_epoch(epoch)
        epochs.append(batches[0])
    assert not equal(epochs[0], epochs[1]) and not equal(epochs[1], epochs[2])
    assert not equal(Numbers(10, 10, seed=5)[0], epochs[0])
    drawn = [set(numbers) for _, numbers in epochs]  # not the same changes in another order
    assert not drawn[0] & drawn[1] and not drawn[1] & drawn[2]


# --- segmentation


def test_segmentation_batches_hold_uint8_images_and_masks_between_0_and_1(images, masks):
    x, y = SegmentationBatches(images, masks, 32, Augmentation(), batch_size=4, seed=0)[0]
    assert x.shape == (4, 32, 32, 3) and x.dtype == np.uint8
    assert y.shape == (4, 32, 32, 1) and y.dtype == np.float32
    assert y.min() >= 0 and y.max() <= 1 and 0 < y.mean() < 1


def test_masks_follow_their_images(masks):
    # Images painted white on the lesion and black beside it: geometry must move both alike.
    painted = [np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255 for mask in masks]
    geometry = Augmentation(
        brightness=0, contrast=0, saturation=0, channel_gain=0, gamma=0, vignette=0, blur=0
    )
    x, y = SegmentationBatches(painted, masks, 32, geometry, batch_size=6, seed=0)[0]
    np.testing.assert_allclose(x[..., :1] / 255, y, atol=1.5 / 255)


def test_a_segmenters_images_are_drawn_as_often_as_asked(images, masks):
    sampling = np.array([1 / 8] * 4 + [1 / 4] * 2)
    np.testing.assert_allclose(sampling, [1 / 8] * 4 + [1 / 4] * 2)
    batches = SegmentationBatches(images, masks, 32, NONE, 6, seed=0, sampling=sampling)
    orders = []
    for epoch in range(500):
        batches.start_epoch(epoch)
        orders.append(batches.order)
    np.testing.assert_allclose(np.bincount(np.concatenate(orders)) / 3000, sampling, atol=0.03)


# --- classification


def make(images, masks, labels, **options) -> ClassificationBatches:
    options = {"augmentation": NONE, "batch_size": 6, "seed": 0} | options
    labels = np.asarray(labels)
    return ClassificationBatches(images, masks, labels, labels.max() + 1, 32, **options)


def test_classification_batches_hold_uint8_windows_and_their_labels(images, masks):
    # Each image is a flat level, its label: the pair must stay together.
    flat = [np.full((48, 64, 3), 40 * label, np.uint8) for label in range(6)]
    x, y = make(flat, masks, range(6))[0]
    assert x.shape == (6, 32, 32, 3) and x.dtype == np.uint8
    assert y.shape == (6, 6) and y.dtype == np.float32 and (y.sum(axis=1) == 1).all()
    np.testing.assert_allclose(x[:, 16, 16, 0], 40 * y.argmax(axis=1), atol=1)


def test_mixup_blends_pixels_and_classes_by_the_same_share(images, masks):
    # Flat levels 0, 40, ... 200 for classes 0 to 5: a blend of levels is 40 * the mean class number.
    flat = [np.full((48, 64, 3), 40 * label, np.uint8) for label in range(6)]
    x, y = make(flat, masks, range(6), mixup=1.0)[0]
    assert y.shape == (6, 6) and x.dtype == np.uint8 and y.dtype == np.float32
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)
    assert (y.max(axis=1) < 0.999).any()  # something was mixed
    np.testing.assert_allclose(x[:, 16, 16, 0], 40 * y @ np.arange(6), atol=1)


def test_cutmix_replaces_a_rectangle_and_its_share_of_the_classes(images, masks):
    # Flat levels 0, 40, ... 200: the mean level of a window says how much of it is whose.
    flat = [np.full((48, 64, 3), 40 * label, np.uint8) for label in range(6)]
    x, y = make(flat, masks, range(6), cutmix=1.0)[0]
    assert x.shape == (6, 32, 32, 3) and x.dtype == np.uint8 and y.dtype == np.float32
    np.testing.assert_allclose(x.mean(axis=(1, 2, 3)), 40 * y @ np.arange(6), atol=1)
    cut = y.max(axis=1) < 0.999
    assert cut.any() and all(len(np.unique(window)) == 2 for window in x[cut])  # pasted, not blended


def test_a_mask_channel_follows_its_window(masks):
    # Images painted white on the lesion and black beside it, as above.
    painted = [np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255 for mask in masks]
    moved = replace(NONE, flip=True, rotation_degrees=180.0, zoom=(0.7, 1.4), shift=0.1)
    x, _ = make(painted, masks, range(6), mask_channel=True, augmentation=moved)[0]
    assert x.shape == (6, 32, 32, 4) and x.dtype == np.uint8
    np.testing.assert_allclose(x[..., 0].astype(int), x[..., 3], atol=1)


def test_mask_cells_hold_the_lesions_share_behind_the_classes(masks):
    painted = [np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255 for mask in masks]
    x, y = make(painted, masks, range(6), mask_cells=4)[0]
    assert y.shape == (6, 6 + 16) and y.dtype == np.float32
    np.testing.assert_array_equal(y[:, :6].sum(axis=1), 1)
    shares = x[..., 0].reshape(6, 4, 8, 4, 8).mean(axis=(2, 4)).reshape(6, 16) / 255
    np.testing.assert_allclose(y[:, 6:], shares, atol=0.01)


def test_mask_cells_with_cutmix_which_knows_classes_alone_are_refused(images, masks):
    with pytest.raises(ValueError, match="mask_cells"):
        make(images, masks, range(6), mask_cells=4, cutmix=1.0)


def test_without_mixup_the_pixels_are_those_of_the_samples(images, masks):
    # A black and a white image, each of its own class: every batch holds those two levels only.
    extremes = [np.full((48, 64, 3), level, np.uint8) for level in (0, 255)]
    x, y = make(extremes, masks[:2], [0, 1], mixup=0.0, batch_size=2)[0]
    assert x.dtype == np.uint8 and set(np.unique(x)) <= {0, 255} and set(np.unique(y)) == {0, 1}


@pytest.mark.parametrize("mixup", [0.0, 0.3])
def test_the_same_seed_gives_the_same_mixture(images, masks, mixup):
    first, second, other = (make(images, masks, range(6), mixup=mixup, seed=s)[0] for s in (4, 4, 5))
    assert equal(first, second) and not equal(first, other)


def test_rare_classes_are_drawn_as_often_as_their_share_says(images, masks):
    labels = np.array([0] * 900 + [1] * 100)
    batches = make(images[:1] * 1000, masks[:1] * 1000, labels, sampling=np.where(labels, 1 / 200, 1 / 1800))
    assert 0.45 < labels[batches.order].mean() < 0.55


@pytest.mark.parametrize(("crop_share", "low", "high"), [(0.5, 0.4, 0.6), (0.0, 1.0, 1.0)])
def test_the_other_windows_show_the_whole_image(images, masks, crop_share, low, high):
    # Columns count up to 63 along x, so a window's range of values is the range of x that it shows.
    ramp = np.repeat(np.tile(np.arange(64, dtype=np.uint8), (48, 1))[..., None], 3, axis=2)
    batches = make([ramp] * 200, masks[:1] * 200, [0] * 200, batch_size=200, crop_share=crop_share)
    x, _ = batches[0]
    whole = np.ptp(x[:, 16, :, 0].astype(int), axis=1) > 58
    assert low <= whole.mean() <= high


def test_the_lesion_window_is_the_lesion_with_a_margin_in_range(images, masks):
    # The lesion spans 20..50 by 10..30, so its square is 30 px about (35, 20), grown by 0.1 to 0.6 of 30.
    batches = make(images, masks, [0] * 6, margins=(0.1, 0.6))
    rng = np.random.default_rng(0)
    for _ in range(20):
        window = batches._lesion_window(0, rng)
        assert isinstance(window, Box) and window.width_px == pytest.approx(window.height_px)
        assert (window.x0 + window.x1) / 2 == pytest.approx(35)
        assert (window.y0 + window.y1) / 2 == pytest.approx(20)
        assert 30 * 1.2 <= window.width_px <= 30 * 2.2
