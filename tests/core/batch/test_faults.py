"""Faults of disk, folders, weights and clock: each is named, nothing that was finished is lost, and it goes on."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core.batch import faults, foreground, results, worker
from core.batch import job as jobs
from core.batch.faults import JobError
from core.batch.results import State, read_progress
from core.images.drawing import encode_png
from models.loading import load_bundle
from models.manifest import SHIPPED_DIR, BundleError, file_sha256
from tests.core.batch.killing import kill_after

COUNT = 9
RESULT_FILES = ("results.jsonl", "predictions.csv", "errors.csv")
pytestmark = pytest.mark.usefixtures("light_networks")


@pytest.fixture
def images(tmp_path, phantom) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    small = np.ascontiguousarray(phantom.image[::2, ::2])
    for index in range(COUNT):
        data = encode_png(np.roll(small, index, axis=1))
        (folder / f"{index:02d}.png").write_bytes(data[:100] if index == 4 else data)
    return folder


def run(images: Path, to: Path):
    return foreground.run_batch([images], to, None, False, False)


def result_bytes(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in RESULT_FILES]


def interrupt(monkeypatch, after: int, action) -> None:
    """Do something once that many images are finished."""
    describe, seen = worker.describe, []

    def count(outcome):
        seen.append(outcome)
        if len(seen) == after:
            action()
        return describe(outcome)

    monkeypatch.setattr(worker, "describe", count)


def fail_with(number: int):
    def fail():
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EDQUOT, "is full"),
        (errno.EROFS, "cannot be written to"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_fault_of_the_disk_is_named_and_the_run_ends_with_the_same_bytes(
    images, tmp_path, monkeypatch, number, words
):
    run(images, tmp_path / "undisturbed")
    with monkeypatch.context() as patch:
        interrupt(patch, 3, fail_with(number))
        with pytest.raises(JobError, match=words) as raised:
            run(images, tmp_path / "run")
    assert str(tmp_path / "run") in str(raised.value) and "Finished images are kept" in str(raised.value)
    assert (tmp_path / "run" / "results.jsonl").read_bytes().count(b"\n") == 2
    run(images, tmp_path / "run")
    assert result_bytes(tmp_path / "run") == result_bytes(tmp_path / "undisturbed")


def test_a_full_disk_leaves_the_earlier_file_and_no_part(tmp_path, monkeypatch):
    path = tmp_path / "job.json"
    faults.write_whole(path, "earlier")

    def write_half(part: Path, text: str, **options):
        part.write_bytes(text.encode()[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", write_half)
    with pytest.raises(OSError, match="No space"):
        faults.write_whole(path, "newer")
    assert path.read_text() == "earlier" and list(tmp_path.iterdir()) == [path]


FILL = """
import sys
from pathlib import Path
folder = Path(sys.argv[1])
with (folder / "filling").open("wb", buffering=0) as file:
    try:
        while file.write(bytes(4096)): pass
    except OSError: pass
