"""Batch runs: counts that add up, cancel, crash, resume, torn lines, and the table at the end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.batch import job as jobs
from core.batch import worker as job_process
from core.batch.job import Job, JobError
from core.batch.labels import match_labels, read_labels
from core.batch.results import State, read_errors, read_predictions, read_progress, read_results
from core.evaluation.predictions import UNKNOWN
from core.images.drawing import encode_png
from core.images.finding import FoundImages
from core.settings import AnalysisSettings
from tests.core.slow_job import light_bundle
from tests.fakes import fake_manifest

QUICK = AnalysisSettings(test_time_augmentation=False)
SLOW_COMMAND = (sys.executable, "-m", "tests.core.slow_job")
TIMEOUT_S = 60


@pytest.fixture(autouse=True)
def networks(monkeypatch):
    bundle = light_bundle()
    monkeypatch.setattr("core.analyzer.load_bundle", lambda folder: bundle)
    monkeypatch.setattr(jobs, "COMMAND", SLOW_COMMAND)


@pytest.fixture
def make_job(tmp_path, phantom) -> Callable[..., Job]:
    """Write down a run on `count` small images, of which `bad` are damaged."""

    def make(count: int = 6, bad: tuple[int, ...] = (), table: bytes | None = None) -> Job:
        images = tmp_path / "images"
        images.mkdir()
        small = np.ascontiguousarray(phantom.image[::2, ::2])
        paths = [images / f"{index:02d}.png" for index in range(count)]
        for index, path in enumerate(paths):
            data = encode_png(np.roll(small, index, axis=1))
            path.write_bytes(data[:100] if index in bad else data)
        return write_job(tmp_path / "runs", paths, table)

    return make


def write_job(root: Path, paths: list[Path], table: bytes | None = None) -> Job:
    root.mkdir()
    labels = match_labels(paths, table and read_labels(table), fake_manifest().classes)
    found = FoundImages(paths, {"TXT": 1})
    return jobs.create_job(jobs.new_folder(root), found, labels, fake_manifest(), QUICK, "test", "a folder")


def work(job: Job, stop_after: int | None = None) -> None:
    """Run in this process; cancel after some images."""
    seen = []

    def count(outcome) -> None:
        seen.append(outcome)
        if len(seen) == stop_after:
            jobs.cancel(job)

    with jobs.hold(job):
        job_process.run(job, count)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def results_file(job: Job) -> Path:
    return job.folder / "results.jsonl"


def identifiers(job: Job) -> list[str]:
    return [record["image_id"] for record in read_results(job)]


# --- what a run is ----------------------------------------------------------------------------------
def test_a_run_is_read_back_as_it_was_written(make_job):
    job = make_job(3)
    assert jobs.read_job(job.folder) == job
    assert jobs.list_jobs(job.folder.parent) == [job]
    assert jobs.find_job(job.folder.parent, job.folder.name) == job
    assert job.fingerprint == fake_manifest().fingerprint and job.left_alone == {"TXT": 1}


@pytest.mark.parametrize("identifier", ["", ".", "..", "../runs", "nowhere", "/etc"])
def test_an_id_from_an_address_finds_nothing_outside_the_runs(make_job, identifier):
    root = make_job(1).folder.parent
    assert jobs.find_job(root, identifier) is None


def test_a_folder_that_is_no_run_is_passed_over(make_job):
    job = make_job(1)
    (job.folder.parent / "turn").touch()
    broken = job.folder.parent / "broken"
    broken.mkdir()
    (broken / "job.json").write_text('{"name": ')
    assert jobs.list_jobs(job.folder.parent) == [job]


def test_runs_lie_in_a_folder_that_nobody_else_can_read(monkeypatch, tmp_path):
    monkeypatch.setattr(jobs.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = jobs.jobs_dir()
    assert folder.stat().st_mode & 0o777 == 0o700 and jobs.jobs_dir() == folder


def test_a_link_planted_in_place_of_the_runs_folder_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(jobs.tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"dermalens-runs-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JobError, match="belongs to somebody else"):
        jobs.jobs_dir()


# --- the run ----------------------------------------------------------------------------------------
def test_a_run_finishes_every_image_and_a_bad_one_is_a_row_with_its_error(make_job):
    job = make_job(6, bad=(2, 5))
    work(job)
    progress = read_progress(job)
    assert (progress.state, progress.done, progress.failed, progress.left) == (State.DONE, 4, 2, 0)
    errors = read_errors(job)
    assert errors["image_id"].tolist() == ["02", "05"] and errors["path"].tolist() == ["02.png", "05.png"]
    assert errors["error"].str.contains("damaged").all()


def test_a_cancelled_run_goes_on_where_it_stopped(make_job):
    job = make_job(10, bad=(1,))
    work(job, stop_after=3)
    assert identifiers(job) == ["00", "01", "02"]
    progress = read_progress(job)
    assert (progress.state, progress.done, progress.failed, progress.left) == (State.CANCELLED, 2, 1, 7)
    (job.folder / "cancel").unlink()
    work(job)
    assert identifiers(job) == [f"{index:02d}" for index in range(10)]
    assert read_progress(job).state is State.DONE


def test_resumed_answers_are_those_of_one_go(make_job, tmp_path):
    job = make_job(6)
    work(job)
    at_once = read_predictions(job).probabilities
    results_file(job).write_bytes(b"".join(results_file(job).read_bytes().splitlines(keepends=True)[:2]))
    work(job)
    np.testing.assert_allclose(read_predictions(job).probabilities, at_once, atol=1e-6)


@pytest.mark.parametrize("torn", [b'{"image_id": "03", "p_mel": 0.', b'{"image_id": "03"}', bytes(50)])
def test_a_torn_last_line_counts_for_nothing_and_is_done_again(make_job, torn):
    job = make_job(5)
    work(job, stop_after=3)
    with results_file(job).open("ab") as file:
        file.write(torn)
    assert read_progress(job).left == 2 and identifiers(job) == ["00", "01", "02"]
    (job.folder / "cancel").unlink()
    work(job)
    assert identifiers(job) == ["00", "01", "02", "03", "04"]
    assert all(json.loads(line) for line in results_file(job).read_text().splitlines())


def test_a_line_that_a_power_cut_spoilt_is_done_again(make_job):
    job = make_job(4)
    work(job)
    lines = results_file(job).read_bytes().splitlines(keepends=True)
    results_file(job).write_bytes(lines[0] + bytes(20) + b"\n" + lines[2] + lines[3])
    assert read_progress(job).left == 1
    work(job)
    assert sorted(identifiers(job)) == ["00", "01", "02", "03"]


def test_a_run_does_not_go_on_with_other_weights(make_job):
    job = replace(make_job(2), fingerprint="0" * 12)
    with pytest.raises(JobError, match="other weights"):
        work(job)
    assert identifiers(job) == []


def test_two_processes_never_work_on_one_run(make_job, monkeypatch):
    monkeypatch.setattr(jobs, "_LOCK_ATTEMPTS", 2)
    job = make_job(2)
    with jobs.hold(job):
        for action in (jobs.start, jobs.delete_job, work):
            with pytest.raises(JobError, match="still works on this run"):
                action(job)
    jobs.delete_job(job)
    assert not job.folder.exists()


# --- the process ------------------------------------------------------------------------------------
def test_a_killed_process_leaves_a_run_that_goes_on(make_job, monkeypatch):
    started, popen = [], subprocess.Popen
    record = lambda *args, **options: started.append(popen(*args, **options)) or started[-1]  # noqa: E731
    monkeypatch.setattr(jobs.subprocess, "Popen", record)
    monkeypatch.setattr(jobs, "_LOCK_ATTEMPTS", 2)
    job = make_job(40)
    jobs.start(job)
    wait_until(lambda: len(identifiers(job)) >= 4)
    running = read_progress(job)
    assert running.state is State.RUNNING and running.images_per_second > 0 and running.seconds_left > 0
    with pytest.raises(JobError):
        jobs.start(job)
    os.kill(started[0].pid, signal.SIGKILL)
    wait_until(lambda: not read_progress(job).alive)
    stopped, before = read_progress(job), identifiers(job)
    assert stopped.state is State.FAILED and "killed" in stopped.reason and 0 < stopped.left < 40
    assert stopped.done == len(before) and stopped.failed == 0 and stopped.left == 40 - len(before)
    jobs.start(job)
    wait_until(lambda: read_progress(job).state is State.DONE)
    after = identifiers(job)
    assert after[: len(before)] == before and sorted(after) == [f"{index:02d}" for index in range(40)]


def test_a_running_process_is_cancelled_and_resumed(make_job):
    job = make_job(40)
    jobs.start(job)
    wait_until(lambda: len(identifiers(job)) >= 2)
    jobs.cancel(job)
    assert read_progress(job).cancelling
    wait_until(lambda: not read_progress(job).alive)
    assert read_progress(job).state is State.CANCELLED
    jobs.start(job)
    wait_until(lambda: read_progress(job).state is State.DONE)
    assert len(set(identifiers(job))) == len(identifiers(job)) == 40


def test_one_run_waits_for_another_and_can_be_cancelled_meanwhile(make_job):
    job = make_job(2)
    with (job.folder.parent / "turn").open("w") as turn:
        jobs.fcntl.flock(turn, jobs.fcntl.LOCK_EX)
        jobs.start(job)
        assert read_progress(job).state is State.QUEUED
        jobs.cancel(job)
        wait_until(lambda: not read_progress(job).alive)
    assert read_progress(job).state is State.CANCELLED and identifiers(job) == []


def test_a_process_without_weights_says_so(make_job, monkeypatch, tmp_path):
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, "-m", "core.batch.worker"))
    monkeypatch.setenv("DERMALENS_WEIGHTS", str(tmp_path))
    job = make_job(1)
    jobs.start(job)
    wait_until(lambda: not read_progress(job).alive)
    progress = read_progress(job)
    assert progress.state is State.FAILED and "No manifest.json" in progress.reason and progress.left == 1


# --- the table --------------------------------------------------------------------------------------
def test_predictions_have_labels_facts_and_paths_and_no_errors(make_job):
    table = b"image,dx,lesion_id,age,sex\n00,mel,L1,45,male\n01,nv,L1,,\n02,mel,L2,50,female\n03,sk,,60,\n"
    job = make_job(5, bad=(2,), table=table)
    work(job)
    predictions = read_predictions(job)
    frame = predictions.frame
    assert frame["image_id"].tolist() == ["00", "01", "03", "04"]
    codes = [None if k == UNKNOWN else predictions.classes[k] for k in predictions.labels]
    assert codes == ["mel", "nv", None, None]
    assert frame["label"].tolist()[2] == "sk"
    assert predictions.lesions.tolist() == ["L1", "L1", "03", "04"]
    assert frame["age"].tolist()[0] == 45 and np.isnan(frame["age"].tolist()[1])
    assert frame["image_path"].tolist()[0] == job.read_images()[0]["path"]
    assert predictions.one_view is not None and predictions.uncalibrated is not None
    # One view instead of eight was asked for, so both say the same.
    np.testing.assert_allclose(predictions.one_view, predictions.probabilities, atol=1e-9)


def test_predictions_before_the_first_image_are_none(make_job):
    job = make_job(1, bad=(0,))
    assert read_predictions(job) is None
    work(job)
    assert read_predictions(job) is None and len(read_errors(job)) == 1


@pytest.mark.parametrize(
    ("file", "identifier"),
    [(b"007", "007"), (b"NA", "NA"), (b"1e5", "1e5"), (b"=1+1", "=1+1"), (b"l\xe9sion", "l?sion")],
)
def test_names_that_look_like_something_else_or_are_no_utf8_stay_names(tmp_path, phantom, file, identifier):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + file + b".png"))
    path.write_bytes(encode_png(phantom.image))
    job = write_job(tmp_path / "runs", [path])
    work(job)
    assert read_predictions(job).frame["image_id"].tolist() == [identifier]
