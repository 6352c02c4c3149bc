"""Error handling of the commands in training/: an expected error is one line, not a traceback."""

import sys
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path

from core.errors import DermalensError
from core.systems.evaluations import PROJECT_DIR

EXPECTED = (DermalensError, FileNotFoundError)


def exit_with_message(command: Callable[..., None]) -> Callable[..., None]:
    """The command with expected errors printed as one message, and exit status 2.

    Expected are `EXPECTED` errors and ValueErrors raised by this project; any other error is a bug and keeps its
    traceback.
    """

    @wraps(command)
    def run(*arguments, **options) -> None:
        try:
            command(*arguments, **options)
        except (*EXPECTED, ValueError) as error:
            if not isinstance(error, EXPECTED) and not _refused_here(error):
                raise
            print(error, file=sys.stderr)
            raise SystemExit(2) from None

    return run


def _refused_here(error: Exception) -> bool:
    """Whether a `raise` of this project raised it, not a library that it called."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    own = Path(last.filename).is_relative_to(PROJECT_DIR) and "site-packages" not in last.filename
    return own and (last.line or "").startswith("raise")
