"""The class prior: how much of it goes back into the logits, and that it gets there in every kind of network."""

import numpy as np
import pytest

from core.diagnosis.decision import apply_offsets, prior_offsets
from models import efficientnet
from models.builders import BUILDERS
from tests.models.conftest import build_tiny_backbone
from training.prior import choose_prior, shift_logits

OFFSETS = np.array([1.0, -0.5, 0.25])
MODEL = {"backbone": "tiny", "input_size_px": 64, "n_classes": 3}


def draw_views(strength: float, n: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """((N, 1, 3) calibrated probabilities from which prior^strength was taken away, labels, lesions)."""
    rng = np.random.default_rng(0)
    prior = np.array([0.8, 0.15, 0.05])
    labels = rng.choice(3, size=n, p=prior)
    evidence = rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[labels]  # log-likelihood 1.5 x of unit normals
    posterior = apply_offsets(np.full((n, 3), 1 / 3), 1.5 * evidence + np.log(prior))
    return apply_offsets(posterior, prior_offsets(prior, strength))[:, None], labels, np.arange(n) // 2


def test_the_strength_of_the_sampling_has_the_lowest_log_loss_and_highest_accuracy():
    scores, _ = choose_prior(*draw_views(strength=0.5))
    assert min(scores, key=lambda s: scores[s]["log_loss"]) == "0.5"
    assert scores["0.5"]["accuracy"] > scores["0.0"]["accuracy"]
    assert scores["0.5"]["balanced_accuracy"] < scores["0.0"]["balanced_accuracy"]


def test_accuracy_and_balanced_accuracy_count_alike_in_the_choice():
    views, labels, lesions = draw_views(strength=0.5)
    scores, entry = choose_prior(views, labels, lesions)
    sums = {s: found["accuracy"] + found["balanced_accuracy"] for s, found in scores.items()}
    assert entry["best_strength"] == float(max(sums, key=sums.get))
    counts = np.bincount(labels)
    np.testing.assert_allclose(entry["offsets"], prior_offsets(counts / counts.sum(), -entry["strength"]))


def test_a_strength_that_is_given_is_taken_and_said_to_be_given():
    scores, entry = choose_prior(*draw_views(strength=0.5), given=-0.3)
    other = choose_prior(*draw_views(strength=0.5))[1]
    assert entry["strength"] == -0.3 != other["strength"] and entry["best_strength"] == other["best_strength"]
    assert entry["origin"].startswith("given to the export") and not other["origin"].startswith("given")
    assert scores["-0.3"]["balanced_accuracy"] > scores["0.5"]["balanced_accuracy"]


def test_the_middle_of_the_resamples_is_taken_not_the_best_by_chance():
    views, labels, lesions = draw_views(strength=0.5, n=20_000)
    settled = choose_prior(views, labels, lesions)[1]["strength"]
    parts = [
        choose_prior(*(a[start::50] for a in (views, labels, np.arange(20_000))))[1] for start in range(20)
    ]
    misses = {
        key: np.mean([abs(part[key] - settled) for part in parts]) for key in ("strength", "best_strength")
    }
    assert misses["strength"] < misses["best_strength"]


def test_with_one_lesion_there_is_nothing_to_draw_and_the_best_is_taken():
    views, labels, _ = draw_views(strength=0.5, n=400)
    entry = choose_prior(views, labels, np.zeros(400))[1]
    assert entry["strength"] == entry["best_strength"]


def test_images_of_one_lesion_are_no_independent_evidence():
    views, labels, _ = draw_views(strength=0.5, n=400)
    alone = choose_prior(views, labels, np.arange(400))[1]
    copies = choose_prior(*(np.repeat(a, 25, axis=0) for a in (views, labels, np.arange(400))))[1]
    assert copies["strength"] == alone["strength"]


def test_a_class_without_images_gets_finite_offsets():
    _, entry = choose_prior(np.full((4, 1, 3), 1 / 3), np.array([0, 0, 0, 1]), np.arange(4))
    assert np.isfinite(entry["offsets"]).all()


@pytest.mark.parametrize("builder", ["classifier", "ensemble"])
def test_logits_move_by_the_offsets(monkeypatch, builder):
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
    network = BUILDERS[builder](**MODEL)
    images = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3)).astype(np.float32)
    before = network.predict(images, verbose=0)
    shift_logits(network, OFFSETS)
    np.testing.assert_allclose(network.predict(images, verbose=0) - before, [OFFSETS] * 2, atol=1e-5)


def test_a_network_with_other_classes_is_refused(monkeypatch):
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
    with pytest.raises(ValueError, match="4 units"):
        shift_logits(BUILDERS["classifier"](**MODEL), np.zeros(4))
