"""Trained networks as teachers: their mean logits as shares of the classes, beside what the learner answers."""

import keras
import numpy as np
import pytest
from scipy.special import softmax

from training.distillation import join_teachers, load_teachers, taught_loss
from training.fit import engine
from training.fit.run_folder import BEST_WEIGHTS

N_CLASSES = 3


def build_network() -> keras.Model:
    inputs = keras.Input((4, 4, 3))
    flat = keras.layers.Flatten()(inputs)
    outputs = keras.layers.Dense(N_CLASSES, name="logits")(keras.layers.Dropout(0.5)(flat))
    return keras.Model(inputs, outputs)


@pytest.fixture
def windows():
    return np.random.default_rng(0).normal(size=(5, 4, 4, 6)).astype(np.float32)


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "RUNS_DIR", tmp_path)


def finish_run(name: str) -> keras.Model:
    network = build_network()
    file = engine.RUNS_DIR / name / BEST_WEIGHTS
    file.parent.mkdir(parents=True)
    network.save_weights(file)
    return network


@pytest.mark.parametrize("names", [["first"], ["first", "second"]])
def test_the_shares_are_of_the_mean_of_the_teachers_logits(windows, names):
    networks = [finish_run(name) for name in names]
    learner, seen = build_network(), windows[..., :3]
    answers = join_teachers(learner, load_teachers(build_network, names)).predict(seen, verbose=0)
    np.testing.assert_allclose(answers[:, :N_CLASSES], learner.predict(seen, verbose=0), atol=1e-6)
    logits = [network.predict(seen, verbose=0) for network in networks]
    np.testing.assert_allclose(answers[:, N_CLASSES:], softmax(np.mean(logits, axis=0), axis=1), atol=1e-6)


def test_teachers_who_see_the_plain_image_see_the_channels_behind(windows):
    teacher, learner = finish_run("first"), build_network()
    joined = join_teachers(learner, load_teachers(build_network, ["first"]), plain=True)
    answers = joined.predict(windows, verbose=0)
    np.testing.assert_allclose(answers[:, :3], learner.predict(windows[..., :3], verbose=0), atol=1e-6)
    shares = softmax(teacher.predict(windows[..., 3:], verbose=0), axis=1)
    np.testing.assert_allclose(answers[:, 3:], shares, atol=1e-6)


def test_only_the_learner_learns_and_teachers_drop_nothing_out(windows):
    finish_run("first")
    [teacher] = load_teachers(build_network, ["first"])
    joined = join_teachers(build_network(), [teacher])
    assert len(joined.trainable_variables) == 2  # kernel and bias
    first, second = (joined(windows[..., :3], training=True) for _ in range(2))
    np.testing.assert_array_equal(first[:, N_CLASSES:], second[:, N_CLASSES:])
    assert np.abs(first[:, :N_CLASSES] - second[:, :N_CLASSES]).max() > 0  # the learner does


def test_a_teacher_has_its_share_of_the_targets_and_gets_no_gradient():
    def squares(target, logits):
        return keras.ops.sum((target - logits) ** 2, axis=-1)

    labels, logits, shares = np.float32([[1, 0, 0]]), np.float32([[0, 0, 0]]), np.float32([[0, 1, 0]])
    answers = np.concatenate([logits, shares], axis=1)
    loss = taught_loss(squares, N_CLASSES, teacher_share=0.75)
    assert float(loss(labels, answers)[0]) == pytest.approx(0.25**2 + 0.75**2)


def test_a_teacher_that_was_not_trained_yet_is_named():
    with pytest.raises(FileNotFoundError, match="Train 'absent' first"):
        load_teachers(build_network, ["absent"])
