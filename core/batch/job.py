"""Batch runs that outlive a closed browser tab: a run's folder, its state, its results.

A run is a folder, written by `create_job` and by the process that `start` starts (`core.batch.worker`):

    job.json       the request, see `Job`
    images.json    a record an image: image_id, path, file (the path below the folder asked for), dx (class code
                   or ""), label (as given) and facts
    results.jsonl  a line a finished image, appended at once: its row, or {"error": …, "image_id": …}
    images/        uploaded images
    lock           locked by the working process for as long as it lives, however it ends
    started.json   when that process began with the images, and how many were finished before
    cancel         a request to stop
    failure.txt    why it failed
    log.txt        what it printed

`core.batch.results` reads them: the state is derived from these files, so that it is right after a crash too.
"""

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import pandas as pd

from core.batch.analyze import unique_stems
from core.batch.faults import JobError, named_faults, write_whole
from core.batch.labels import LabelCounts
from core.batch.locks import is_folder_held, try_lock
from core.images.finding import FoundImages
from core.images.preprocessing import PreprocessingSettings
from core.settings import AnalysisSettings
from core.systems.evaluations import PROJECT_DIR
from models.manifest import Manifest

COMMAND = (sys.executable, "-m", "core.batch.worker")
_LOCK_ATTEMPTS = 20


@dataclass(frozen=True)
class Job:
    """The request: what to analyse and how.

    Attributes:
        folder: of the run; its name is the run's id.
        name: for lists and headings.
        created: UTC, ISO 8601.
        source: where the images came from, for display.
        total: number of images.
        left_alone: files of the source that are no images, by kind.
        bundle: name and version of the weights.
        fingerprint: of the weights; a run resumes with the same weights only.
        threshold: decision threshold of that bundle on the probability of malignancy.
        settings: of the analysis.
        label_counts: how many labels were used.
        owner: who started it, where people sign in; "" where they do not.
    """

    folder: Path
    name: str
    created: str
    source: str
    total: int
    left_alone: dict[str, int]
    bundle: str
    fingerprint: str
    threshold: float
    settings: AnalysisSettings
    label_counts: LabelCounts
    owner: str = ""

    def read_images(self) -> list[dict[str, str]]:
        """The records of all images, in the order of the run."""
        return json.loads((self.folder / "images.json").read_text())

    @property
    def cancel_requested(self) -> bool:
        return (self.folder / "cancel").exists()


# --- create, find, delete ---------------------------------------------------------------------------
def jobs_dir() -> Path:
    """Where the pages' runs lie: a folder in the temporary directory that nobody else can read."""
    folder = Path(tempfile.gettempdir()) / f"dermalens-runs-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise JobError(
            f"{folder} belongs to somebody else. Remove it, or set TMPDIR to a folder of your own."
        )
    return folder


def new_folder(root: Path) -> Path:
    """An empty folder for a run, named by the time and a random number: nobody guesses the name, which opens the run."""
    folder = root / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(16)}"
    folder.mkdir()
    return folder


def create_job(
    folder: Path,
    found: FoundImages,
    labels: tuple[pd.DataFrame, LabelCounts],
    manifest: Manifest,
    settings: AnalysisSettings,
    name: str,
    source: str,
    owner: str = "",
) -> Job:
    """Record a run in an existing folder, without starting it.

    Args:
        folder: of the run.
        found: the images.
        labels: of `core.batch.labels.match_labels`: a row an image, and the counts.
        manifest: of the bundle to use.
        settings: of the analysis.
        name: for lists and headings.
        source: where the images came from, for display.
        owner: see `Job`.

    Raises:
        JobError: the folder cannot be written to.
    """
    job = Job(
        folder=folder,
        name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=source,
        total=len(found.paths),
        left_alone=dict(found.left_alone),
        bundle=f"{manifest.name} version {manifest.version}",
        fingerprint=manifest.fingerprint,
        threshold=manifest.suspicious_threshold,
        settings=settings,
        label_counts=labels[1],
        owner=owner,
    )
    return _write_job(job, _describe_images(found, labels[0]))


