"""Let networks that are trained already teach another: they say how much each augmented window is of each class.

The teachers see exactly the window that the learner sees, augmented and blended, so that their answer says more
than the label and fits what is in the window. Or they see the same part of the photograph as it was taken
(`plain`): then the learner is to answer under other colours, artefacts and noise as they do without. They sit in
one graph with the learner, so that they answer on the device that it learns on.

References:
    Hinton, Vinyals, Dean (2015), Distilling the knowledge in a neural network, arXiv:1503.02531.
    Beyer et al. (2022), Knowledge distillation: a good teacher is patient and consistent, arXiv:2106.05237.
"""

from collections.abc import Callable, Sequence

import keras
from keras import layers, ops

from training.fit.engine import start_from


def load_teachers(build: Callable[[], keras.Model], runs: Sequence[str]) -> list[keras.Model]:
    """Finished runs as networks.

    Args:
        build: makes a network of the runs' architecture, answering with logits.
        runs: names in training/runs/.

    Raises:
        FileNotFoundError: a run has no best weights yet; names the run to train first.
    """
    teachers = [build() for _ in runs]
    for teacher, run in zip(teachers, runs, strict=True):
        start_from(teacher, run)
    return teachers


class Teachers(layers.Layer):
    """(N, S, S, C) windows to (N, K) shares: softmax of the mean logits, never in training mode (dropout, batches)."""

    def __init__(self, teachers: Sequence[keras.Model]):
        super().__init__(dtype="float32", autocast=False, name="teachers")
        self.teachers = list(teachers)
        self.trainable = False  # theirs too

    def call(self, windows):
        logits = [teacher(windows, training=False) for teacher in self.teachers]
        return ops.softmax(ops.mean(ops.stack(logits), axis=0), axis=-1)

    def compute_output_shape(self, input_shape):
        return self.teachers[0].compute_output_shape(input_shape)


def join_teachers(learner: keras.Model, teachers: Sequence[keras.Model], plain: bool = False) -> keras.Model:
    """Learner and teachers as one network: (N, S, S, C) windows to (N, 2 K), the learner's logits and the shares.

    The shares of the classes are the teachers', see `Teachers`, at temperature 1. With `plain` the
    input is (N, S, S, 2 C): the learner sees the first C channels, the teachers the others.
    """
    *sides, channels = learner.input_shape[1:]
    inputs = keras.Input((*sides, 2 * channels if plain else channels), name="windows")
    seen, shown = (inputs[..., :channels], inputs[..., channels:]) if plain else (inputs, inputs)
    answers = layers.Concatenate(dtype="float32", name="answers")([learner(seen), Teachers(teachers)(shown)])
    return keras.Model(inputs, answers, name="taught")


def taught_loss(loss: Callable, n_classes: int, teacher_share: float) -> Callable:
    """`loss` for `join_teachers`: the teachers have `teacher_share` of the say over the classes, the labels the rest."""

    def taught(y_true, y_pred):
        logits, shares = y_pred[:, :n_classes], ops.stop_gradient(y_pred[:, n_classes:])
        return loss((1 - teacher_share) * ops.cast(y_true, "float32") + teacher_share * shares, logits)

    return taught
