"""A graph in OpenVINO: starts in a second, and answers are the same alone, in a batch and under load.

Each image of a batch runs alone, on one core, beside others on the other cores: an answer cannot depend on
what else is in the batch, and small arrays stay in a core's cache, which measured faster than batches.
"""

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from models.runtimes.cache import cache_file, read_cached, write_cached
from models.runtimes.graph import Graph, GraphError, Weights, evaluate

# OpenVINO imports its converter of foreign models, and does without where it is missing. It takes half of the
# import's time and reports every start to its maker over the network: neither is wanted here.
CONVERTER = "openvino.tools.ovc"
sys.modules.setdefault(CONVERTER, None)
import openvino as ov  # noqa: E402
import openvino.opset13 as ops  # noqa: E402
from openvino.opset1 import max_pool  # noqa: E402

if sys.modules[CONVERTER] is None:
    del sys.modules[CONVERTER]

MAX_STREAMS = 8  # each keeps its own intermediate arrays, some 20 MB
CHANNELS_FIRST, CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
AXIS = {1: 2, 2: 3, 3: 1}  # of (N, H, W, C) in (N, C, H, W)


class OpenVinoNetwork:
    """A compiled graph, (N, H, W, C) of `dtype` in, float32 out; threads take turns.

    `output_shape` is that of one answer, without N.

    Args:
        graph: with one output.
        load_weights: reads the graph's weights, if they are needed.
        dtype: "uint8" or "float32".
        origin: what graph and weights come from, such as their SHA-256: the compiled network is kept
            under it for the next start. None keeps nothing.
        precision: "f32", or "bf16" where the processor has it.

    Raises:
        GraphError: OpenVINO cannot build it.
    """

    def __init__(
        self,
        graph: Graph,
        load_weights: Callable[[], Weights],
        dtype: str,
        origin: tuple[str, ...] | None = None,
        precision: str = "f32",
    ):
        compiled = _compile(graph, load_weights, dtype, origin, precision)
        self._dtype = dtype
        self.output_shape = tuple(compiled.output(0).shape)[1:]
        self._queue = ov.AsyncInferQueue(compiled)
        self._queue.set_callback(_keep)
        self._lock = threading.Lock()

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        batch = np.ascontiguousarray(batch, dtype=self._dtype)
        answers = np.empty((len(batch), *self.output_shape), np.float32)
        with self._lock:
            for number in range(len(batch)):
                self._queue.start_async([batch[number : number + 1]], (answers, number))
            self._queue.wait_all()
        return answers


def _compile(
    graph: Graph,
    load_weights: Callable[[], Weights],
    dtype: str,
    origin: tuple[str, ...] | None,
    precision: str,
) -> ov.CompiledModel:
    core = ov.Core()
    streams = min(core.get_property("CPU", "RANGE_FOR_STREAMS")[1], MAX_STREAMS)
    options = {
        "INFERENCE_PRECISION_HINT": precision,  # else OpenVINO takes bf16 by itself where there is one
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": streams,
        "ENABLE_CPU_PINNING": False,  # several processes would be pinned to the same cores
    }
    kept = origin and cache_file(*origin, ov.__version__, _processor(core), sorted(options.items()))
    if kept and (blob := read_cached(kept)) is not None:
        with suppress(RuntimeError):  # of another build of OpenVINO
            return core.import_model(ov.Tensor(blob), "CPU", options)
    try:
        compiled = core.compile_model(build_model(graph, load_weights(), dtype), "CPU", options)
    except (RuntimeError, TypeError, ValueError) as error:
        raise GraphError(f"OpenVINO cannot build the network: {str(error).splitlines()[0]}") from error
    if kept:
        write_cached(kept, compiled.export_model().getvalue())
    return compiled


def _processor(core: ov.Core) -> tuple[str, ...]:
    """What code is compiled for: a home folder may be shared by unlike machines."""
    name = core.get_property("CPU", "FULL_DEVICE_NAME")
    return name, *sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


def supports_bf16() -> bool:
    """Whether this processor multiplies bfloat16 itself."""
    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _keep(request: Any, place: tuple[np.ndarray, int]) -> None:
    answers, number = place
    answers[number] = request.get_output_tensor(0).data[0]


def build_model(graph: Graph, weights: Weights, dtype: str) -> ov.Model:
    """The graph for one image, with channels last at both ends and first in between, as OpenVINO has them."""
    source = ops.parameter([1, *graph.input_shape], ov.Type.u8 if dtype == "uint8" else ov.Type.f32)
    first = ops.transpose(ops.convert(source, "f32"), ops.constant(np.array(CHANNELS_FIRST)))
    [number] = graph.outputs.values()
    last = evaluate(graph, OPERATIONS, weights, first)[number]
    if _rank(last) == 4:
        last = ops.transpose(last, ops.constant(np.array(CHANNELS_LAST)))
    return ov.Model([last], [source], "network")


