"""TensorFlow reads these from the environment when it is imported; a value that is set already stays.

On x86 processors without AVX-512 TensorFlow disables oneDNN's kernels by default;
`make bench` measures their effect on an analysis and on a training step.
"""

import os

OPTIONS = {
    "TF_CPP_MIN_LOG_LEVEL": "2",  # warnings and errors only
    "TF_ENABLE_ONEDNN_OPTS": "1",
}


def set_options() -> None:
    """Set every option that the environment does not state itself."""
    for name, value in OPTIONS.items():
        os.environ.setdefault(name, value)
