"""The classic networks: shapes, parameters counted by hand, two classes as a sigmoid, cut like ours."""

import keras
import numpy as np
import pytest

from models import efficientnet
from models.baselines import build_dense_head_classifier, build_plain_cnn
from models.efficientnet import split_classifier
from models.unet import build_unet
from tests.models.conftest import build_tiny_backbone


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)


def convolution(inputs: int, outputs: int, side: int = 3) -> int:
    """Weights and biases."""
    return side * side * inputs * outputs + outputs


def dense(inputs: int, outputs: int) -> int:
    return (inputs + 1) * outputs


def test_the_plain_cnn_has_the_parameters_of_its_recipe():
    # 128 px halved three times is 16 px, with 128 channels, into 128 units, into 7 classes.
    body = convolution(3, 32) + convolution(32, 64) + convolution(64, 128)
    expected = body + dense(16 * 16 * 128, 128) + dense(128, 7)
    model = build_plain_cnn()
    assert model.count_params() == expected and model.output_shape == (None, 7)


def test_the_binary_cnn_has_the_parameters_of_its_recipe_and_one_sigmoid_unit():
    body = convolution(3, 32) + convolution(32, 64) + convolution(64, 128)
    model = build_plain_cnn(2, input_size_px=224, hidden=512)
    assert model.count_params() == body + dense(28 * 28 * 128, 512) + dense(512, 1)
    assert model.output_shape == (None, 2)


def test_two_classes_are_a_sigmoid_written_as_softmax():
    keras.utils.set_random_seed(0)
    model = build_plain_cnn(2, input_size_px=16, filters=(4,), hidden=4)
    image = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype(np.float32)
    logits = model.predict(image, verbose=0)
    assert (logits[:, 0] == 0).all() and (logits[:, 1] != 0).any()
    softmax = np.exp(logits[:, 1]) / np.exp(logits).sum(axis=1)
    np.testing.assert_allclose(softmax, 1 / (1 + np.exp(-logits[:, 1])), rtol=1e-6)


def test_the_dense_head_is_the_stack_of_its_recipe(tiny):
    model = build_dense_head_classifier(7, input_size_px=64, backbone="tiny")
    names = [layer.name for layer in model.layers]
    assert names[names.index("features") + 1 :] == [
        *("pooled", "head_bn0", "head_dropout0", "head_dense0", "head_bn1", "head_dropout1"),
        *("head_dense1", "head_bn2", "head_dropout2", "logits"),
    ]
    # The tiny backbone ends in 8 channels; a batch norm has 4 numbers a channel.
    head = 4 * 8 + dense(8, 512) + 4 * 512 + dense(512, 128) + 4 * 128 + dense(128, 7)
    assert model.count_params() == convolution(3, 8) + head


@pytest.mark.parametrize(
    "build",
    [
        lambda: build_dense_head_classifier(3, 64, backbone="tiny"),
        lambda: build_plain_cnn(3, 32, filters=(4, 8), hidden=5),
        lambda: build_plain_cnn(2, 32, filters=(4, 8), hidden=5),
    ],
    ids=["dense head", "plain CNN", "binary CNN"],
)
def test_baselines_are_flat_and_cut_at_their_features(tiny, build):
    model = build()
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    image = np.random.default_rng(0).integers(0, 256, (2, *model.input_shape[1:])).astype(np.float32)
    features, head = split_classifier(model)
    whole, parts = model(image), head(features(image))
    np.testing.assert_allclose(np.asarray(parts), np.asarray(whole), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "widths"),
    [
        ({"base_filters": 16, "depth": 4, "input_size_px": 256}, (16, 32, 64, 128, 256)),
        ({"base_filters": 64, "depth": 3, "input_size_px": 224}, (64, 128, 256, 512)),
    ],
)
def test_the_classic_unets_have_the_widths_and_parameters_of_their_recipes(arguments, widths):
    model = build_unet(**arguments)
    encoder = [model.get_layer(f"encoder{level}_conv2").filters for level in range(len(widths))]
    assert tuple(encoder) == widths
    inputs = (3, *widths[:-1])
    down = sum(convolution(i, w) + convolution(w, w) for i, w in zip(inputs, widths, strict=True))
    up = sum(
        convolution(2 * w, w, side=2) + convolution(2 * w, w) + convolution(w, w) for w in widths[:-1]
    )  # 2x2 transposed convolution, then two convolutions on it and its skip
    assert model.count_params() == down + up + convolution(widths[0], 1, side=1)
