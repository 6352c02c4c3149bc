"""Keep freed memory for the next training step instead of handing it back to the system after each.

Keras reads batches through TensorFlow's generator dataset, which sets glibc's M_TRIM_THRESHOLD to 128 kB.
From then on every tensor of a step is allocated and freed by the system: on two cores that took nearly half of the
processor's time. `KeepMemory` sets the limits back up once that has happened.
"""

import ctypes
import sys

import keras

# From glibc's malloc.h: parameter of mallopt -> value in bytes.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_TOP_PAD = -1, -3, -2
LIMITS = {M_TRIM_THRESHOLD: 2**31 - 1, M_MMAP_THRESHOLD: 2**25, M_TOP_PAD: 2**28}


def keep_freed_memory() -> bool:
    """Let glibc keep what is freed; False where the C library is another one."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(name, value) for name, value in LIMITS.items())


class KeepMemory(keras.callbacks.Callback):
    """Calls `keep_freed_memory` after the first batch of an epoch, when the dataset has been made."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            keep_freed_memory()
