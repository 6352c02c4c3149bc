"""Data-parallel training on two virtual devices of the CPU learns what one device learns."""

import json
import os
import socket
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from training.fit.devices import data_parallel

ROOT = Path(__file__).parents[3]
TWO_JAX_DEVICES = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
needs_jax = pytest.mark.skipif(util.find_spec("jax") is None, reason="jax is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=needs_jax)])
def test_two_devices_give_the_losses_of_one(tmp_path, backend):
    [one, two] = finish(start(tmp_path, "1", "2", KERAS_BACKEND=backend, **TWO_JAX_DEVICES))
    assert (one["copies"], two["copies"]) == (1, 2)
    assert_same_losses(one, two)


@pytest.mark.slow
@needs_jax
def test_two_hosts_give_the_losses_of_one(tmp_path):
    """Two processes with a device each, which read and write the same folder."""
    jax = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    [alone] = finish(start(tmp_path / "alone", "1", **jax))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    jax |= {"KERAS_DISTRIBUTION_JOB_ADDRESSES": address, "KERAS_DISTRIBUTION_NUM_PROCESSES": "2"}
    hosts = [
        start(tmp_path / "both", "2", KERAS_DISTRIBUTION_PROCESS_ID=str(number), **jax) for number in (0, 1)
    ]
    [first], [second] = map(finish, hosts)
    assert first["copies"] == second["copies"] == 2
    for seen in (first, second):
        assert_same_losses(alone, seen)


def start(folder: Path, *counts: str, **environment: str) -> subprocess.Popen:
    """Train in a process of its own on each number of devices."""
    command = [sys.executable, "-m", "tests.training.train_on_devices", str(folder), *counts]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, **pipes)


def finish(process: subprocess.Popen) -> list[dict]:
    """What it printed; a process that hangs is ended and its errors are shown."""
    try:
        output, errors = process.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
    assert process.returncode == 0, errors[-2000:]
    [line] = [line for line in output.splitlines() if line.startswith("RESULT ")]
    return json.loads(line.removeprefix("RESULT "))


def assert_same_losses(one: dict, other: dict) -> None:
    assert len(one["history"]) == 2 and one["history"][0]["loss"] > one["history"][1]["loss"]
    for single, double in zip(one["history"], other["history"], strict=True):
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
