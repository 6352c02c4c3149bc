"""The process behind a batch run: `python -m core.batch.worker FOLDER`, started by `core.batch.job.start`.

It works on the images that have no result yet and appends each as soon as it is finished, so that
a crash costs at most the current batch. One run at a time works on a server.
"""

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.analyzer import Analyzer
from core.batch.analyze import Outcome, analyze_paths
from core.batch.faults import JobError, describe_gone, named_faults, write_whole
from core.batch.job import Job, read_job
from core.batch.remote import is_address
from core.batch.results import RESULTS, keep_whole_lines, read_results
from core.report import prediction_row
from core.tables.writing import to_json_types
from models.manifest import BundleError

# Where both want the processor, a page's analysis gets about nine times the share of a run.
_NICENESS = 10
_TURN_POLL_S = 0.3


def run(job: Job, on_outcome: Callable[[Outcome], None] = lambda outcome: None) -> None:
    """Analyse the images that are left, until they are finished or the run is cancelled.

    The caller holds the run, see `core.batch.job.hold`.

    Args:
        job: the run.
        on_outcome: called with every image that was finished.

    Raises:
        BundleError: the weights are missing or damaged.
        JobError: the weights are not those that the run began with, the disk is full, or a folder is gone.
    """
    with named_faults(job.folder):
        _run(job, on_outcome)


def _run(job: Job, on_outcome: Callable[[Outcome], None]) -> None:
    keep_whole_lines(job)
    finished = {record["image_id"] for record in read_results(job)}
    left = [image for image in job.read_images() if image["image_id"] not in finished]
    analyzer = Analyzer.load()
    check_weights(analyzer, job)
    begun = {"at": time.time(), "finished": len(finished)}
    write_whole(job.folder / "started.json", json.dumps(begun))
    paths, stems = [Path(image["path"]) for image in left], [image["image_id"] for image in left]
    path = job.folder / RESULTS
    with path.open("a") as results:
        for outcome in analyze_paths(analyzer, paths, job.settings, stems):
            check_source(outcome)
            results.write(json.dumps(describe(outcome)) + "\n")
            results.flush()
            if not path.exists():  # writing goes on silently into a deleted file
                raise JobError(describe_gone(job.folder))
            on_outcome(outcome)
            if job.cancel_requested:
                return


def check_weights(analyzer: Analyzer, job: Job) -> None:
    """Stop where the run began with other networks.

    Raises:
        JobError: it did.
    """
    if analyzer.manifest.fingerprint != job.fingerprint:
        raise JobError(
            f"The run began with other weights ({job.bundle}). Start a new one, so that all its images are "
            "analysed by the same networks."
        )


def check_source(outcome: Outcome) -> None:
    """Stop where the images themselves vanish: each left one would count as refused, and not be done again.

    Raises:
        JobError: the folder of a refused image is not there.
    """
    if outcome.analysis is None and not is_address(outcome.path) and not outcome.path.parent.is_dir():
        raise JobError(describe_gone(outcome.path.parent))


def describe(outcome: Outcome) -> dict[str, Any]:
    """The line of one image; an error stands first, see `core.batch.results`."""
    if outcome.analysis is None:
        return {"error": outcome.error, "image_id": outcome.stem}
    return {"image_id": outcome.stem, **to_json_types(prediction_row(outcome.analysis))}


def main() -> None:
    """Wait for other runs to end, run, and record a failure."""
    job = read_job(Path(sys.argv[1]))
    if job is None:
        sys.exit(f"{sys.argv[1]} holds no run.")
    os.nice(_NICENESS)
    with (job.folder.parent / "turn").open("w") as turn:
        try:
            if _take_turn(turn.fileno(), job):
                run(job)
        except (BundleError, JobError, OSError) as error:
            with suppress(OSError):  # on a full disk `core.batch.results` sees the reason by itself
                write_whole(job.folder / "failure.txt", str(error))
            sys.exit(str(error))


def _take_turn(turn: int, job: Job) -> bool:
    """Wait until no other run works; False if the run is cancelled meanwhile."""
    while not job.cancel_requested:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(_TURN_POLL_S)
    return False


if __name__ == "__main__":
    main()
