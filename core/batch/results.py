"""State, progress, predictions and refused images of a batch run.

Everything is read from the run's folder, whose files `core.batch.job` lists.
"""

import errno
import json
import math
import os
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

from core.batch.faults import describe_fault, describe_gone, is_disk_full
from core.batch.job import Job, is_held
from core.batch.labels import FACTS
from core.evaluation.predictions import IMAGE_PATH, Predictions, from_frame

RESULTS = "results.jsonl"
# `core.batch.worker` writes the error first, so that errors are counted without parsing.
_ERROR_START = b'{"error": '


class State(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLED = "cancelled"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True)
class Progress:
    """How far a run is: done + failed + left = total.

    Attributes:
        state: of the run.
        done: images that were analysed.
        failed: images that were refused; each has its error.
        total: images of the run.
        images_per_second: of the process that works or worked last; NaN before its first image.
        cancelling: the process was asked to stop and has not yet.
        reason: why it failed, else "".
    """

    state: State
    done: int
    failed: int
    total: int
    images_per_second: float
    cancelling: bool
    reason: str

    @property
    def left(self) -> int:
        return self.total - self.done - self.failed

    @property
    def seconds_left(self) -> float:
        """At the rate so far; NaN where there is none."""
        return self.left / self.images_per_second if self.images_per_second > 0 else math.nan

    @property
    def alive(self) -> bool:
        return self.state in (State.QUEUED, State.RUNNING)


def read_progress(job: Job) -> Progress:
    """Where a run stands, from its files."""
    lines = _whole_lines(job)
    failed = sum(line.startswith(_ERROR_START) for line in lines)
    begun = (job.folder / "started.json").exists()
    if len(lines) >= job.total:
        state = State.DONE
    elif is_held(job):
        state = State.RUNNING if begun else State.QUEUED
    else:
        state = State.CANCELLED if job.cancel_requested else State.FAILED
    return Progress(
        state,
        done=len(lines) - failed,
        failed=failed,
        total=job.total,
        images_per_second=_rate(job, len(lines)) if begun else math.nan,
        cancelling=job.cancel_requested and state in (State.QUEUED, State.RUNNING),
        reason=_reason(job) if state is State.FAILED else "",
    )


def _rate(job: Job, finished: int) -> float:
    try:
        begun = json.loads((job.folder / "started.json").read_text())
        seconds = (job.folder / RESULTS).stat().st_mtime - begun["at"]
    except (OSError, ValueError):
        return math.nan
    count = finished - begun["finished"]
    return count / seconds if count > 0 and seconds > 0 else math.nan


def _reason(job: Job) -> str:
    if not job.folder.is_dir():
        return describe_gone(job.folder)
    if is_disk_full(job.folder):
        return describe_fault(OSError(errno.ENOSPC, ""), job.folder)
    try:
        return (job.folder / "failure.txt").read_text()
    except FileNotFoundError:
        return (
            "The process ended without an error message: it was killed, ran out of memory, or the server stopped. "
            f"Its output is in {job.folder / 'log.txt'}."
        )


def read_predictions(job: Job) -> Predictions | None:
    """The finished images as a predictions table; None before the first.

    Its `path` lies below the folder that was asked for, its `image_path` is the whole.
    """
    found = {record["image_id"]: record for record in read_results(job) if "error" not in record}
    rows = [image | found[image["image_id"]] for image in job.read_images() if image["image_id"] in found]
    if not rows:
        return None
    paths = [_printable(row.pop("path")) for row in rows]
    frame = pd.DataFrame(rows).rename(columns={"file": "path"}).assign(**{IMAGE_PATH: paths})
    texts = [column for column in ("dx", "label", *FACTS) if column in frame]
    frame[texts] = frame[texts].replace("", None)
    if "age" in frame:
        frame["age"] = pd.to_numeric(frame["age"], errors="coerce")
    return from_frame(frame)


def read_errors(job: Job) -> pd.DataFrame:
    """The images that were refused: `image_id`, `path` (below the folder that was asked for), `error`."""
    errors = {record["image_id"]: record["error"] for record in read_results(job) if "error" in record}
    rows = [
        (image["image_id"], image["file"], errors[image["image_id"]])
        for image in job.read_images()
        if image["image_id"] in errors
    ]
    return pd.DataFrame(rows, columns=["image_id", "path", "error"])


def read_results(job: Job) -> list[dict[str, Any]]:
    """The finished images in the order they were finished; without a line cut off by a crash."""
    return [record for line in _whole_lines(job) if (record := _parse(line)) is not None]


def keep_whole_lines(job: Job) -> None:
    """Remove a line cut off by a crash, so that the next line starts on a line of its own."""
    path = job.folder / RESULTS
    whole = b"".join(line + b"\n" for line in _whole_lines(job) if _parse(line) is not None)
    if path.exists() and path.read_bytes() != whole:
        repaired = path.with_suffix(".repaired")
        repaired.write_bytes(whole)
        repaired.replace(path)


def _whole_lines(job: Job) -> list[bytes]:
    """The lines of the results that were written to their end."""
    try:
        lines = (job.folder / RESULTS).read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    return [line for line in lines if line.startswith(b"{") and line.endswith(b"}")]


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _printable(path: str) -> str:
    """A path that is not UTF-8 cannot be written to a table; the picture is then not shown."""
    return os.fsencode(path).decode("utf-8", "replace")
