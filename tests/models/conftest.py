"""A tiny but real bundle: networks built from code, weights and manifest written to a folder."""

import json
import shutil
from pathlib import Path

import keras
import pytest

from core.taxonomy import HAM10000_CLASSES
from models import efficientnet
from models.efficientnet import build_classifier
from models.manifest import MANIFEST_NAME, file_sha256
from models.unet import build_unet

UNET = {"base_filters": 2, "depth": 2, "input_size_px": 32}
CLASSIFIER = {"backbone": "tiny", "input_size_px": 64, "n_classes": 7}


def build_tiny_backbone(include_top, weights, input_tensor):
    """One convolution with the call signature of `keras.applications`."""
    features = keras.layers.Conv2D(8, 3, strides=16, name="tiny_conv")(input_tensor)
    return keras.Model(input_tensor, features)


def network_entry(path: Path, builder: str, arguments: dict) -> dict:
    return {
        "file": path.name,
        "sha256": file_sha256(path),
        "builder": builder,
        "arguments": arguments,
        "long_side_px": 200,
    }


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory, monkeypatch) -> Path:
    """Compiled networks of a test stay with the test."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("DERMALENS_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def built_bundle(tmp_path_factory) -> Path:
    """Weights of both networks beside their manifest, built once; not to be changed."""
    folder = tmp_path_factory.mktemp("built")
    keras.utils.set_random_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
        build_unet(**UNET).save_weights(folder / "segmenter.weights.h5")
        build_classifier(**CLASSIFIER).save_weights(folder / "classifier.weights.h5")
    manifest = {
        "name": "tiny",
        "version": "1",
        "segmenter": network_entry(folder / "segmenter.weights.h5", "unet", UNET),
        "classifier": network_entry(folder / "classifier.weights.h5", "classifier", CLASSIFIER)
        | {
            "classes": list(HAM10000_CLASSES),
            "views": ["whole", "crop"],
            "crop_margin": 0.3,
            "temperature": 1.5,
            "suspicious_threshold": {"value": 0.2, "origin": "made up"},
        },
        "preprocessing": {"defaults": {"hair_removal": True}},
    }
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def bundle_folder(built_bundle, tmp_path, monkeypatch) -> Path:
    """A copy of it for one test."""
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
    return shutil.copytree(built_bundle, tmp_path, dirs_exist_ok=True)
