"""What happens inside a classifier's head: the logits of each member and its attention weights, in numpy.

Read from the bundle's graph file, so it needs no TensorFlow whatever runs the networks.
"""

from dataclasses import dataclass

import numpy as np

from models.loading import load_graph
from models.manifest import Manifest
from models.runtimes.gradients import FORWARD
from models.runtimes.graph import Graph, Weights, evaluate, read_weights


@dataclass(frozen=True, eq=False)
class Member:
    """One of the M networks whose weighted logits are added; a plain classifier has one.

    Attributes:
        share: of its logits in the sum.
        channels: its part of the feature channels.
        logits: (N, K), before the share.
        channel_weight: (N, C) in [0, 1], by which attention multiplies each of its channels; None without.
        spatial_weight: (N, h, w) in [0, 1], by which attention multiplies each position; None without.
    """

    share: float
    channels: slice
    logits: np.ndarray
    channel_weight: np.ndarray | None
    spatial_weight: np.ndarray | None


def read_members(manifest: Manifest, features: np.ndarray) -> tuple[Member, ...]:
    """The members of a bundle's classifier on feature maps (N, h, w, C), in the order of their channels.

    Raises:
        GraphError: the bundle has no graph file of its classifier, or one that cannot be read.
    """
    entry = manifest.classifier
    graph = load_graph(manifest.folder, entry)
    head = graph.part("logits", start="features", shape=features.shape[1:])
    return split_head(head, read_weights(manifest.folder / entry.file, head), features)


def split_head(head: Graph, weights: Weights, features: np.ndarray) -> tuple[Member, ...]:
    """The members of a head, see `read_members`.

    Raises:
        GraphError: an operation that numpy does not have here.
    """
    values = evaluate(head, FORWARD, weights, features)
    [output] = head.outputs.values()
    members = [
        _member(head, values, root, share, features.shape[-1]) for root, share in _roots(head, output).items()
    ]
    return tuple(sorted(members, key=lambda member: member.channels.start))


def _roots(head: Graph, output: int) -> dict[int, float]:
    """Node with the logits of each member -> its share."""
    parts = [head.nodes[number] for number in head.nodes[output].inputs]
    joined = head.nodes[output].op == "add" and all(
        part.op == "affine" and np.size(part.attributes["scale"]) == 1 for part in parts
    )
    if not joined:
        return {output: 1.0}
    return {part.inputs[0]: float(np.squeeze(part.attributes["scale"])) for part in parts}


def _member(head: Graph, values: list, root: int, share: float, n_channels: int) -> Member:
    channels, weights = slice(0, n_channels), {}
    for number in _ancestors(head, root):
        node = head.nodes[number]
        if node.op == "channels" and node.inputs == (0,):
            channels = slice(node.attributes["start"], node.attributes["stop"])
        # Attention multiplies by a sigmoid that is the same for all positions or for all channels.
        if node.op == "multiply" and values[number].ndim == 4:
            for gate in (values[i] for i in node.inputs if head.nodes[i].op == "sigmoid"):
                if gate.shape[1:3] == (1, 1):
                    weights["channel_weight"] = gate[:, 0, 0]
                elif gate.shape[3] == 1:
                    weights["spatial_weight"] = gate[..., 0]
    found = {"channel_weight": None, "spatial_weight": None} | weights
    return Member(share, channels, values[root], **found)


def _ancestors(head: Graph, root: int) -> set[int]:
    found, pending = set(), [root]
    while pending:
        number = pending.pop()
        if number not in found:
            found.add(number)
            pending += head.nodes[number].inputs
    return found
