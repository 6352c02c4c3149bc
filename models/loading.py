"""Load a bundle: build each network from code, check its weights' SHA-256, compile it once.

Never a pickled model and never random weights: a bundle that does not fit its manifest is refused.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from models.manifest import BundleError, Manifest, NetworkEntry, file_sha256, read_manifest

MAX_BATCH = 32


class Network(Protocol):
    """Array in, array out: the one interface through which the engine reaches a network.

    A batch is (N, S, S, 3) uint8 for an image network and (N, h, w, C) float32 for a head; the answer
    is float32 with the same N.
    """

    def __call__(self, batch: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Bundle:
    """The networks of one bundle, ready to run.

    Attributes:
        segmenter: (N, S, S, 3) uint8 -> (N, S, S, 1) lesion probability.
        feature_network: (N, S, S, 3) uint8 -> (N, h, w, C) features.
        head_network: (N, h, w, C) -> (N, K) logits.
        head_model: the same head as a Keras model, for gradients.
    """

    manifest: Manifest
    segmenter: Network
    feature_network: Network
    head_network: Network
    head_model: Any


class CompiledNetwork:
    """A Keras model behind one compiled function with a fixed signature, one caller at a time.

    Batches over `MAX_BATCH` are run in pieces, so that memory stays bounded.
    """

    def __init__(self, model, dtype: str):
        import tensorflow as tf

        shape = (None, *model.input.shape[1:])
        signature = [tf.TensorSpec(shape, dtype=dtype)]
        self._function = tf.function(lambda batch: model(batch, training=False), input_signature=signature)
        self._lock = threading.Lock()
        self._dtype = dtype

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        batch = np.ascontiguousarray(batch, dtype=self._dtype)
        pieces = [batch[start : start + MAX_BATCH] for start in range(0, len(batch), MAX_BATCH)]
        with self._lock:
            return np.concatenate([self._function(piece).numpy() for piece in pieces])


def load_bundle(folder: str | Path | None = None) -> Bundle:
    """Load the bundle in `folder`; `models.manifest.bundle_dir()` if None.

    Raises:
        BundleError: no manifest, a missing file, a wrong hash or weights of another shape.
    """
    manifest = read_manifest(folder)
    for entry in (manifest.segmenter, manifest.classifier):
        check_weights(manifest.folder, entry)
    from models.efficientnet import split_classifier

    segmenter = load_network(manifest.folder, manifest.segmenter)
    classifier = load_network(manifest.folder, manifest.classifier)
    if classifier.output_shape[-1] != len(manifest.classes):
        raise BundleError(
            f"{manifest.classifier.file} has {classifier.output_shape[-1]} outputs, but the manifest "
            f"lists {len(manifest.classes)} classes."
        )
    feature_model, head_model = split_classifier(classifier)
    return Bundle(
        manifest,
        CompiledNetwork(segmenter, "uint8"),
        CompiledNetwork(feature_model, "uint8"),
        CompiledNetwork(head_model, "float32"),
        head_model,
    )


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


def load_network(folder: Path, entry: NetworkEntry):
    """Build one network from code and load its checked weights.

    Raises:
        BundleError: unknown builder, not a network of colour images, or the weights do not fit the built network.
    """
    from models.builders import BUILDERS

    if entry.builder not in BUILDERS:
        raise BundleError(f"Unknown builder {entry.builder!r}; known are {', '.join(BUILDERS)}.")
    try:
        model = BUILDERS[entry.builder](**entry.arguments)
        model.load_weights(str(folder / entry.file))
    except (ValueError, TypeError, KeyError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BundleError(f"The weights {entry.file} do not fit the network they name: {reason}") from error
    if model.input_shape[-1] != 3:
        raise BundleError(
            f"{entry.file} is of a network of {model.input_shape[-1]} channels; it is shown the three colours alone."
        )
    model.trainable = False
    return model
