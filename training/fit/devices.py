"""Data-parallel training: the same weights on several devices, each with its part of every batch.

On TensorFlow through `tf.distribute.MirroredStrategy` (one machine), on JAX through
`keras.distribution.DataParallel` (several hosts too: `training.fit.hosts`). The batch size of a configuration
is that of all devices together, so the number of devices changes the speed of a run, not its result;
batch normalisation alone sees each device's part of the batch on TensorFlow, and the whole batch on JAX.
"""

from contextlib import AbstractContextManager, nullcontext

import keras

from training.fit.hosts import join_hosts, n_hosts


def data_parallel(n_devices: int) -> AbstractContextManager:
    """A scope in which a model must be built, compiled and trained to use `n_devices` devices.

    Accelerators come first, then the CPU's logical devices; 1 leaves the choice to the backend.

    Raises:
        ValueError: fewer devices than that, not all devices of several hosts, or a backend without data
            parallelism here.
    """
    join_hosts()
    if n_devices == 1 and n_hosts() == 1:
        return nullcontext()
    backend = keras.backend.backend()
    if backend == "jax":
        return keras.distribution.DataParallel(
            devices=_first_devices(n_devices), auto_shard_dataset=False
        ).scope()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.distribute.MirroredStrategy(_first_devices(n_devices)).scope()
    raise ValueError(f"`--devices` needs the tensorflow or jax backend of Keras; this is {backend}.")


def _first_devices(count: int) -> list[str]:
    """The first `count` devices of the fastest kind there is."""
    devices = keras.distribution.list_devices()
    accelerators = [name for name in devices if "cpu" not in name.lower()]
    usable = accelerators or devices
    if not 1 <= count <= len(usable):
        raise ValueError(f"`--devices` must be from 1 to {len(usable)}, the devices there are; got {count}.")
    if n_hosts() > 1 and count != len(usable):
        raise ValueError(
            f"`--devices` must be all {len(usable)} devices of the {n_hosts()} hosts; got {count}."
        )
    return usable[:count]
