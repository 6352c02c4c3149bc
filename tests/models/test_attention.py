"""What the attention blocks may change: one factor in [0, 1] for each channel or position."""

import keras
import numpy as np
import pytest

from models.attention import attention_gate, cbam, channel_attention, spatial_attention

FEATURES = np.random.default_rng(0).uniform(0.5, 1.5, (2, 5, 6, 8)).astype(np.float32)


def factor(block, *more: np.ndarray) -> np.ndarray:
    """What `block` multiplied its first input by, with random weights."""
    keras.utils.set_random_seed(1)
    inputs = [keras.Input(array.shape[1:]) for array in (FEATURES, *more)]
    model = keras.Model(inputs, block(*inputs))
    answer = model([FEATURES, *more]).numpy()
    assert answer.shape == FEATURES.shape
    return answer / FEATURES


def test_channel_attention_gives_each_channel_of_an_image_one_weight():
    weight = factor(channel_attention)
    np.testing.assert_allclose(weight, np.broadcast_to(weight[:, :1, :1], weight.shape), rtol=1e-5)
    assert weight.min() > 0 and weight.max() < 1
    assert np.ptp(weight[0, 0, 0]) > 1e-3  # and not the same to all


def test_spatial_attention_gives_each_position_one_weight():
    weight = factor(spatial_attention)
    np.testing.assert_allclose(weight, np.broadcast_to(weight[..., :1], weight.shape), rtol=1e-5)
    assert weight.min() > 0 and weight.max() < 1
    assert np.ptp(weight[0, ..., 0]) > 1e-3


def test_cbam_is_channel_then_spatial_attention():
    weight = factor(cbam)
    assert weight.min() > 0 and weight.max() < 1
    # The product of a channel and a position weight has rank one in each image.
    table = weight[0].reshape(-1, 8)
    assert np.linalg.svd(table, compute_uv=False)[1] < 1e-4


@pytest.mark.parametrize("reduction", [4, 1000])
def test_the_hidden_layer_never_vanishes(reduction):
    inputs = keras.Input((5, 6, 32))
    model = keras.Model(inputs, channel_attention(inputs, reduction))
    assert model.get_layer("channel_attention_hidden").units == max(32 // reduction, 4)


def test_gate_lets_the_decoder_weigh_the_positions_of_a_skip():
    gate = np.random.default_rng(1).normal(size=(2, 5, 6, 3)).astype(np.float32)
    weight = factor(lambda skip, g: attention_gate(skip, g, name="gate"), gate)
    np.testing.assert_allclose(weight, np.broadcast_to(weight[..., :1], weight.shape), rtol=1e-5)
    assert weight.min() > 0 and weight.max() < 1
    other = factor(lambda skip, g: attention_gate(skip, g, name="gate"), -3 * gate)
    assert not np.allclose(weight, other)
