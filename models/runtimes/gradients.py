"""The gradient of a classifier's head in numpy: Grad-CAM for any class without TensorFlow.

A head is small (attention, pooling, a linear layer), so its gradient costs a few milliseconds. Each
operation knows its forward value and how a gradient passes back through it.
"""

from collections.abc import Sequence

import numpy as np

from models.runtimes.graph import Graph, GraphError, Weights, evaluate


def logit_gradient(graph: Graph, weights: Weights, features: np.ndarray, class_index: int) -> np.ndarray:
    """Gradient of one logit with respect to the features.

    Args:
        graph: (N, h, w, C) -> (N, K), of the operations in `FORWARD`.
        weights: of the graph.
        features: (N, h, w, C) float32.
        class_index: of K.

    Returns:
        (N, h, w, C) float32.

    Raises:
        GraphError: an operation without a gradient here.
    """
    values = evaluate(graph, FORWARD, weights, features)
    gradients: list[np.ndarray | None] = [None] * len(values)
    [output] = graph.outputs.values()
    gradients[output] = np.zeros_like(values[output])
    gradients[output][:, class_index] = 1
    for number in range(len(values) - 1, 0, -1):
        node = graph.nodes[number]
        if gradients[number] is None:
            continue
        given = [values[i] for i in node.inputs]
        own = [weights[name] for name in node.weights]
        passed = BACKWARD[node.op](gradients[number], node.attributes, own, values[number], given)
        for i, gradient in zip(node.inputs, passed, strict=True):
            gradients[i] = gradient if gradients[i] is None else gradients[i] + gradient
    return np.zeros_like(features) if gradients[0] is None else gradients[0]


def check_gradient(graph: Graph) -> None:
    """Raise GraphError if the graph has an operation without a gradient here."""
    unknown = {node.op for node in graph.nodes[1:]} - set(BACKWARD)
    if unknown:
        raise GraphError(f"No gradient of {', '.join(sorted(unknown))}.")


# --- forward: (attributes, weights, *inputs) -> value -----------------------------------------------
def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(x / 2))  # exp(-x) would overflow


def _dense(attributes, weights, x):
    return x @ weights[0] + (weights[1] if len(weights) > 1 else 0)


def _patches(x: np.ndarray, height: int, width: int) -> np.ndarray:
    """(N, h, w, C) -> (N, h, w, height, width, C): the neighbourhood of each position, 0 beyond the edge."""
    pads = [((size - 1) // 2, size // 2) for size in (height, width)]
    padded = np.pad(x, ((0, 0), *pads, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
    return np.moveaxis(windows, 3, -1)


def _conv(attributes, weights, x):
    if attributes["strides"] != [1, 1] or attributes["padding"] != "same":
        raise GraphError("A head's convolutions must keep the size.")
    height, width = weights[0].shape[:2]
    answer = np.tensordot(_patches(x, height, width), weights[0], axes=3)
    return answer + (weights[1] if len(weights) > 1 else 0)


def _batch_norm_scale(attributes: dict, weights: Sequence[np.ndarray]) -> np.ndarray:
    return weights[0] / np.sqrt(weights[3] + attributes["epsilon"])


def _batch_norm(attributes, weights, x):
    return (x - weights[2]) * _batch_norm_scale(attributes, weights) + weights[1]


def _affine(attributes, weights, x):
    return x * np.float32(attributes["scale"]) + np.float32(attributes["shift"])


FORWARD = {
    "dense": _dense,
    "conv": _conv,
    "batch_norm": _batch_norm,
    "affine": _affine,
    "relu": lambda attributes, weights, x: np.maximum(x, 0),
    "sigmoid": lambda attributes, weights, x: _sigmoid(x),
    "silu": lambda attributes, weights, x: x * _sigmoid(x),
    "add": lambda attributes, weights, a, b: a + b,
    "multiply": lambda attributes, weights, a, b: a * b,
    "concat": lambda attributes, weights, *parts: np.concatenate(parts, axis=-1),
    "mean": lambda attributes, weights, x: x.mean(tuple(attributes["axes"]), keepdims=attributes["keepdims"]),
    "max": lambda attributes, weights, x: x.max(tuple(attributes["axes"]), keepdims=attributes["keepdims"]),
    "channels": lambda attributes, weights, x: x[..., attributes["start"] : attributes["stop"]],
    "reshape": lambda attributes, weights, x: x.reshape(len(x), *attributes["shape"]),
}


# --- backward: (gradient, attributes, weights, value, inputs) -> gradient of each input -------------
def _fold(gradient: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Sum a gradient over the axes along which an input was repeated."""
    axes = tuple(k for k, size in enumerate(like.shape) if size == 1 and gradient.shape[k] != 1)
    return gradient.sum(axes, keepdims=True) if axes else gradient


def _restore(gradient: np.ndarray, attributes: dict) -> np.ndarray:
    """Put back the axes that a reduction took away."""
    return gradient if attributes["keepdims"] else np.expand_dims(gradient, tuple(attributes["axes"]))


def _back_mean(gradient, attributes, weights, value, inputs):
    count = np.prod([inputs[0].shape[axis] for axis in attributes["axes"]])
    return [np.broadcast_to(_restore(gradient, attributes) / np.float32(count), inputs[0].shape)]


def _back_max(gradient, attributes, weights, value, inputs):
    largest = inputs[0] == _restore(value, attributes)  # equal ones share, as in TensorFlow
    count = largest.sum(tuple(attributes["axes"]), keepdims=True)
    return [_restore(gradient, attributes) / count.astype(np.float32) * largest]


def _back_conv(gradient, attributes, weights, value, inputs):
    height, width = weights[0].shape[:2]
    turned = weights[0][::-1, ::-1].transpose(0, 1, 3, 2)
    if height % 2 and width % 2:
        return [np.tensordot(_patches(gradient, height, width), turned, axes=3)]
    raise GraphError("A head's convolutions must have an odd size.")


def _back_concat(gradient, attributes, weights, value, inputs):
    return np.split(gradient, np.cumsum([part.shape[-1] for part in inputs])[:-1], axis=-1)


def _back_channels(gradient, attributes, weights, value, inputs):
    whole = np.zeros_like(inputs[0])
    whole[..., attributes["start"] : attributes["stop"]] = gradient
    return [whole]


def _back_silu(gradient, attributes, weights, value, inputs):
    sigmoid = _sigmoid(inputs[0])
    return [gradient * (sigmoid + value * (1 - sigmoid))]


BACKWARD = {
    "dense": lambda g, attributes, weights, value, inputs: [g @ weights[0].T],
    "conv": _back_conv,
    "batch_norm": lambda g, attributes, weights, value, inputs: [g * _batch_norm_scale(attributes, weights)],
    "affine": lambda g, attributes, weights, value, inputs: [g * np.float32(attributes["scale"])],
    "relu": lambda g, attributes, weights, value, inputs: [g * (inputs[0] > 0)],
    "sigmoid": lambda g, attributes, weights, value, inputs: [g * value * (1 - value)],
    "silu": _back_silu,
    "add": lambda g, attributes, weights, value, inputs: [_fold(g, x) for x in inputs],
    "multiply": lambda g, attributes, weights, value, inputs: [
        _fold(g * inputs[1], inputs[0]),
        _fold(g * inputs[0], inputs[1]),
    ],
    "concat": _back_concat,
    "mean": _back_mean,
    "max": _back_max,
    "channels": _back_channels,
    "reshape": lambda g, attributes, weights, value, inputs: [g.reshape(inputs[0].shape)],
}
