"""A running average of a network's weights, which is judged and kept in place of the weights themselves.

Reference:
    Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging, doi:10.1137/0330046; here
    exponentially, and with the statistics of batch normalisation among the weights.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

EVERY = 4  # steps


class AverageWeights(keras.callbacks.Callback):
    """Follows `network` while it trains."""

    def __init__(self, network: keras.Model, keep: float, file: Path):
        """`keep` is the share of the average that stays at each update; `file` holds it between epochs."""
        super().__init__()
        self.network, self.keep, self.file = network, keep, file
        self.updates = 0
        self.weights = network.get_weights()
        if file.is_file():
            with self.in_place():
                network.load_weights(file)
                self.weights = network.get_weights()
            self.updates = 10**6  # of an earlier process: enough to be past the beginning

    def on_train_batch_end(self, batch, logs=None):
        if batch % EVERY:
            return
        self.updates += 1
        keep = min(self.keep, self.updates / (self.updates + 10))  # at first most of it is the last weights
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
