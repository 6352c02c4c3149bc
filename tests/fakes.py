"""A bundle of tiny, fast stand-ins for the networks: for testing logic, never for judging answers."""

import json
from pathlib import Path

import numpy as np

from core.taxonomy import HAM10000_CLASSES
from models.loading import Bundle
from models.manifest import MANIFEST_NAME, Manifest, NetworkEntry, file_sha256
from models.runtimes.tensorflow import KerasHead

SIZE_PX = 64
CELLS = 4
CHANNELS = 6


def darkness_segmenter(batch: np.ndarray) -> np.ndarray:
    """(N, S, S, 3) uint8 -> (N, S, S, 1): dark pixels are lesion."""
    grey = batch.astype(np.float32).mean(axis=-1, keepdims=True)
    return 1 / (1 + np.exp((grey - 120) / 10))


def colour_features(batch: np.ndarray) -> np.ndarray:
    """(N, S, S, 3) uint8 -> (N, 4, 4, 6): mean and contrast of each colour in each cell."""
    n, side = batch.shape[0], batch.shape[1] // CELLS
    cells = batch.astype(np.float32).reshape(n, CELLS, side, CELLS, side, 3)
    return np.concatenate([cells.mean((2, 4)), cells.std((2, 4))], axis=-1) / 255


def build_fake_head(n_classes: int = len(HAM10000_CLASSES)):
    """A linear head on pooled features with fixed weights, as a Keras model."""
    import keras

    inputs = keras.Input((CELLS, CELLS, CHANNELS))
    features = keras.layers.Activation("linear", name="features")(inputs)
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    model = keras.Model(inputs, keras.layers.Dense(n_classes, name="logits")(pooled))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 3, w.shape).astype(np.float32) for w in model.get_weights()])
    return model


def fake_manifest(classes: tuple[str, ...] = HAM10000_CLASSES) -> Manifest:
    entry = NetworkEntry("fake.weights.h5", "0" * 64, "unet", {"input_size_px": SIZE_PX}, 200, {})
    return Manifest(
        folder=Path("fake"),
        name="fake bundle",
        version="0",
        segmenter=entry,
        classifier=entry,
        classes=classes,
        views=("whole", "crop"),
        crop_margin=0.3,
        temperature=1.0,
        suspicious_threshold=0.3,
        threshold_origin="made up for tests",
        filters=(),
    )


def fake_bundle(classes: tuple[str, ...] = HAM10000_CLASSES) -> Bundle:
    head = build_fake_head(len(classes))
    return Bundle(
        fake_manifest(classes),
        darkness_segmenter,
        colour_features,
        lambda features: head(features).numpy(),
        KerasHead(head),
    )


def write_bundle(folder: Path, classes: tuple[str, ...] = HAM10000_CLASSES, **changes) -> Path:
    """A bundle's folder whose files are whole and cannot be loaded: to check, pack and fetch it.

    `changes` are of the manifest's record.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = {}
    for name in ("segmenter", "classifier"):
        path = folder / f"{name}.weights.h5"
        path.write_bytes(name.encode() * 50)
        entries[name] = {
            "file": path.name,
            "sha256": file_sha256(path),
            "builder": "unet",
            "arguments": {"input_size_px": SIZE_PX},
            "long_side_px": 200,
        }
    entries["classifier"] |= {
        "classes": list(classes),
        "views": ["whole"],
        "crop_margin": 0.3,
        "temperature": 1.0,
        "suspicious_threshold": {"value": 0.3, "origin": "made up for tests"},
    }
    about = {"name": "small", "version": "1", "licence": "CC BY-NC 4.0, as its data"}
    record = about | entries | {"preprocessing": {"defaults": {}}} | changes
    (folder / MANIFEST_NAME).write_text(json.dumps(record))
    return folder