def _describe_images(found: FoundImages, table: pd.DataFrame) -> list[dict[str, str]]:
    rows = zip(unique_stems(found.paths), found.paths, found.names, table.to_dict("records"), strict=True)
    return [
        {"image_id": stem, "path": str(path), "file": name, **record} for stem, path, name, record in rows
    ]


def _write_job(job: Job, images: list[dict[str, str]]) -> Job:
    record = {key: value for key, value in asdict(job).items() if key != "folder"}
    with named_faults(job.folder):  # job.json last: a folder with it has both
        write_whole(job.folder / "images.json", json.dumps(images))
        write_whole(job.folder / "job.json", json.dumps(record, indent=1) + "\n")
    return job


def read_job(folder: Path) -> Job | None:
    """The run in a folder; None where there is none."""
    try:
        record = json.loads((folder / "job.json").read_text())
        settings, counts = record.pop("settings"), record.pop("label_counts")
        return Job(
            folder=folder,
            settings=AnalysisSettings(
                PreprocessingSettings(**settings["preprocessing"]), settings["test_time_augmentation"]
            ),
            label_counts=LabelCounts(**counts),
            **record,
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def find_job(root: Path, identifier: str) -> Job | None:
    """A run by its id, which may come from an address; None where there is none."""
    known = {folder.name: folder for folder in root.iterdir()}
    return read_job(known[identifier]) if identifier in known else None


def list_jobs(root: Path) -> list[Job]:
    """All runs, the latest first."""
    jobs = [job for folder in root.iterdir() if (job := read_job(folder))]
    return sorted(jobs, key=lambda job: (job.created, job.folder.name), reverse=True)


def delete_job(job: Job) -> None:
    """Delete a run with its uploaded images and results.

    Raises:
        JobError: a process works on it.
    """
    with hold(job):
        shutil.rmtree(job.folder)


# --- start and stop ---------------------------------------------------------------------------------
@contextmanager
def hold(job: Job) -> Iterator[TextIO]:
    """Hold the lock of a run.

    Raises:
        JobError: another process works on it, or its folder cannot be written to.
    """
    with hold_folder(job.folder) as lock:
        yield lock


@contextmanager
def hold_folder(folder: Path) -> Iterator[TextIO]:
    """The same for a folder in which a run may still have to be written.

    Raises:
        JobError: another process works on it, or it cannot be written to.
    """
    with named_faults(folder):
        lock = (folder / "lock").open("w")
    with lock:
        for _ in range(_LOCK_ATTEMPTS):  # a page that looks at the state holds the lock for an instant
            if try_lock(lock, fcntl.LOCK_EX):
                break
            time.sleep(0.05)
        else:
            raise JobError(
                "A process still works on this run. Cancel it first, and wait until it has stopped."
            )
        yield lock


def start(job: Job) -> None:
    """Start or resume a run in a process of its own, which outlives this one.

    Raises:
        JobError: a process works on it already.
    """
    with named_faults(job.folder), hold(job) as lock, (job.folder / "log.txt").open("ab") as log:
        for name in ("cancel", "failure.txt", "started.json"):
            (job.folder / name).unlink(missing_ok=True)
        # The process inherits the lock: the run is its own from the first instant to its last.
        process = subprocess.Popen(
            [*COMMAND, str(job.folder)],
            cwd=PROJECT_DIR,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[lock.fileno()],
        )
    threading.Thread(target=process.wait, daemon=True).start()  # leaves no zombie


def cancel(job: Job) -> None:
    """Ask the process to stop after the images at hand; `start` resumes from there."""
    (job.folder / "cancel").touch()


def is_held(job: Job) -> bool:
    """Whether a process works on a run. A lock needs no process number, which the system may give anew."""
    return is_folder_held(job.folder)
