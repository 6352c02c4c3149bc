"""What can go wrong with a run's folder, in words: a full disk, no permission, a folder that is gone."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import DermalensError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)
_GONE = (errno.ENOENT, errno.ESTALE, errno.ENOTDIR)
# With less than this a failed write is the disk's fault, whatever else is known.
_NEARLY_FULL_BYTES = 64 * 1024


class JobError(DermalensError):
    """A run cannot be started, resumed or deleted; the message says why and what to do."""


@contextmanager
def named_faults(folder: Path) -> Iterator[None]:
    """Say what is wrong with a run's folder where the system only gives a number.

    Raises:
        JobError: the body raised an OSError.
    """
    try:
        yield
    except BrokenPipeError:  # standard output's, not the folder's
        raise
    except OSError as error:
        raise JobError(describe_fault(error, folder)) from error


def describe_fault(error: OSError, folder: Path) -> str:
    """One line: what happened to `folder` and what to do."""
    kept = "Finished images are kept: start the same run again, and it goes on."
    if error.errno in _FULL:
        return f"The disk of {folder} is full. Free some space. {kept}"
    if error.errno in _REFUSED:
        return (
            f"{folder} cannot be written to: it is read-only or belongs to somebody else. Change that. {kept}"
        )
    if error.errno in _GONE:
        return describe_gone(folder)
    return f"{folder}: {error.strerror or error}. {kept}"


def describe_gone(folder: Path) -> str:
    """One line for a run whose folder was deleted, moved or unmounted while it was in use."""
    return (
        f"The folder {folder} is not there any more: it was deleted, moved or unmounted. Bring it back and start "
        "the same run again; the finished images are in it."
    )


def is_disk_full(folder: Path) -> bool:
    """Whether there is no room for even a small file; False if the folder cannot be asked."""
    with suppress(OSError):
        return shutil.disk_usage(folder).free < _NEARLY_FULL_BYTES
    return False


def write_whole(path: Path, text: str) -> None:
    """Write a UTF-8 file at once: after a crash or on a full disk the earlier one is still there, never a part."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
