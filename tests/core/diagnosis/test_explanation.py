"""Saliency from features of known shape through heads of known weights."""

import keras
import numpy as np
import pytest

from core.diagnosis.classification import Classification
from core.diagnosis.explanation import (
    METHODS,
    compute_evidence,
    compute_saliency,
    compute_view_maps,
    paste_map,
)
from core.diagnosis.structures import StructureProbe
from core.images.preprocessing import Box
from core.images.symmetry import symmetry_views
from models.runtimes.tensorflow import KerasHead

CLASSES = ("mel", "nv")
SHAPE = (60, 80)


@pytest.fixture(scope="module")
def head():
    """Logits: mel is the mean of channel 0, nv is minus that; channel 1 counts for nothing."""
    inputs = keras.Input((4, 4, 2))
    features = keras.layers.Activation("linear", name="features")(inputs)
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    model = keras.Model(inputs, keras.layers.Dense(2)(pooled))
    model.set_weights([np.array([[1.0, -1.0], [0.0, 0.0]], np.float32), np.zeros(2, np.float32)])
    return KerasHead(model)


def one_hot_cell(row: int, column: int, channel: int = 0) -> np.ndarray:
    features = np.zeros((4, 4, 2), np.float32)
    features[row, column, channel] = 1
    return features


def classification(features: np.ndarray, *boxes: Box) -> Classification:
    views = np.full((len(features), 2), 0.5)
    return Classification(CLASSES, views.mean(axis=0), views, features, boxes or (Box(0, 0, 80, 60),))


# --- maps


