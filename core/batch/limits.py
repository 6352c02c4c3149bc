"""What the batch runs of the app may take: an age after which they are deleted, and room on the disk."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from core.batch import job as jobs
from core.batch.faults import JobError
from core.settings import ServerLimits

# As `core.batch.job.new_folder` names them: nothing else in the folder is touched.
_RUN_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{32}")
_DAY_S = 86_400
# Left free for everything else on the machine.
_RESERVE_BYTES = 500_000_000


def delete_old_runs(root: Path, limits: ServerLimits) -> list[str]:
    """Delete the runs that nobody works on and that had no new result for `limits.runs_days`; returns their names.

    An age below zero, where the clock went backwards, deletes nothing.
    """
    deleted = []
    for folder in _list_runs(root):
        if _age_s(folder) > limits.runs_days * _DAY_S:
            with suppress(JobError, OSError), jobs.hold_folder(folder):
                shutil.rmtree(folder)
                deleted.append(folder.name)
    return deleted


def check_room(root: Path, limits: ServerLimits, wanted_bytes: int = 0) -> None:
    """Refuse what would not fit beside the runs that are there: one visitor's run never costs another's.

    Raises:
        JobError: over the limit, or the disk is nearly full.
    """
    used = sum(map(_count_bytes, _list_runs(root)))
    if used + wanted_bytes > limits.runs_bytes:
        raise JobError(
            f"The runs on this server would take {(used + wanted_bytes) / 1e9:.1f} GB of {limits.runs_bytes / 1e9:g} "
            "GB. Delete a run that you do not need any more, or use fewer images."
        )
    if shutil.disk_usage(root).free < wanted_bytes + _RESERVE_BYTES:
        raise JobError("The server's disk is nearly full. Whoever runs it must free some space first.")


def _list_runs(root: Path) -> Iterator[Path]:
    for path in root.iterdir():
        if _RUN_NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            yield path


def _age_s(folder: Path) -> float:
    """Since the last result; since it was made where there is none."""
    newest = max(_modified(path) for path in (folder, folder / "job.json", folder / "results.jsonl"))
    return time.time() - newest


def _modified(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _count_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # deleted meanwhile
            total += path.lstat().st_size
    return total
