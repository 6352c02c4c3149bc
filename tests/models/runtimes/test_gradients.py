"""The gradient in numpy is TensorFlow's, for every kind of head."""

import numpy as np
import pytest

from models import efficientnet
from models.efficientnet import split_classifier
from models.runtimes.gradients import BACKWARD, FORWARD, check_gradient, logit_gradient
from models.runtimes.graph import Graph, GraphError, Node, read_weights
from models.runtimes.tensorflow import KerasHead
from tests.models.conftest import build_tiny_backbone
from tests.models.runtimes.test_openvino import MODELS, randomise
from training.bundle.graph import make_graph


@pytest.mark.parametrize("name", ["attention", "two members", "dense head", "plain CNN"])
def test_it_is_the_gradient_of_tensorflow(name, tmp_path, monkeypatch):
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
    model = randomise(MODELS[name]())
    model.save_weights(tmp_path / "it.weights.h5")
    head_model = split_classifier(model)[1]
    shape = head_model.input_shape[1:]
    graph = make_graph(model).part("logits", start="features", shape=shape)
    weights = read_weights(tmp_path / "it.weights.h5", graph)
    features = np.random.default_rng(0).normal(0, 1, (5, *shape)).astype(np.float32)
    for index in range(2):
        expected = KerasHead(head_model).gradient(features, index)
        answer = logit_gradient(graph, weights, features, index)
        assert answer.shape == features.shape and np.abs(expected).max() > 0
        np.testing.assert_allclose(answer, expected, atol=1e-5 * np.abs(expected).max())


def test_equal_maxima_share_the_gradient():
    # The largest of 1, 3, 3 stands twice: each takes half.
    graph = Graph(
        (Node("input"), Node("max", (0,), attributes={"axes": [3], "keepdims": False})), {"logits": 1}
    )
    gradient = logit_gradient(graph, {}, np.array([1, 3, 3], np.float32).reshape(1, 1, 1, 3), 0)
    np.testing.assert_allclose(gradient.ravel(), [0, 0.5, 0.5])


def test_an_operation_without_a_gradient_is_named():
    with pytest.raises(GraphError, match="max_pool"):
        check_gradient(Graph((Node("input"), Node("max_pool", (0,))), {"logits": 1}))


def test_whatever_has_a_value_has_a_gradient():
    assert set(FORWARD) == set(BACKWARD)
