"""Write a Keras model as a graph file: a list of plain operations that name their weights in the .weights.h5.

    dermalens train graphs [FOLDER ...] --data DIR      # adds graph files to finished bundles

and compares each network with Keras on 300 validation images; the greatest difference goes into the manifest.

Such a file (some 50 kB) lets a runtime other than TensorFlow build the network from the very weights that
Keras reads, so a bundle carries its numbers once. `models.runtimes.graph` says what each operation means.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from scipy.special import softmax

from core.datasets.ham10000 import default_data_dir, load_pixels, read_split
from core.images.preprocessing import Box, crop_square, limit_long_side
from models.efficientnet import FEATURES_LAYER
from models.manifest import file_sha256, list_bundles, read_manifest
from models.runtimes.graph import Graph, GraphError, Node, Weights, read_weights, write_graph
from models.runtimes.openvino import OpenVinoNetwork
from models.runtimes.tensorflow import load_network
from training.bundle.manifest_record import edit_manifest
from training.command import exit_with_message

CHUNK = 8
MAX_COMPARED = 300  # evenly spread over the validation split
POINTWISE = {"relu": "relu", "sigmoid": "sigmoid", "silu": "silu", "swish": "silu"}


class _Walker:
    """Turns the layers of a functional model, nested ones too, into nodes."""

    def __init__(self, paths: dict[int, str]):
        self.paths = paths  # id of a Keras variable -> its dataset in the weights file
        self.nodes: list[Node] = []

    def add(self, op: str, inputs: list[int], weights: Sequence[Any] = (), **attributes) -> int:
        named = tuple(self.paths[id(variable)] for variable in weights)
        self.nodes.append(Node(op, tuple(inputs), named, attributes))
        return len(self.nodes) - 1

    def activate(self, x: int, function) -> int:
        name = keras.activations.serialize(function)
        if name == "linear":
            return x
        if name not in POINTWISE:
            raise GraphError(f"no runtime but TensorFlow has the activation {name!r}")
        return self.add(POINTWISE[name], [x])

    def model(self, model: keras.Model, inputs: list[int]) -> dict[int, int]:
        """Nodes of a functional model fed with the nodes `inputs`: node number by id of the Keras tensor."""
        known = {id(tensor): node for tensor, node in zip(model.inputs, inputs, strict=True)}
        for operation, call in _calls(model):
            if isinstance(operation, keras.layers.InputLayer):
                continue
            given = [known[id(tensor)] for tensor in call.input_tensors]
            known[id(call.outputs[0])] = self.call(operation, given, call.arguments)
        return known

    def call(self, operation: Any, inputs: list[int], arguments: Any) -> int:
        """Node of one call of one layer."""
        kind = type(operation).__name__
        if isinstance(operation, keras.Model):
            return self.model(operation, inputs)[id(operation.outputs[0])]
        if kind == "GetItem":
            part = arguments.args[1][-1]
            return self.add("channels", inputs, start=part.start, stop=part.stop)
        if not hasattr(self, f"_{kind}"):
            raise GraphError(f"no runtime but TensorFlow has the layer {kind} ({operation.name})")
        return getattr(self, f"_{kind}")(operation, inputs)

    # --- layers with weights ------------------------------------------------------------------------
    def _Conv2D(self, layer, inputs):
        if layer.dilation_rate != (1, 1) or layer.groups != 1:
            raise GraphError(f"no runtime but TensorFlow has dilation or groups ({layer.name})")
        x = self.add("conv", inputs, layer.weights, strides=list(layer.strides), padding=layer.padding)
        return self.activate(x, layer.activation)

    def _DepthwiseConv2D(self, layer, inputs):
        x = self.add("depthwise", inputs, layer.weights, strides=list(layer.strides), padding=layer.padding)
        return self.activate(x, layer.activation)

    def _Conv2DTranspose(self, layer, inputs):
        if layer.kernel_size != layer.strides:
            raise GraphError(f"no runtime but TensorFlow has overlapping upward convolutions ({layer.name})")
        x = self.add("conv_transpose", inputs, layer.weights, strides=list(layer.strides))
        return self.activate(x, layer.activation)

    def _Dense(self, layer, inputs):
        return self.activate(self.add("dense", inputs, layer.weights), layer.activation)

    def _BatchNormalization(self, layer, inputs):
        weights = [layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance]
        return self.add("batch_norm", inputs, weights, epsilon=layer.epsilon)

    # --- layers without -----------------------------------------------------------------------------
    def _Rescaling(self, layer, inputs):
        return self.add("affine", inputs, scale=[float(layer.scale)], shift=[float(layer.offset)])

    def _Normalization(self, layer, inputs):
        mean, spread = np.ravel(layer.mean).astype(float), np.sqrt(np.ravel(layer.variance).astype(float))
        return self.add("affine", inputs, scale=(1 / spread).tolist(), shift=(-mean / spread).tolist())

    def _Activation(self, layer, inputs):
        return self.activate(inputs[0], layer.activation)

    def _Dropout(self, layer, inputs):
        return inputs[0]

    def _Add(self, layer, inputs):
        return self.add("add", inputs)

    def _Multiply(self, layer, inputs):
        return self.add("multiply", inputs)

    def _Concatenate(self, layer, inputs):
        return self.add("concat", inputs)

    def _GlobalAveragePooling2D(self, layer, inputs):
        return self.add("mean", inputs, axes=[1, 2], keepdims=layer.keepdims)

    def _GlobalMaxPooling2D(self, layer, inputs):
        return self.add("max", inputs, axes=[1, 2], keepdims=layer.keepdims)

    def _Mean(self, layer, inputs):
        return self.add("mean", inputs, axes=[3], keepdims=layer.keepdims)

    def _Max(self, layer, inputs):
        return self.add("max", inputs, axes=[3], keepdims=layer.keepdims)

    def _MaxPooling2D(self, layer, inputs):
        return self.add("max_pool", inputs, size=list(layer.pool_size))

    def _AveragePooling2D(self, layer, inputs):
        return self.add("mean_pool", inputs, size=list(layer.pool_size))

    def _UpSampling2D(self, layer, inputs):
        return self.add("upsample", inputs, size=list(layer.size), interpolation=layer.interpolation)

    def _Reshape(self, layer, inputs):
        return self.add("reshape", inputs, shape=list(layer.target_shape))

    def _Flatten(self, layer, inputs):
        return self.add("reshape", inputs, shape=[-1])


def _calls(model: keras.Model) -> Iterator[tuple[Any, Any]]:
    """(layer, call) in an order in which every call's inputs are known."""
    for depth in sorted(model._nodes_by_depth, reverse=True):  # Keras has no public name for it
        for node in model._nodes_by_depth[depth]:
            yield node.operation, node


