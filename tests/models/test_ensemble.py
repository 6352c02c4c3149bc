"""Classifiers joined into one network: the mean of their logits, cut at their features like a single one."""

import keras
import numpy as np
import pytest

from core.diagnosis.explanation import compute_view_maps
from models import efficientnet
from models.efficientnet import FEATURES_LAYER, build_classifier, split_classifier
from models.ensemble import build_ensemble, join_classifiers
from models.runtimes.tensorflow import KerasHead
from tests.models.conftest import build_tiny_backbone

ARGUMENTS = {"n_classes": 3, "input_size_px": 64, "backbone": "tiny"}
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
    keras.utils.set_random_seed(0)


def answer(network: keras.Model) -> np.ndarray:
    return network(IMAGES, training=False).numpy()  # at once: `predict` compiles first


def test_the_answer_is_the_members_logits_by_their_shares():
    members = [build_classifier(**ARGUMENTS) for _ in range(3)]
    shares = (0.5, 0.3, 0.2)
    expected = sum(s * answer(member) for s, member in zip(shares, members, strict=True))
    np.testing.assert_allclose(answer(join_classifiers(members, shares)), expected, rtol=1e-5)


def test_its_features_are_the_members_side_by_side():
    members = [build_classifier(**ARGUMENTS) for _ in range(2)]
    features, head = split_classifier(join_classifiers(members, (0.5, 0.5)))
    parts = [answer(split_classifier(member)[0]) for member in members]
    maps = answer(features)
    np.testing.assert_allclose(maps, np.concatenate(parts, axis=-1), rtol=1e-6)
    assert compute_view_maps(KerasHead(head), maps, 1, "gradcam").shape == maps.shape[:3]


def test_weights_are_saved_and_loaded(tmp_path):
    first, second = build_ensemble(**ARGUMENTS), build_ensemble(**ARGUMENTS)
    first.save_weights(tmp_path / "pair.weights.h5")
    second.load_weights(tmp_path / "pair.weights.h5")
    np.testing.assert_array_equal(answer(first), answer(second))
    assert FEATURES_LAYER in {layer.name for layer in second.layers}


@pytest.mark.parametrize("shares", [(1.0,), (0.5, 0.4), (1.5, -0.5)])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(ValueError, match="with sum 1"):
        build_ensemble(shares, **ARGUMENTS)
