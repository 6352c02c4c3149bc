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

from training.engine import start_from


def load_teachers(build: Callable[[], keras.Model], runs: Sequence[str]) -> list[keras.Model]:
    """Finished runs as networks that learn no more.

    Args:
        build: makes a network of the runs' architecture, answering with logits.
        runs: names in training/runs/.

    Raises:
        FileNotFoundError: a run has no best weights yet; names the run to train first.
    """
    teachers = [build() for _ in runs]
    for number, (teacher, run) in enumerate(zip(teachers, runs, strict=True)):
        start_from(teacher, run)
        teacher.name, teacher.trainable = f"teacher{number}", False
    return teachers


def join_teachers(learner: keras.Model, teachers: Sequence[keras.Model], plain: bool = False) -> keras.Model:
    """Learner and teachers as one network: (N, S, S, C) windows to (N, 2 K), the learner's logits and the shares.

    The shares of the classes are the teachers' mean logits through softmax, at temperature 1. With `plain` the
    input is (N, S, S, 2 C): the learner sees the first C channels, the teachers the others.
    """
    *sides, channels = learner.input_shape[1:]
    inputs = keras.Input((*sides, 2 * channels if plain else channels), name="windows")
    seen, shown = (inputs[..., :channels], inputs[..., channels:]) if plain else (inputs, inputs)
    logits = [teacher(shown, training=False) for teacher in teachers]
    shares = layers.Softmax(dtype="float32", name="shares")(
        layers.Average(dtype="float32", name="mean_logits")(logits) if len(logits) > 1 else logits[0]
    )
    return keras.Model(
        inputs, layers.Concatenate(dtype="float32", name="taught")([learner(seen), shares]), name="taught"
    )


def taught_loss(loss: Callable, n_classes: int, teacher_share: float) -> Callable:
    """`loss` for `join_teachers`: the teachers have `teacher_share` of the say over the classes, the labels the rest."""

    def taught(y_true, y_pred):
        logits, shares = y_pred[:, :n_classes], ops.stop_gradient(y_pred[:, n_classes:])
        return loss((1 - teacher_share) * ops.cast(y_true, "float32") + teacher_share * shares, logits)

    return taught
