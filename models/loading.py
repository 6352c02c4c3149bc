"""Load a bundle: check its weights' SHA-256 and build its networks in a runtime, once.

OpenVINO runs the networks where the bundle's graph files allow it, and TensorFlow is never imported; else
TensorFlow does, and the bundle says why. `DERMALENS_RUNTIME=openvino` or `tensorflow` chooses.

Never a pickled model and never random weights: a bundle that does not fit its manifest is refused.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from models.manifest import BundleError, Manifest, NetworkEntry, file_sha256, read_manifest
from models.runtimes.cache import cache_file, cached_arrays
from models.runtimes.graph import Graph, GraphError, Weights, read_graph, read_weights
from models.runtimes.tensorflow import (
    KerasHead,
    TensorFlowNetwork,
    check_outputs,
    load_classifier,
    load_network,
)

RUNTIME_VARIABLE = "DERMALENS_RUNTIME"
RUNTIMES = ("openvino", "tensorflow")


class Network(Protocol):
    """Array in, array out: the one interface through which the engine reaches a network.

    A batch is (N, S, S, 3) uint8 for an image network and (N, h, w, C) float32 for a head; the answer
    is float32 with the same N.
    """

    def __call__(self, batch: np.ndarray) -> np.ndarray: ...


class Head(Protocol):
    """What explains a classifier's answer: see `models.runtimes.tensorflow.KerasHead`."""

    @property
    def model(self) -> Any: ...

    def gradient(self, features: np.ndarray, class_index: int) -> np.ndarray: ...


@dataclass(frozen=True)
class Bundle:
    """The networks of one bundle, ready to run.

    Attributes:
        segmenter: (N, S, S, 3) uint8 -> (N, S, S, 1) lesion probability.
        feature_network: (N, S, S, 3) uint8 -> (N, h, w, C) features.
        head_network: (N, h, w, C) -> (N, K) logits.
        head: the same head for explanations.
        runtime: what runs the networks, of `RUNTIMES`.
        note: why it is not the runtime that was asked for, for the user to read; "" if it is.
    """

    manifest: Manifest
    segmenter: Network
    feature_network: Network
    head_network: Network
    head: Head
    runtime: str = "tensorflow"
    note: str = ""


class GraphHead:
    """A head whose gradient needs no TensorFlow; its Keras model is built when something asks for it."""

    def __init__(self, graph: Graph, weights: Weights, manifest: Manifest):
        self._graph, self._weights, self._manifest = graph, weights, manifest

    def gradient(self, features: np.ndarray, class_index: int) -> np.ndarray:
        """(N, h, w, C): gradient of one logit with respect to features (N, h, w, C)."""
        from models.runtimes.gradients import logit_gradient

        return logit_gradient(self._graph, self._weights, features, class_index)

    @cached_property
    def model(self) -> Any:
        """The head as a Keras model; imports TensorFlow."""
        return load_classifier(self._manifest)[1]


def load_bundle(
    folder: str | Path | None = None, runtime: str | None = None, precision: str | None = None
) -> Bundle:
    """Load the bundle in `folder`; `models.manifest.bundle_dir()` if None.

    Args:
        folder: of the bundle.
        runtime: of `RUNTIMES`; what `wanted_runtime` says if None.
        precision: of OpenVINO, "f32" or "bf16"; if None the lowest that the manifest allows and the processor has.

    Raises:
        BundleError: no manifest, a missing file, a wrong hash, weights of another shape or an unknown runtime.
    """
    manifest = read_manifest(folder)
    for entry in (manifest.segmenter, manifest.classifier):
        check_weights(manifest.folder, entry)
    if (runtime or wanted_runtime()) == "tensorflow":
        return _load_tensorflow(manifest)
    try:
        return _load_openvino(manifest, precision)
    except GraphError as error:
        return _load_tensorflow(manifest, f"TensorFlow runs the networks, which starts slower: {error}")


def wanted_runtime() -> str:
    """The runtime that the environment names, else the first of `RUNTIMES`.

    Raises:
        BundleError: it names another.
    """
    value = os.environ.get(RUNTIME_VARIABLE, "").strip().lower() or RUNTIMES[0]
    if value not in RUNTIMES:
        raise BundleError(f"{RUNTIME_VARIABLE} must be one of {', '.join(RUNTIMES)}; it is {value!r}.")
    return value


