"""The classifier as built: flat, splittable at its features, logits out."""

import keras
import numpy as np
import pytest

from models.efficientnet import BACKBONES, FEATURES_LAYER, build_backbone, build_classifier, split_classifier

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=pytest.mark.slow) for name in sorted(BACKBONES)]
)
def classifier(request) -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_classifier(n_classes=5, input_size_px=64, backbone=request.param)


def test_the_model_is_flat_so_that_gradients_reach_its_features(classifier):
    assert not [layer.name for layer in classifier.layers if isinstance(layer, keras.Model)]
    assert classifier.get_layer(FEATURES_LAYER).output.shape[1:3] == (2, 2)  # 64 / 32


def test_output_is_one_logit_for_each_class(classifier):
    logits = classifier(IMAGES, training=False).numpy()
    assert logits.shape == (2, 5) and np.isfinite(logits).all()
    assert not np.allclose(logits.sum(axis=1), 1)  # no softmax


def test_the_two_halves_give_what_the_whole_gives(classifier):
    feature_network, head_network = split_classifier(classifier)
    features = feature_network(IMAGES, training=False)
    assert features.shape[1:3] == (2, 2)
    np.testing.assert_allclose(
        head_network(features, training=False), classifier(IMAGES, training=False), atol=1e-5
    )


def test_the_halves_share_the_weights_of_the_whole(classifier):
    _, head_network = split_classifier(classifier)
    assert head_network.get_layer("head").get_layer("logits") is classifier.get_layer("logits")


@pytest.fixture
def tiny(monkeypatch):
    """A backbone of one convolution, for what does not depend on the real one."""

    def build(include_top, weights, input_tensor):
        assert include_top is False and weights is None
        features = keras.layers.Conv2D(8, 3, strides=32, name="tiny_conv")(input_tensor)
        return keras.Model(input_tensor, features)

    monkeypatch.setitem(BACKBONES, "tiny", build)


@pytest.mark.parametrize("attention", [True, False])
def test_attention_is_a_choice(tiny, attention):
    model = build_classifier(3, 64, "tiny", attention)
    assert any(layer.name.startswith("cbam") for layer in model.layers) is attention
    assert model(IMAGES).shape == (2, 3)


def test_backbone_weights_are_loaded_from_a_file(tiny, tmp_path):
    backbone = build_backbone("tiny", keras.Input((64, 64, 3)))
    backbone.save_weights(tmp_path / "tiny.weights.h5")
    loaded = build_classifier(3, 64, "tiny", imagenet_weights=tmp_path / "tiny.weights.h5")
    np.testing.assert_array_equal(
        loaded.get_layer("tiny_conv").get_weights()[0], backbone.get_layer("tiny_conv").get_weights()[0]
    )


def test_unknown_backbones_and_missing_weights_are_named(tiny):
    with pytest.raises(ValueError, match=r"one of efficientnetb0, efficientnetv2b0.*; got 'vgg'"):
        build_classifier(backbone="vgg")
    with pytest.raises(
        FileNotFoundError, match=r"No ImageNet weights at nowhere\.h5\. .*'imagenet' to download"
    ):
        build_classifier(3, 64, "tiny", imagenet_weights="nowhere.h5")


def test_a_mask_channel_changes_nothing_before_training(tiny):
    keras.utils.set_random_seed(0)
    model = build_classifier(3, 64, "tiny", mask_channel=True)
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 256, (2, 2, 64, 64, 1), dtype=np.uint8)
    first, second = (model(np.concatenate([IMAGES, mask], axis=-1)).numpy() for mask in masks)
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first[0], first[1])
    model.get_layer("mask_tint").kernel.assign(np.ones((3, 3, 1, 3)))
    assert not np.allclose(first, model(np.concatenate([IMAGES, masks[0]], axis=-1)))


def test_a_mask_head_answers_row_by_row_behind_the_classes(tiny):
    # Features are 2 x 2, so each of them answers to 2 x 2 of the 4 x 4 cells.
    model = build_classifier(3, 64, "tiny", mask_cells=4)
    assert model.output_shape == (None, 3 + 16)
    features, head = model.get_layer(FEATURES_LAYER).output, model.get_layer("mask").output
    maps = np.zeros((4, *features.shape[1:]), np.float32)
    for number, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        maps[number, row, column] = 1
    kernel = model.get_layer("mask_logits").kernel
    kernel.assign(np.ones(kernel.shape))
    answered = np.asarray(keras.Model(features, head)(maps)).reshape(4, 4, 4) != 0
    for number, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        expected = np.zeros((4, 4), bool)
        expected[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = True
        np.testing.assert_array_equal(answered[number], expected)


def test_mask_cells_that_do_not_fit_the_features_are_refused(tiny):
    with pytest.raises(ValueError, match="multiple of 2"):
        build_classifier(3, 64, "tiny", mask_cells=5)
