"""Quota and age of the app's runs."""

import os
import time
from pathlib import Path

import pytest

from core.batch import job as jobs
from core.batch.faults import JobError
from core.batch.limits import check_room, delete_old_runs
from core.settings import ServerLimits, SettingsError, read_limits

DAY_S = 86_400
LIMITS = ServerLimits(runs_bytes=10_000, runs_days=30)


def make_run(root: Path, age_days: float, n_bytes: int = 10) -> Path:
    folder = jobs.new_folder(root)
    for name in ("job.json", "results.jsonl"):
        (folder / name).write_bytes(bytes(n_bytes))
    then = time.time() - age_days * DAY_S
    for path in (*folder.iterdir(), folder):
        os.utime(path, (then, then))
    return folder


def test_old_runs_go_and_young_ones_and_other_folders_stay(tmp_path):
    old, young, future = (make_run(tmp_path, age) for age in (31, 29, -400))
    other = tmp_path / "other"
    other.mkdir()
    os.utime(other, (0, 0))
    (tmp_path / f"20200101-000000-{'0' * 32}").symlink_to(other)
    assert delete_old_runs(tmp_path, LIMITS) == [old.name]
    assert not old.exists() and young.exists() and future.exists() and other.exists()


def test_a_run_with_a_new_result_is_not_old(tmp_path):
    folder = make_run(tmp_path, 100)
    os.utime(folder / "results.jsonl")
    assert delete_old_runs(tmp_path, LIMITS) == []


def test_an_old_run_that_somebody_works_on_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "_LOCK_ATTEMPTS", 1)
    folder = make_run(tmp_path, 31)
    with jobs.hold_folder(folder):
        os.utime(folder, (0, 0))
        assert delete_old_runs(tmp_path, LIMITS) == []
    assert folder.exists()


def test_a_run_that_does_not_fit_is_refused_and_no_other_is_deleted_for_it(tmp_path):
    kept = make_run(tmp_path, 1, n_bytes=4000)
    check_room(tmp_path, LIMITS, 1500)
    with pytest.raises(JobError, match="would take"):
        check_room(tmp_path, LIMITS, 2500)
    assert kept.exists()


def test_a_disk_that_is_nearly_full_is_named(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 400_000_000})
    monkeypatch.setattr("core.batch.limits.shutil.disk_usage", lambda folder: usage)
    with pytest.raises(JobError, match="nearly full"):
        check_room(tmp_path, LIMITS)


def test_limits_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("DERMALENS_RUNS_GB", "1.5")
    monkeypatch.setenv("DERMALENS_RUNS_DAYS", "7")
    assert read_limits() == ServerLimits(runs_bytes=1.5e9, runs_days=7)


@pytest.mark.parametrize("value", ["much", "0", "-1", "nan", "inf"])
def test_a_limit_that_is_no_positive_number_is_named(monkeypatch, value):
    monkeypatch.setenv("DERMALENS_RUNS_GB", value)
    with pytest.raises(SettingsError, match="DERMALENS_RUNS_GB must be a positive number"):
        read_limits()
