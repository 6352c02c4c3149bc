"""Training on several hosts under JAX: the same command on each, every one with its part of each batch.

    export KERAS_BACKEND=jax KERAS_DISTRIBUTION_JOB_ADDRESSES=first-host:1234
    export KERAS_DISTRIBUTION_NUM_PROCESSES=2 KERAS_DISTRIBUTION_PROCESS_ID=0
    dermalens train classifier --config NAME --data DIR --devices ALL

`PROCESS_ID` counts the hosts from 0, and `--devices` is the number of devices of all hosts together. The
hosts share training/runs/ (a network folder): host 0 writes it, all read it to resume a run.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import keras


def n_hosts() -> int:
    """How many there are; 1 unless Keras's variables say otherwise."""
    return int(os.environ.get("KERAS_DISTRIBUTION_NUM_PROCESSES", 1))


def host() -> int:
    """The number of this one; host 0 writes what a run leaves behind."""
    return int(os.environ.get("KERAS_DISTRIBUTION_PROCESS_ID", 0))


def join_hosts() -> None:
    """Wait for the other hosts, where there are any; before anything else is computed.

    Raises:
        ValueError: several hosts with another backend than JAX.
    """
    if n_hosts() == 1:
        return
    if keras.backend.backend() != "jax":
        raise ValueError(f"Several hosts need KERAS_BACKEND=jax; this is {keras.backend.backend()}.")
    keras.distribution.initialize()


def save_weights(model: keras.Model, path: Path) -> None:
    """Host 0 writes; the others wait, so that they never read half a file."""
    if n_hosts() == 1:
        model.save_weights(path)
        return
    from jax.experimental.multihost_utils import sync_global_devices

    with TemporaryDirectory() as discarded:  # Keras computes while it saves, which hosts can only do together
        model.save_weights(path if host() == 0 else Path(discarded) / path.name)
    sync_global_devices(str(path))


@contextmanager
def on_this_host(model: keras.Model) -> Iterator[keras.Model]:
    """The model for predictions that each host makes on its own: itself, or among several a copy of it."""
    if n_hosts() == 1:
        yield model
        return
    weights, distribution = model.get_weights(), keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        copy = keras.models.clone_model(keras.Model(model.inputs, model.outputs))  # without loss, optimiser
        copy.set_weights(weights)
        yield copy
    finally:
        keras.distribution.set_distribution(distribution)