def dataset_names(model: keras.Model) -> dict[int, str]:
    """The dataset in which `save_weights` keeps each variable, by the variable's id.

    Found by saving: every variable is filled with its own number for the moment.
    """
    kept = model.get_weights()
    model.set_weights([np.full(value.shape, number, value.dtype) for number, value in enumerate(kept)])
    names: dict[int, str] = {}

    def note(name: str, item) -> None:
        if isinstance(item, h5py.Dataset) and item.size:
            names[id(model.weights[int(item[()].flat[0])])] = name

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "numbered.weights.h5"
        model.save_weights(path)
        with h5py.File(path) as file:
            file.visititems(note)
    model.set_weights(kept)
    return names


def make_graph(model: keras.Model) -> Graph:
    """The graph of a segmenter or classifier.

    Raises:
        GraphError: a layer that no runtime but TensorFlow has.
    """
    walker = _Walker(dataset_names(model))
    walker.add("input", [], shape=list(model.input_shape[1:]))
    known = walker.model(model, [0])
    if any(layer.name == FEATURES_LAYER for layer in model.layers):
        tensors = {"features": model.get_layer(FEATURES_LAYER).output, "logits": model.outputs[0]}
    else:
        tensors = {"mask_probability": model.outputs[0]}
    return Graph(tuple(walker.nodes), {name: known[id(tensor)] for name, tensor in tensors.items()})


def add_graph(folder: Path, network: str, squares: np.ndarray) -> dict[str, Any] | None:
    """Write one network's graph file beside its weights and list it in the manifest.

    Args:
        folder: of a finished bundle.
        network: "segmenter" or "classifier".
        squares: (N, S, S, 3) uint8, what the network is shown when the difference to Keras is measured.

    Returns:
        The entry; None for a network that only TensorFlow can run.
    """
    entry = getattr(read_manifest(folder), network)
    model = load_network(folder, entry)
    with edit_manifest(folder) as record:
        record[network].pop("graph", None)
        try:
            graph = make_graph(model)
            file = folder / f"{network}.graph.json"
            write_graph(graph, file)
            record[network]["graph"] = {
                "file": file.name,
                "sha256": file_sha256(file),
                "precision": "float32",
                **compare_with_keras(graph, read_weights(folder / entry.file, graph), model, squares),
            }
        except GraphError as error:
            print(f"{folder}: {error}")
    return record[network].get("graph")


def compare_with_keras(
    graph: Graph, weights: Weights, model: keras.Model, squares: np.ndarray
) -> dict[str, Any]:
    """The greatest difference of probabilities between OpenVINO and Keras, and on how many images."""
    *_, answer = graph.outputs
    network = OpenVinoNetwork(graph.part(answer), lambda: weights, "uint8")
    differences = []
    for start in range(0, len(squares), CHUNK):
        part = squares[start : start + CHUNK]
        pair = network(part), model(part, training=False).numpy()
        if answer == "logits":
            pair = tuple(softmax(logits, axis=1) for logits in pair)
        differences.append(float(np.abs(pair[0] - pair[1]).max()))
    return {"largest_difference": max(differences), "images_compared": len(squares)}


def spread(total: int, count: int) -> list[int]:
    """At most `count` places of `total`, evenly spread.

    >>> spread(7, 3), spread(2, 3)
    ([0, 3, 6], [0, 1])
    """
    return np.linspace(0, total - 1, min(total, count)).round().astype(int).tolist()


def add_graphs(folder: Path, images: Sequence[np.ndarray]) -> None:
    """Graph files of both networks of a bundle, compared with Keras on whole images, each (H, W, 3) uint8."""
    manifest = read_manifest(folder)
    chosen = [images[place] for place in spread(len(images), MAX_COMPARED)]
    for network, entry in (("segmenter", manifest.segmenter), ("classifier", manifest.classifier)):
        shrunk = [limit_long_side(image, entry.long_side_px) for image in chosen]
        squares = [crop_square(image, Box.whole(image), entry.input_size_px) for image in shrunk]
        print(f"{folder / network}: {add_graph(folder, network, np.stack(squares))}", flush=True)


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, help="bundles; the shipped ones if none is named")
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="HAM10000 folder")
    parser.add_argument(
        "--images", type=int, default=MAX_COMPARED, help="validation images to compare Keras and OpenVINO on"
    )
    arguments = parser.parse_args()
    rows = read_split(arguments.data, "validation")
    images = load_pixels(rows.iloc[spread(len(rows), arguments.images)], long_side_px=400)
    for folder in arguments.folders or list_bundles():
        add_graphs(folder, images)


if __name__ == "__main__":
    main()
