"""A graph file answers in OpenVINO as the Keras model it was made of, alone, in a batch and in threads."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from models import efficientnet
from models.baselines import build_dense_head_classifier, build_plain_cnn
from models.efficientnet import build_classifier
from models.ensemble import build_ensemble
from models.runtimes.graph import GraphError, read_graph, read_weights, write_graph
from models.runtimes.openvino import OpenVinoNetwork
from models.unet import build_unet
from tests.models.conftest import CLASSIFIER, build_tiny_backbone
from training.bundle.graph import make_graph


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch):
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)


def randomise(model: keras.Model) -> keras.Model:
    """Weights of which none is 0 or 1, so that a bias or a variance in the wrong place shows."""
    rng = np.random.default_rng(0)
    model.set_weights(
        [rng.uniform(0.1, 0.5, w.shape) * rng.choice([-1, 1], w.shape) for w in model.get_weights()]
    )
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(rng.uniform(0.5, 2, layer.moving_variance.shape))
    return model


def make_network(model: keras.Model, folder, dtype="uint8") -> OpenVinoNetwork:
    """Through the files, as a bundle does."""
    model.save_weights(folder / "it.weights.h5")
    write_graph(make_graph(model), folder / "it.graph.json")
    graph = read_graph(folder / "it.graph.json")
    weights = read_weights(folder / "it.weights.h5", graph)
    return OpenVinoNetwork(graph.part(list(graph.outputs)[-1]), lambda: weights, dtype)


def images(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


MODELS = {
    "plain U-Net": lambda: build_unet(base_filters=2, depth=2, input_size_px=32),
    "U-Net with every option": lambda: build_unet(
        base_filters=2,
        depth=2,
        input_size_px=32,
        batch_norm=True,
        attention_gates=True,
        multi_scale_fusion=True,
    ),
    "attention": lambda: build_classifier(**CLASSIFIER),
    "two members": lambda: build_ensemble(shares=(0.25, 0.75), **CLASSIFIER),
    "dense head": lambda: build_dense_head_classifier(input_size_px=64, backbone="tiny", hidden=(8, 4)),
    "plain CNN": lambda: build_plain_cnn(input_size_px=32, filters=(2, 4), hidden=5),
    "one sigmoid unit": lambda: build_plain_cnn(n_classes=2, input_size_px=32, filters=(2,), hidden=3),
}


@pytest.mark.parametrize("name", MODELS)
def test_it_answers_as_keras(name, tmp_path):
    model = randomise(MODELS[name]())
    batch = images(3, model.input_shape[1])
    expected = model(batch, training=False).numpy()
    answer = make_network(model, tmp_path)(batch)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, expected, atol=1e-5 * max(1, np.abs(expected).max()))


@pytest.mark.slow
def test_a_backbone_of_keras_answers_as_keras(tmp_path):
    arguments = {"n_classes": 3, "input_size_px": 64, "backbone": "efficientnetv2b0"}
    model = build_classifier(**arguments)
    batch = images(2, 64)
    np.testing.assert_allclose(make_network(model, tmp_path)(batch), model(batch, training=False), atol=1e-4)


def test_an_answer_is_the_same_bits_alone_in_a_batch_and_in_threads(tmp_path):
    network = make_network(randomise(MODELS["two members"]()), tmp_path)
    batch = images(37, 64)
    together = network(batch)
    np.testing.assert_array_equal(np.concatenate([network(one[None]) for one in batch]), together)
    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(network, [batch] * 8):
            np.testing.assert_array_equal(answer, together)


def test_views_of_an_array_are_taken_as_they_look(tmp_path):
    network = make_network(randomise(MODELS["plain CNN"]()), tmp_path)
    batch = images(2, 32)
    turned = batch[:, ::-1, ::-1]
    np.testing.assert_array_equal(network(turned), network(turned.copy()))


def test_a_layer_that_no_other_runtime_has_is_named():
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, keras.layers.LayerNormalization(name="odd")(inputs))
    with pytest.raises(GraphError, match=r"LayerNormalization \(odd\)"):
        make_graph(model)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"nodes": []}', '{"outputs": {"logits": 1}, "nodes": [["relu", [1], [], {}]]}']
)
def test_a_file_that_is_no_graph_is_refused(text, tmp_path):
    path = tmp_path / "odd.graph.json"
    path.write_text(text)
    with pytest.raises(GraphError, match="no graph file"):
        read_graph(path)