# --- operations: (attributes, weights, *inputs) -> node ---------------------------------------------
def _rank(node: Any) -> int:
    return len(node.output(0).get_partial_shape())


def _channels(values: Any, like: Any) -> Any:
    """A constant with one number a channel, shaped to meet an array of the rank of `like`."""
    flat = np.asarray(values, np.float32).reshape(-1)
    return ops.constant(flat.reshape((1, -1, 1, 1) if _rank(like) == 4 else (1, -1)))


def _with_bias(x: Any, weights: list[np.ndarray]) -> Any:
    return ops.add(x, _channels(weights[1], x)) if len(weights) > 1 else x


def _window(attributes: dict) -> tuple:
    padding = "same_upper" if attributes["padding"] == "same" else "valid"
    return attributes["strides"], [0, 0], [0, 0], [1, 1], padding


def _kernel(values: np.ndarray, *axes: int) -> Any:
    return ops.constant(np.ascontiguousarray(values.transpose(axes)))


def _conv(attributes, weights, x):
    return _with_bias(ops.convolution(x, _kernel(weights[0], 3, 2, 0, 1), *_window(attributes)), weights)


def _depthwise(attributes, weights, x):
    kernel = _kernel(weights[0][..., None], 2, 3, 4, 0, 1)
    return _with_bias(ops.group_convolution(x, kernel, *_window(attributes)), weights)


def _conv_transpose(attributes, weights, x):
    kernel = _kernel(weights[0], 3, 2, 0, 1)
    window = {"pads_begin": [0, 0], "pads_end": [0, 0], "dilations": [1, 1]}
    return _with_bias(ops.convolution_backprop_data(x, kernel, attributes["strides"], **window), weights)


def _dense(attributes, weights, x):
    if _rank(x) == 4:  # at each position
        return _conv({"strides": [1, 1], "padding": "valid"}, [weights[0][None, None], *weights[1:]], x)
    return _with_bias(ops.matmul(x, ops.constant(weights[0]), False, False), weights)


def _batch_norm(attributes, weights, x):
    gamma, beta, mean, variance = weights
    scale = gamma / np.sqrt(variance + attributes["epsilon"])
    return _affine({"scale": scale, "shift": beta - mean * scale}, [], x)


def _affine(attributes, weights, x):
    scaled = ops.multiply(x, _channels(attributes["scale"], x))
    return ops.add(scaled, _channels(attributes["shift"], x))


def _reduce(function):
    def reduce(attributes, weights, x):
        axes = np.array([AXIS[axis] for axis in attributes["axes"]])
        return function(x, ops.constant(axes), attributes["keepdims"])

    return reduce


def _mean_pool(attributes, weights, x):
    size = attributes["size"]
    return ops.avg_pool(x, size, [0, 0], [0, 0], size, exclude_pad=True)


def _max_pool(attributes, weights, x):
    size = attributes["size"]
    return max_pool(x, size, [0, 0], [0, 0], size)  # later versions answer twice, with the places too


def _upsample(attributes, weights, x):
    mode = {"bilinear": "linear_onnx", "nearest": "nearest"}[attributes["interpolation"]]
    factors = ops.constant(np.array(attributes["size"], np.float32))
    return ops.interpolate(
        x,
        factors,
        mode=mode,
        shape_calculation_mode="scales",
        coordinate_transformation_mode="half_pixel",
        axes=ops.constant(np.array([2, 3])),
    )


def _slice(attributes, weights, x):
    bounds = (attributes["start"], attributes["stop"], 1, 1)
    return ops.slice(x, *(ops.constant(np.array([bound])) for bound in bounds))


def _reshape(attributes, weights, x):
    if _rank(x) == 4:
        x = ops.transpose(x, ops.constant(np.array(CHANNELS_LAST)))
    x = ops.reshape(x, ops.constant(np.array([1, *attributes["shape"]])), False)
    return ops.transpose(x, ops.constant(np.array(CHANNELS_FIRST))) if len(attributes["shape"]) == 3 else x


OPERATIONS = {
    "conv": _conv,
    "depthwise": _depthwise,
    "conv_transpose": _conv_transpose,
    "dense": _dense,
    "batch_norm": _batch_norm,
    "affine": _affine,
    "relu": lambda attributes, weights, x: ops.relu(x),
    "sigmoid": lambda attributes, weights, x: ops.sigmoid(x),
    "silu": lambda attributes, weights, x: ops.swish(x),
    "add": lambda attributes, weights, a, b: ops.add(a, b),
    "multiply": lambda attributes, weights, a, b: ops.multiply(a, b),
    "concat": lambda attributes, weights, *parts: ops.concat(list(parts), 1),
    "mean": _reduce(ops.reduce_mean),
    "max": _reduce(ops.reduce_max),
    "mean_pool": _mean_pool,
    "max_pool": _max_pool,
    "upsample": _upsample,
    "channels": _slice,
    "reshape": _reshape,
}
