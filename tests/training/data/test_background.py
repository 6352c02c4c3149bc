"""A download in a process of its own: paused, broken, resumed and followed from outside."""

import sys
import threading
import time
from pathlib import Path

import pytest

from tests.training.data.site import Site, make_zip
from training.data import background
from training.data.background import State, Status, read_status
from training.data.fetching import DownloadError

NAME = "isic2018-task1"
sleep = threading.Event().wait  # `time.sleep` is short-circuited by the fixture
MASKS, IMAGES = "ISIC2018_Task1_Training_GroundTruth", "ISIC2018_Task1-2_Training_Input"


@pytest.fixture
def root(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where two archives of the local server go; the process waits not between its attempts."""
    for name, size in ((MASKS, 2_000), (IMAGES, 200_000)):
        site.files[f"/2018/{name}.zip"] = make_zip({f"{name}/ISIC_1.jpg": bytes(range(250)) * (size // 250)})
    code = (
        "from training.data import background, download, fetching; "
        f"download.ISIC_CHALLENGES = {site.url!r}; fetching._CHUNK_BYTES = 1000; "
        "fetching.time.sleep = lambda seconds, sleep=fetching.time.sleep: sleep(min(seconds, 0.1)); "
        "background.main()"
    )
    monkeypatch.setattr(background, "COMMAND", (sys.executable, "-c", code))
    return tmp_path / "set"


def wait_for(root: Path, *states: State) -> Status:
    """The status once it is one of these."""
    deadline = time.monotonic() + 60
    while (status := read_status(root)).state not in states:
        assert time.monotonic() < deadline, status
        sleep(0.05)
    return status


def test_a_download_goes_on_after_breaks_and_ends_with_all_parts(site, root):
    site.break_after_bytes, site.breaks = 50_000, 3
    background.start(NAME, root)
    status = wait_for(root, State.DONE, State.FAILED)
    assert status.state is State.DONE and (status.parts_done, status.n_parts) == (2, 2)
    assert status.done_bytes == status.total_bytes == sum(map(len, site.files.values()))
    assert (root / IMAGES / "ISIC_1.jpg").stat().st_size == 200_000


def test_a_connection_that_stays_broken_says_why_and_a_second_start_resumes(site, root):
    site.break_after_bytes, site.breaks = 0, 99
    background.start(NAME, root)
    status = wait_for(root, State.FAILED, State.DONE)
    assert status.state is State.FAILED and "could not be downloaded" in status.reason
    site.breaks = 0
    background.start(NAME, root)
    assert wait_for(root, State.DONE, State.FAILED).state is State.DONE


def test_a_pause_keeps_what_came_and_a_start_goes_on_from_there(site, root):
    site.pause_s = 0.1  # a slow line: 20 s for the second archive
    background.start(NAME, root)
    part = root / f"{IMAGES}.zip.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 5_000):
        assert time.monotonic() < deadline, read_status(root)
        sleep(0.02)
    background.pause(root)
    status = wait_for(root, State.PAUSED, State.FAILED, State.DONE)
    assert status.state is State.PAUSED and 0 < status.done_bytes < status.total_bytes
    assert status.parts_done == 1 and status.at == f"{IMAGES}.zip"
    kept, site.pause_s = part.stat().st_size, 0
    background.start(NAME, root)
    assert wait_for(root, State.DONE, State.FAILED).state is State.DONE
    assert site.gets(f"/2018/{IMAGES}.zip")[-1] == f"bytes={kept}-"


def test_two_starts_are_one_download(site, root):
    site.pause_s = 0.1
    background.start(NAME, root)
    with pytest.raises(DownloadError, match="being downloaded already"):
        background.start(NAME, root)
    background.pause(root)
    wait_for(root, State.PAUSED, State.FAILED)


def test_no_download_has_no_status(tmp_path):
    assert read_status(tmp_path) is None


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="cannot be written"):
        background.start(NAME, tmp_path / "file" / "set")