def import_runtime() -> None:
    """Import OpenVINO if networks would be run by it; TensorFlow, which takes far more, is left to the first use."""
    with suppress(BundleError, ImportError):
        if wanted_runtime() == "openvino":
            import models.runtimes.openvino  # noqa: F401


def check_weights(folder: Path, entry: NetworkEntry) -> None:
    """Compare a weights file with the manifest.

    Raises:
        BundleError: missing, or another SHA-256.
    """
    path = folder / entry.file
    remedy = f"Restore it from the repository: git checkout -- {path}"
    if not path.is_file():
        raise BundleError(f"The weights {path} are missing. {remedy}")
    digest = file_sha256(path)
    if digest != entry.sha256:
        raise BundleError(
            f"The weights {path} have SHA-256 {digest[:12]}…, but the manifest states "
            f"{entry.sha256[:12]}…: the file is damaged or was replaced. {remedy}"
        )


def load_graph(folder: Path, entry: NetworkEntry) -> Graph:
    """A network's graph, checked against the manifest.

    Raises:
        GraphError: the manifest lists none, or the file is missing, changed or no graph.
    """
    if entry.graph is None:
        raise GraphError(f"the bundle has no graph file of {entry.file}")
    path = folder / entry.graph["file"]
    if not path.is_file():
        raise GraphError(f"{path.name} is missing; restore it: git checkout -- {path}")
    if file_sha256(path) != entry.graph["sha256"]:
        raise GraphError(f"{path.name} is not the file that the manifest lists; git checkout -- {path}")
    return read_graph(path)


def _load_tensorflow(manifest: Manifest, note: str = "") -> Bundle:
    segmenter = load_network(manifest.folder, manifest.segmenter)
    feature_model, head_model = load_classifier(manifest)
    return Bundle(
        manifest,
        TensorFlowNetwork(segmenter, "uint8"),
        TensorFlowNetwork(feature_model, "uint8"),
        TensorFlowNetwork(head_model, "float32"),
        KerasHead(head_model),
        "tensorflow",
        note,
    )


def _load_openvino(manifest: Manifest, precision: str | None) -> Bundle:
    try:
        from models.runtimes.openvino import OpenVinoNetwork, supports_bf16
    except ImportError as error:
        raise GraphError(f"OpenVINO cannot be imported here ({error})") from error
    from models.runtimes.gradients import check_gradient
    from models.runtimes.memory import return_freed_memory

    return_freed_memory()
    allowed = manifest.classifier.record.get("lower_precision", {}).get("allowed", False)
    precision = precision or ("bf16" if allowed and supports_bf16() else "f32")

    def load(entry: NetworkEntry, graph: Graph, dtype: str = "uint8") -> OpenVinoNetwork:
        origin = entry.sha256, entry.graph["sha256"], *graph.outputs
        return OpenVinoNetwork(
            graph, lambda: read_weights(manifest.folder / entry.file, graph), dtype, origin, precision
        )

    def load_segmenter() -> OpenVinoNetwork:
        return load(
            manifest.segmenter, load_graph(manifest.folder, manifest.segmenter).part("mask_probability")
        )

    with ThreadPoolExecutor(1) as pool:  # compiling takes one core: the other one compiles the classifier
        segmenter = pool.submit(load_segmenter)
        entry = manifest.classifier
        graph = load_graph(manifest.folder, entry)
        features = load(entry, graph.part("features"))
        head_graph = graph.part("logits", start="features", shape=features.output_shape)
        check_gradient(head_graph)
        head = load(entry, head_graph, "float32")
        check_outputs(manifest, head.output_shape[-1])
        explained = GraphHead(head_graph, _head_weights(manifest, head_graph), manifest)
        return Bundle(manifest, segmenter.result(), features, head, explained, "openvino")


def _head_weights(manifest: Manifest, head: Graph) -> Weights:
    entry = manifest.classifier
    kept = cache_file("head", entry.sha256, entry.graph["sha256"])
    return cached_arrays(kept, lambda: read_weights(manifest.folder / entry.file, head))
