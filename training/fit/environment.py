"""Provenance of a record: command, versions, hardware."""

import os
import platform
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import keras


def describe_environment() -> dict[str, Any]:
    """Versions, hardware and the command, for a run's record."""
    packages = ("keras", keras.backend.backend(), "numpy", "cv2")
    return {
        "command": " ".join([_program(), *map(_without_folder, sys.argv[1:])]),
        "python": platform.python_version(),
        "versions": {name: import_module(name).__version__ for name in packages},
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "accelerator": _accelerator(),
    }


def _accelerator() -> str:
    """The first accelerator's own name; "" where the backend computes on the processor, or names none."""
    if keras.backend.backend() == "jax":
        import jax

        first = jax.devices()[0]
        return "" if first.platform == "cpu" else first.device_kind
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "") if gpus else ""
    return ""


def _without_folder(argument: str) -> str:
    """The command without folders of the machine it ran on."""
    return f".../{Path(argument).name}" if Path(argument).is_absolute() else argument


def _program() -> str:
    if sys.argv[0].startswith("dermalens "):  # set by `training.cli`
        return sys.argv[0]
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return f"python -m {spec.name if spec else Path(sys.argv[0]).stem}"
