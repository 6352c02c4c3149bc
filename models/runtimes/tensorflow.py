"""The networks as Keras builds them: the fallback that works everywhere, and what Grad-CAM++ needs.

Importing it imports no TensorFlow; loading a network does, and takes seconds.
"""

import threading
from pathlib import Path
from typing import Any

import numpy as np

from models.manifest import BundleError, Manifest, NetworkEntry

MAX_BATCH = 32


class TensorFlowNetwork:
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


class KerasHead:
    """A classifier's head for explanations: its gradient, and itself as `model` for tf-keras-vis."""

    def __init__(self, model):
        self.model = model

    def gradient(self, features: np.ndarray, class_index: int) -> np.ndarray:
        """(N, h, w, C): gradient of one logit with respect to features (N, h, w, C)."""
        import tensorflow as tf

        source = tf.convert_to_tensor(features)
        with tf.GradientTape() as tape:
            tape.watch(source)
            logit = self.model(source, training=False)[:, class_index]
        return tape.gradient(logit, source).numpy()


def load_classifier(manifest: Manifest) -> tuple[Any, Any]:
    """(feature model, head model) of a bundle's classifier.

    Raises:
        BundleError: see `load_network`; or as many outputs as the manifest has classes are missing.
    """
    from models.efficientnet import split_classifier

    classifier = load_network(manifest.folder, manifest.classifier)
    check_outputs(manifest, classifier.output_shape[-1])
    return split_classifier(classifier)


def check_outputs(manifest: Manifest, count: int) -> None:
    """Raise BundleError unless the classifier has one output a class."""
    if count != len(manifest.classes):
        raise BundleError(
            f"{manifest.classifier.file} has {count} outputs, but the manifest lists "
            f"{len(manifest.classes)} classes."
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
