"""A network as a list of plain operations that name their weights in the .weights.h5 beside it.

The file holds no numbers but sizes, so a bundle carries its weights once, for every runtime. One is written
by `training.bundle.graph`; arrays are (N, H, W, C) as in Keras.

| operation | weights | attributes |
|---|---|---|
| input | | shape (H, W, C) |
| conv, depthwise | kernel, bias or none | strides, padding "same" or "valid" |
| conv_transpose | kernel, bias or none | strides, which are the kernel's size too |
| dense | kernel, bias or none | |
| batch_norm | gamma, beta, mean, variance | epsilon |
| affine | | scale and shift: one number, or one a channel |
| relu, sigmoid, silu, add, multiply, concat (of channels) | | |
| mean, max | | axes, keepdims |
| mean_pool, max_pool, upsample | | size; upsample: interpolation |
| channels | | start, stop |
| reshape | | shape without N |
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Weights = dict[str, np.ndarray]


class GraphError(ValueError):
    """A graph file that cannot be read or built; whoever loads a bundle falls back to TensorFlow."""


@dataclass(frozen=True)
class Node:
    """One operation: `inputs` are numbers of earlier nodes, `weights` are datasets of the weights file."""

    op: str
    inputs: tuple[int, ...] = ()
    weights: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which inputs come first, and which of them are answers.

    Attributes:
        nodes: the first is the input.
        outputs: node number by name; a classifier has "features" and "logits", a segmenter "mask_probability".
    """

    nodes: tuple[Node, ...]
    outputs: dict[str, int]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(H, W, C)."""
        return tuple(self.nodes[0].attributes["shape"])

    def part(self, stop: str, start: str | None = None, shape: tuple[int, ...] = ()) -> "Graph":
        """What leads from the input, or from the output `start` of `shape` (h, w, C), to the output `stop`."""
        first = 0 if start is None else self.outputs[start]
        wanted, pending = {first}, [self.outputs[stop]]
        while pending:
            number = pending.pop()
            if number not in wanted:
                wanted.add(number)
                pending += self.nodes[number].inputs
        place = {number: k for k, number in enumerate(sorted(wanted))}
        if place[first] != 0:
            raise GraphError(f"{stop!r} does not follow from {start!r} alone.")
        source = self.nodes[0] if start is None else Node("input", attributes={"shape": list(shape)})
        rest = [self.nodes[number] for number in sorted(wanted - {first})]
        moved = [Node(n.op, tuple(place[i] for i in n.inputs), n.weights, n.attributes) for n in rest]
        return Graph((source, *moved), {stop: place[self.outputs[stop]]})


def write_graph(graph: Graph, path: Path) -> None:
    """JSON, one node a line."""
    rows = [json.dumps([n.op, n.inputs, n.weights, n.attributes]) for n in graph.nodes]
    nodes = ",\n".join(rows)
    path.write_text(f'{{"outputs": {json.dumps(graph.outputs)},\n"nodes": [\n{nodes}\n]}}\n')


def read_graph(path: Path) -> Graph:
    """The graph of a file.

    Raises:
        GraphError: no graph, or a node that looks ahead.
    """
    try:
        record = json.loads(path.read_text())
        nodes = tuple(
            Node(op, tuple(map(int, inputs)), tuple(weights), dict(attributes))
            for op, inputs, weights, attributes in record["nodes"]
        )
        outputs = {str(name): int(number) for name, number in record["outputs"].items()}
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise GraphError(f"{path.name} is no graph file: {error}") from error
    ahead = any(not 0 <= i < k for k, node in enumerate(nodes) for i in node.inputs)
    if not nodes or ahead or not all(0 <= number < len(nodes) for number in outputs.values()):
        raise GraphError(f"{path.name} is no graph file: nodes are missing or out of order.")
    return Graph(nodes, outputs)


def read_weights(path: Path, graph: Graph) -> Weights:
    """Every dataset that a graph names, float32; kernels lie in the file in half precision.

    Raises:
        GraphError: the file lacks one, or is no weights file.
    """
    import h5py  # takes a tenth of a second, and a start that finds compiled networks needs no weights

    names = {name for node in graph.nodes for name in node.weights}
    try:
        with h5py.File(path) as file:
            return {name: file[name][()].astype(np.float32) for name in sorted(names)}
    except (OSError, KeyError) as error:
        raise GraphError(f"{path.name} does not hold the weights that its graph names: {error}") from error


def evaluate(graph: Graph, operations: dict[str, Callable], weights: Weights, source: Any) -> list[Any]:
    """The value of every node, by a table of functions `(attributes, weights, *inputs)`.

    Raises:
        GraphError: an operation that the table lacks, or that refuses its inputs.
    """
    values = [source]
    for node in graph.nodes[1:]:
        if node.op not in operations:
            raise GraphError(f"No operation {node.op!r} here; known are {', '.join(operations)}.")
        given = [values[number] for number in node.inputs]
        values.append(operations[node.op](node.attributes, [weights[name] for name in node.weights], *given))
    return values
