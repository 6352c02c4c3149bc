"""Durations and what other processes say: what all parts of the benchmark share."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

REPEATS = 7


def seconds_of(action: Callable[[], object]) -> float:
    """Duration of one call."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def time_in_turn(*actions: Callable[[], object], repeats: int = REPEATS) -> list[list[float]]:
    """(repeats, actions) durations in seconds, the actions taking turns, after one round that does not count."""
    for action in actions:
        action()
    return [[seconds_of(action) for action in actions] for _ in range(repeats)]


def run_probe(code: str, *arguments: str, **environment: str) -> dict[str, float]:
    """What `code` prints as JSON in its last line, run in a process of its own."""
    command = [sys.executable, "-c", code, *arguments]
    told = subprocess.check_output(command, text=True, env=os.environ | environment)
    return json.loads(told.splitlines()[-1])