sys.argv = ["dermalens", "batch", sys.argv[2], "--no-tta", "--to", str(folder / "run")]
exec(Path("tests/core/slow_batch.py").read_text())
"""


def test_on_a_disk_that_is_really_full_the_command_says_so_in_one_line(images, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f'mount -t tmpfs -o size=64k none "{disk}" && exec "$0" -c "$1" "{disk}" "{images}"'
    command = ["unshare", "-rm", "sh", "-c", script, sys.executable, FILL]
    if not shutil.which("unshare") or subprocess.run([*command[:2], "true"], check=False).returncode:
        pytest.skip("No small disk can be mounted here (user namespaces are off).")
    done = subprocess.run(
        command, cwd=foreground.jobs.PROJECT_DIR, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "is full" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_below_a_file_is_named(images, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match="is not there any more"):
        run(images, tmp_path / "file" / "run")


def test_a_run_whose_folder_vanishes_stops_and_says_so(images, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    interrupt(monkeypatch, 3, lambda: folder.rename(tmp_path / "moved"))
    with pytest.raises(JobError, match=r"run is not there any more: it was deleted, moved"):
        run(images, folder)
    monkeypatch.undo()
    assert (tmp_path / "moved" / "results.jsonl").read_bytes().count(b"\n") == 3


def test_images_that_vanish_stop_the_run_and_none_counts_as_refused(images, tmp_path, monkeypatch):
    run(images, tmp_path / "undisturbed")
    with monkeypatch.context() as patch:
        interrupt(patch, 1, lambda: images.rename(tmp_path / "away"))
        with pytest.raises(JobError, match=r"images is not there any more"):
            run(images, tmp_path / "run")
    errors = (tmp_path / "run" / "errors.csv").read_text()
    assert errors.count("\n") <= 2  # the heading and the damaged one, if it was reached
    (tmp_path / "away").rename(images)
    run(images, tmp_path / "run")
    assert result_bytes(tmp_path / "run") == result_bytes(tmp_path / "undisturbed")


def test_a_second_process_on_a_run_is_refused_and_changes_nothing(images, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "_LOCK_ATTEMPTS", 2)
    folder = tmp_path / "run"
    run(images, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (images / "one_more.png").write_bytes((images / "00.png").read_bytes())
    with jobs.hold_folder(folder), pytest.raises(JobError, match="still works on this run"):
        run(images, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_results_of_an_unknown_run_are_not_mixed_with_new_ones(images, tmp_path):
    run(images, tmp_path / "run")
    (tmp_path / "run" / "job.json").write_text('{"name": ')
    with pytest.raises(JobError, match=r"without a job\.json that can be read"):
        run(images, tmp_path / "run")


def test_a_clock_that_goes_backwards_costs_the_rate_and_nothing_else(images, tmp_path, monkeypatch):
    class Yesterday(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2001, 1, 1, tzinfo=tz or UTC)

    with monkeypatch.context() as patch:
        interrupt(patch, 3, fail_with(errno.ENOSPC))
        with pytest.raises(JobError):
            run(images, tmp_path / "run")
    monkeypatch.setattr(jobs, "datetime", Yesterday)
    monkeypatch.setattr(
        worker.time, "time", lambda: time.monotonic() + 4e9
    )  # results look older than the start
    progress = run(images, tmp_path / "run")
    assert (progress.state, progress.done, progress.failed) == (State.DONE, COUNT - 1, 1)
    assert np.isnan(progress.images_per_second) and np.isnan(progress.seconds_left)


def test_the_reason_of_a_process_that_could_not_even_write_it_is_the_full_disk(images, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt(patch, 3, fail_with(errno.ENOSPC))
        with pytest.raises(JobError):
            run(images, tmp_path / "run")
    job = jobs.read_job(tmp_path / "run")
    assert "killed" in read_progress(job).reason
    monkeypatch.setattr(results, "is_disk_full", lambda folder: True)
    assert "is full" in read_progress(job).reason
    shutil.rmtree(job.folder)
    assert "is not there any more" in read_progress(job).reason


# --- weights ----------------------------------------------------------------------------------------
@pytest.fixture
def bundle(tmp_path) -> Path:
    """The shipped manifest with small files in place of the weights, whose SHA-256 it states."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    record = json.loads((SHIPPED_DIR / "manifest.json").read_text())
    for network in ("segmenter", "classifier"):
        path = folder / record[network]["file"]
        path.write_bytes(network.encode() * 100)
        record[network]["sha256"] = file_sha256(path)
    (folder / "manifest.json").write_text(json.dumps(record))
    return folder


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("file", "damage", "words"),
    [
        ("classifier.weights.h5", Path.unlink, "are missing"),
        ("classifier.weights.h5", lambda path: os.truncate(path, 50), "damaged or was replaced"),
        ("segmenter.weights.h5", flip, "damaged or was replaced"),
        ("manifest.json", Path.unlink, "No manifest.json"),
        ("manifest.json", lambda path: os.truncate(path, 50), "not a valid manifest"),
        ("manifest.json", lambda path: path.write_text("[]"), "not a valid manifest"),
        ("manifest.json", lambda path: path.write_bytes(b"\xff\xfe\x00"), "not a valid manifest"),
    ],
)
def test_damaged_weights_are_named_and_no_network_is_built(bundle, file, damage, words):
    damage(bundle / file)
    with pytest.raises(BundleError, match=words) as raised:
        load_bundle(bundle)
    assert str(bundle) in str(raised.value)


# --- kill -9 ----------------------------------------------------------------------------------------
@pytest.mark.slow
def test_the_same_command_after_kills_ends_with_the_bytes_of_an_undisturbed_run(images, tmp_path):
    run(images, tmp_path / "undisturbed")
    folder = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "tests.core.slow_batch",
        "batch",
        str(images),
        "--no-tta",
        "--to",
        str(folder),
    ]
    for lines in (0, 4):
        assert kill_after(command, folder, lines)
    assert subprocess.run(command, cwd=jobs.PROJECT_DIR, capture_output=True, check=False).returncode == 1
    assert result_bytes(folder) == result_bytes(tmp_path / "undisturbed")