def test_gradcam_weights_channels_by_their_gradient(head):
    # d mel / d channel 0 is 1/16 in each of the 16 cells: the map is channel 0 / 16, channel 1 is left out.
    features = np.random.default_rng(0).random((3, 4, 4, 2), dtype=np.float32)
    maps = compute_view_maps(head, features, 0, "gradcam")
    np.testing.assert_allclose(maps, features[..., 0] / 16, rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_what_speaks_against_a_class_is_not_shown(head, method):
    features = np.random.default_rng(0).random((2, 4, 4, 2), dtype=np.float32)
    assert (compute_view_maps(head, features, 1, method) == 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_gradient_of_zero_gives_finite_zeros(head, method):
    dead = keras.models.clone_model(head.model)
    dead.set_weights([np.zeros((2, 2), np.float32), np.zeros(2, np.float32)])
    dead = KerasHead(dead)
    features = np.ones((2, 4, 4, 2), np.float32)
    maps = compute_view_maps(dead, features, 0, method)
    assert np.isfinite(maps).all() and (maps == 0).all()
    saliency = compute_saliency(dead, classification(features), "mel", SHAPE, method)
    assert np.isfinite(saliency).all() and (saliency == 0).all()


def test_explaining_leaves_the_head_as_it_was(head):
    features = np.random.default_rng(0).random((2, 4, 4, 2), dtype=np.float32)
    before = head.model(features).numpy()
    compute_view_maps(head, features, 0, "gradcam")
    np.testing.assert_array_equal(head.model(features).numpy(), before)


# --- saliency


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 2), (3, 1)])
def test_the_map_follows_the_region_that_drives_the_class(head, method, row, column):
    # Cells are 20 x 15 px in an image of 80 x 60; the eight views see the cell turned and it is turned back.
    views = symmetry_views(one_hot_cell(row, column))
    saliency = compute_saliency(head, classification(views), "mel", SHAPE, method)
    assert saliency.shape == SHAPE and saliency.dtype == np.float32
    assert saliency.min() == 0 and saliency.max() == 1
    peak_y, peak_x = np.unravel_index(saliency.argmax(), SHAPE)
    assert (peak_y // 15, peak_x // 20) == (row, column)


def test_windows_are_averaged_where_they_lie(head):
    # The same hot top left cell in the whole image and in a window at the bottom right.
    crop = Box(40, 30, 80, 60)
    features = np.stack([one_hot_cell(0, 0), one_hot_cell(0, 0)])
    saliency = compute_saliency(head, classification(features, Box(0, 0, 80, 60), crop), "mel", SHAPE)
    assert saliency[:10, :15].max() > 0.9 and saliency[33:38, 43:50].max() > 0.3
    assert saliency[50:, :30].max() == 0


def test_a_window_fades_in_without_a_step(head):
    # Hot everywhere in the crop, cold in the whole image: from one pixel to the next at most one step of
    # the ramp, whose length is 15 % of 40 px.
    hot = np.zeros((4, 4, 2), np.float32)
    hot[..., 0] = 1
    cold = np.zeros((4, 4, 2), np.float32)
    boxes = Box(0, 0, 80, 60), Box(20, 10, 60, 50)
    saliency = compute_saliency(head, classification(np.stack([cold, hot]), *boxes), "mel", SHAPE)
    assert saliency[30, 40] == pytest.approx(1, abs=0.01) and saliency[30, 19] == 0
    assert np.abs(np.diff(saliency[30])).max() < 0.25


def test_unknown_class_and_method_are_refused_with_the_known_ones(head):
    features = np.zeros((1, 4, 4, 2), np.float32)
    with pytest.raises(ValueError, match="one of mel, nv; got 'bcc'"):
        compute_saliency(head, classification(features), "bcc", SHAPE)
    with pytest.raises(ValueError, match=r"gradcam, gradcam\+\+; got 'lime'"):
        compute_saliency(head, classification(features), "mel", SHAPE, "lime")


# --- geometry


def test_a_map_is_pasted_where_its_box_is():
    pasted = paste_map(np.ones((4, 4)), Box(10, 20, 30, 40), SHAPE)
    expected = np.zeros(SHAPE)
    expected[20:40, 10:30] = 1
    np.testing.assert_allclose(pasted, expected, atol=1e-6)


def test_a_box_beyond_the_image_shows_only_its_part_inside():
    # Left half 0, right half 1, over x from -40 to 40: the image sees the right half only.
    square = np.repeat([[0.0, 0.0, 1.0, 1.0]], 4, axis=0)
    pasted = paste_map(square, Box(-40, 0, 40, 60), SHAPE)
    assert (pasted[:, 12:40] > 0.95).all() and (pasted[:, 40:] == 0).all()


def test_pasting_never_undershoots_zero():
    spike = np.zeros((4, 4))
    spike[1, 1] = 1
    assert paste_map(spike, Box(0, 0, 80, 60), SHAPE).min() == 0  # a cubic kernel alone dips below


# --- evidence of a structure


PROBE = StructureProbe(("globules",), np.float32([[4, 0]]), np.float32([-2]))


def test_evidence_is_the_probability_that_the_whole_image_would_have_if_it_looked_like_the_place():
    # Log-odds 4 * 1 - 2 in the cell, -2 elsewhere; the second window is not asked.
    features = np.stack([one_hot_cell(0, 1), one_hot_cell(3, 3)])
    answer = classification(features, Box(0, 0, 80, 60), Box(20, 20, 40, 40))
    found = compute_evidence(PROBE, answer, "globules", SHAPE)
    assert found.shape == SHAPE
    assert found[7, 30] == pytest.approx(1 / (1 + np.exp(-2)), abs=0.05)
    assert found[52, 70] == pytest.approx(1 / (1 + np.exp(2)), abs=0.05)


def test_evidence_of_turned_views_is_turned_back():
    cell = one_hot_cell(0, 1)
    views = np.stack([cell, *symmetry_views(cell, 8)[1:]])
    turned = compute_evidence(PROBE, classification(views), "globules", SHAPE)
    np.testing.assert_allclose(
        turned, compute_evidence(PROBE, classification(cell[None]), "globules", SHAPE), atol=1e-6
    )


def test_evidence_of_a_structure_that_is_not_reported_is_refused():
    with pytest.raises(ValueError, match="must be one of globules"):
        compute_evidence(PROBE, classification(one_hot_cell(0, 0)[None]), "streaks", SHAPE)
