"""File locks that say whether a process works in a folder; a lock needs no process number, which may be given anew."""

import fcntl
from pathlib import Path
from typing import TextIO


def try_lock(file: TextIO, kind: int) -> bool:
    """Take a lock of `fcntl.LOCK_SH` or `fcntl.LOCK_EX` without waiting; False where another process has it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_folder_held(folder: Path) -> bool:
    """Whether a process holds the file `lock` of a folder; False where there is none."""
    try:
        with (folder / "lock").open() as lock:
            return not try_lock(lock, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False
