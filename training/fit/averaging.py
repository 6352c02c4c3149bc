"""Exponential moving average of a network's weights, which is validated and saved instead of the weights.

Reference:
    Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging, doi:10.1137/0330046; here
    exponentially, and with the statistics of batch normalisation among the weights.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

EVERY = 50  # steps; each update copies all weights, which on a GPU takes longer than a step


class AverageWeights(keras.callbacks.Callback):
    """Follows `network` while it trains."""

    def __init__(self, network: keras.Model, keep: float, file: Path, steps_done: list[int]):
        """Begin, or go on where an earlier process stopped.

        Args:
            network: trains.
            keep: decay of the average at each update.
            file: holds the average between epochs.
            steps_done: of each epoch so far.
        """
        super().__init__()
        self.network, self.keep, self.file = network, keep, file
        self.updates = sum(-(-steps // EVERY) for steps in steps_done)
        self.weights = network.get_weights()
        if file.is_file():
            with self.in_place():
                network.load_weights(file)
                self.weights = network.get_weights()

    def on_train_batch_end(self, batch, logs=None):
        if batch % EVERY:
            return
        self.updates += 1
        keep = min(self.keep, self.updates / (self.updates + 10))  # at first most of it is the last weights
        _ = self.model  # on JAX, asking for it writes the weights of Keras's compiled loop back
        for mean, now in zip(self.weights, self.network.get_weights(), strict=True):
            mean *= keep
            mean += (1 - keep) * now

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The network with the average as its weights, for as long as this lasts."""
        own = self.network.get_weights()
        self.network.set_weights(self.weights)
        try:
            yield
        finally:
            self.network.set_weights(own)

    def save(self) -> None:
        with self.in_place():
            self.network.save_weights(self.file)
