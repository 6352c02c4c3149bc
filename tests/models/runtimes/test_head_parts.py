"""The parts of a head are those that Keras computes."""

from itertools import pairwise

import keras
import numpy as np
import pytest

from models import efficientnet
from models.efficientnet import split_classifier
from models.runtimes.graph import read_weights
from models.runtimes.head_parts import split_head
from tests.models.conftest import build_tiny_backbone
from tests.models.runtimes.test_openvino import MODELS, randomise
from training.bundle.graph import make_graph


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """(Keras model, its members, features) of a model of `MODELS`."""
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)

    def open_parts(name: str):
        model = randomise(MODELS[name]())
        model.save_weights(tmp_path / "it.weights.h5")
        shape = split_classifier(model)[1].input_shape[1:]
        graph = make_graph(model).part("logits", start="features", shape=shape)
        features = np.random.default_rng(0).normal(0, 1, (3, *shape)).astype(np.float32)
        return model, split_head(graph, read_weights(tmp_path / "it.weights.h5", graph), features), features

    return open_parts


@pytest.mark.parametrize(
    ("name", "count"), [("attention", 1), ("two members", 2), ("dense head", 1), ("plain CNN", 1)]
)
def test_the_members_add_up_to_the_answer(parts, name, count):
    model, members, features = parts(name)
    assert len(members) == count
    summed = sum(member.share * member.logits for member in members)
    np.testing.assert_allclose(summed, split_classifier(model)[1](features).numpy(), rtol=1e-4, atol=1e-5)
    bounds = [member.channels.start for member in members] + [features.shape[-1]]
    assert [member.channels for member in members] == [slice(a, b) for a, b in pairwise(bounds)]


def test_attention_weights_are_those_of_the_layers(parts):
    model, [member], features = parts("attention")
    names = ("cbam_channel_weight", "cbam_spatial_weight")
    layers = keras.Model(model.get_layer("features").output, [model.get_layer(name).output for name in names])
    channel, spatial = layers(features)
    np.testing.assert_allclose(member.channel_weight, channel[:, 0, 0], atol=1e-5)
    np.testing.assert_allclose(member.spatial_weight, spatial[..., 0], atol=1e-5)


@pytest.mark.parametrize("name", ["dense head", "plain CNN"])
def test_a_head_without_attention_has_none(parts, name):
    _, [member], _ = parts(name)
    assert member.channel_weight is None and member.spatial_weight is None
