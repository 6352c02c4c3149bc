"""Freed memory is kept where the C library lets us, and nothing happens where it does not."""

import ctypes
import sys

import pytest

from training.fit import memory


class Recorder:
    """Stands in for the C library."""

    def __init__(self, answer: int):
        self.answer, self.calls = answer, {}

    def mallopt(self, name: int, value: int) -> int:
        self.calls[name] = value
        return self.answer


@pytest.mark.parametrize("answer", [1, 0])
def test_every_limit_is_set_and_a_refusal_is_told(monkeypatch, answer):
    library = Recorder(answer)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert memory.keep_freed_memory() is bool(answer)
    assert set(library.calls) == set(memory.LIMITS) if answer else len(library.calls) == 1


@pytest.mark.parametrize(("platform", "library"), [("darwin", Recorder(1)), ("linux", object())])
def test_other_systems_are_left_alone(monkeypatch, platform, library):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert memory.keep_freed_memory() is False
    assert not getattr(library, "calls", None)


def test_limits_are_set_once_an_epoch(monkeypatch):
    calls = []
    monkeypatch.setattr(memory, "keep_freed_memory", lambda: calls.append(1))
    for batch in range(3):
        memory.KeepMemory().on_train_batch_end(batch)
    assert len(calls) == 1
