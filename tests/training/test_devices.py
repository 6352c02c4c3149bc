"""Data-parallel training on two virtual devices of the CPU learns what one device learns."""

import json
import os
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from training.devices import data_parallel

ROOT = Path(__file__).parent.parent.parent
TWO_JAX_DEVICES = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
needs_jax = pytest.mark.skipif(util.find_spec("jax") is None, reason="jax is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=needs_jax)])
def test_two_devices_give_the_losses_of_one(tmp_path, backend):
    environment = os.environ | TWO_JAX_DEVICES | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-m", "tests.training.train_on_devices", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    [line] = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    one, two = json.loads(line.removeprefix("RESULT "))
    assert (one["copies"], two["copies"]) == (1, 2)
    assert len(one["history"]) == 2 and one["history"][0]["loss"] > one["history"][1]["loss"]
    for single, double in zip(one["history"], two["history"], strict=True):
        # Two partial sums of float32 instead of one.
        assert double["loss"] == pytest.approx(single["loss"], rel=1e-4)
        assert double["val_dice"] == pytest.approx(single["val_dice"], abs=0.01)


def test_one_device_leaves_everything_to_the_backend():
    with data_parallel(1) as scope:
        assert scope is None


@pytest.mark.parametrize("count", [0, 1000])
def test_devices_that_are_not_there_are_refused(count):
    with pytest.raises(ValueError, match=r"`--devices` must be from 1 to \d+, .*; got"):
        data_parallel(count)
