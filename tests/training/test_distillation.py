"""Trained networks as teachers: their mean logits as shares of the classes."""

import keras
import numpy as np
import pytest
from scipy.special import softmax

from training import engine
from training.distillation import build_teacher


def build_network() -> keras.Model:
    inputs = keras.Input((4, 4, 3))
    return keras.Model(inputs, keras.layers.Dense(3, name="logits")(keras.layers.Flatten()(inputs)))


@pytest.fixture
def windows():
    return np.random.default_rng(0).normal(size=(5, 4, 4, 3)).astype(np.float32)


def finish_run(name: str) -> keras.Model:
    network = build_network()
    file = engine.RUNS_DIR / name / engine.BEST_WEIGHTS
    file.parent.mkdir(parents=True)
    network.save_weights(file)
    return network


def test_the_teacher_is_the_mean_of_its_runs_logits(tmp_path, monkeypatch, windows):
    monkeypatch.setattr(engine, "RUNS_DIR", tmp_path)
    logits = [finish_run(name).predict(windows, verbose=0) for name in ("first", "second")]
    shares = build_teacher(build_network, ["first", "second"])(windows)
    np.testing.assert_allclose(shares, softmax(np.mean(logits, axis=0), axis=1), atol=1e-6)


def test_without_runs_there_is_no_teacher():
    assert build_teacher(build_network, ()) is None


def test_a_teacher_that_was_not_trained_yet_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "RUNS_DIR", tmp_path)
    with pytest.raises(FileNotFoundError, match="Train 'absent' first"):
        build_teacher(build_network, ["absent"])
