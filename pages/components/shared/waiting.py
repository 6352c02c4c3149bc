"""The queue in front of the analyser: one analysis at a time, in the order in which visitors came.

An analysis uses every core by itself: two at once would both be slower, and need twice the memory.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.errors import DermalensError
from core.settings import read_limits

# A visitor who closes the page is noticed when the place is said again.
SAY_AGAIN_S = 0.5


class QueueFullError(DermalensError):
    """So many visitors wait that one more would wait too long; the message says what to do."""


class Queue:
    """Gives one caller at a time its turn, first come, first served; safe to share between threads."""

    def __init__(self) -> None:
        self._waiting: list[object] = []
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """Who has the turn and who waits for it."""
        return len(self._waiting)

    @contextmanager
    def turn(self, on_wait: Callable[[int], None]) -> Iterator[None]:
        """Wait for the turn and hold it.

        Args:
            on_wait: called with the number of callers in front while there are some, again and again; what it
                raises gives the place up.

        Raises:
            QueueFullError: more wait than `core.settings.read_limits` allows.
        """
        ticket = self._join()
        try:
            while before := self._place(ticket):
                on_wait(before)
            yield
        finally:
            with self._changed:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _join(self) -> object:
        ticket, limit = object(), read_limits().waiting
        with self._changed:
            if len(self._waiting) > limit:
                raise QueueFullError(f"{limit} visitors already wait for an analysis. Try again in a minute.")
            self._waiting.append(ticket)
        return ticket

    def _place(self, ticket: object) -> int:
        """How many are in front, 0 as soon as it is the ticket's turn; at the latest after `SAY_AGAIN_S`."""
        with self._changed:
            before = self._waiting.index(ticket)
            if before:
                self._changed.wait_for(lambda: self._waiting.index(ticket) < before, SAY_AGAIN_S)
            return self._waiting.index(ticket)


def describe_place(before: int) -> str:
    """What a waiting visitor reads.

    >>> describe_place(1), describe_place(2)
    ('Waiting: 1 visitor before you …', 'Waiting: 2 visitors before you …')
    """
    return f"Waiting: {before} visitor{'s' if before > 1 else ''} before you …"


# One for the whole server.
ANALYSES = Queue()
