"""A download that outlives the page that started it: a process of its own, whose state lies in the folder.

    FOLDER/.download/
        plan.json    the files with their sizes, and how much was there when the process began
        lock         locked by the process for as long as it lives, however it ends
        pause        a request to stop; what came is kept
        failure.txt  why it failed
        log.txt      what it printed

The state is derived from these files and from those that arrive, so that it is right after a crash too.
`start` goes on from wherever an earlier process, connection or computer stopped.
"""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from core.batch.locks import is_folder_held, try_lock
from core.errors import DermalensError
from core.systems.evaluations import PROJECT_DIR
from training.data.download import SOURCES, RemoteFile, download, is_complete, read_record
from training.data.fetching import DownloadError

COMMAND = (sys.executable, "-m", "training.data.background")
_FOLDER = ".download"
_POLL_S = 0.3


class State(StrEnum):
    """What a download is doing."""

    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "stopped"
    DONE = "finished"


@dataclass(frozen=True)
class Status:
    """How far a download is.

    Attributes:
        done_bytes, total_bytes: come so far and in all; 0 in all while the source is being asked.
        bytes_per_second: since the process began; NaN before the first byte.
        at: name of the file at hand, "" if none.
        unpacking: whether that file is whole, and being checked or unpacked.
        n_parts, parts_done: files, and those that are ready to be used.
        reason: why it stopped, for `State.FAILED`.
    """

    state: State
    done_bytes: int = 0
    total_bytes: int = 0
    bytes_per_second: float = float("nan")
    at: str = ""
    unpacking: bool = False
    n_parts: int = 0
    parts_done: int = 0
    reason: str = ""

    @property
    def seconds_left(self) -> float:
        """NaN where the rate is not known."""
        return (
            (self.total_bytes - self.done_bytes) / self.bytes_per_second if self.total_bytes else float("nan")
        )


def start(name: str, root: Path) -> None:
    """Start or resume a download in a process of its own.

    Args:
        name: key of `SOURCES`.
        root: the dataset's folder.

    Raises:
        DownloadError: the folder cannot be written, or a process works on it already.
    """
    folder = root / _FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock, (folder / "log.txt").open("ab") as log:
            if not try_lock(lock, fcntl.LOCK_EX):
                raise DownloadError(f"{SOURCES[name].name} is being downloaded already.")
            for stale in ("pause", "failure.txt", "plan.json"):
                (folder / stale).unlink(missing_ok=True)
            # The process inherits the lock: the download is its own from the first instant to its last.
            process = subprocess.Popen(
                [*COMMAND, name, str(root)],
                cwd=PROJECT_DIR,
                env=os.environ | {"TQDM_DISABLE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[lock.fileno()],
            )
    except OSError as error:
        raise DownloadError(f"{root} cannot be written: {error.strerror}. Choose another folder.") from error
    threading.Thread(target=process.wait, daemon=True).start()  # leaves no zombie


def pause(root: Path) -> None:
    """Ask the process to stop; `start` goes on from there."""
    (root / _FOLDER / "pause").touch()


def read_status(root: Path) -> Status | None:
    """How far the download into a folder is; None where there was none."""
    folder = root / _FOLDER
    if not folder.is_dir():
        return None
    alive = is_folder_held(folder)
    plan = _read_plan(folder)
    if not plan:
        return _ended(folder, Status(State.RUNNING)) if not alive else Status(State.RUNNING)
    record = read_record(root)
    files = [RemoteFile(**file) for file in plan["files"]]
    ready = [is_complete(file, root, record) for file in files]
    done = sum(file.size_bytes if ok else _size(root, file) for file, ok in zip(files, ready, strict=True))
    at = next((file for file, ok in zip(files, ready, strict=True) if not ok), None)
    seconds, come = time.time() - plan["began_at"], done - plan["began_with_bytes"]
    status = Status(
        State.RUNNING,
        done,
        sum(file.size_bytes for file in files),
        come / seconds if come > 0 and seconds > 0 else float("nan"),
        at.name if at else "",
        bool(at) and (root / at.name).is_file(),
        len(files),
        sum(ready),
    )
    return status if alive else _ended(folder, status)


def _ended(folder: Path, status: Status) -> Status:
    """The status of a download that nothing works on."""
    status = replace(status, bytes_per_second=float("nan"))
    if status.n_parts and status.parts_done == status.n_parts:
        return replace(status, state=State.DONE)
    failure = folder / "failure.txt"
    if failure.is_file():
        return replace(status, state=State.FAILED, reason=failure.read_text(encoding="utf-8"))
    if (folder / "pause").exists():
        return replace(status, state=State.PAUSED)
    return replace(status, state=State.FAILED, reason="Its process ended before it was finished.")


def _size(root: Path, file: RemoteFile) -> int:
    """Bytes of a file that have come, whole or in part."""
    for path in (root / file.name, root / f"{file.name}.part"):
        try:
            return path.stat().st_size
        except FileNotFoundError:
            continue
    return 0


def _read_plan(folder: Path) -> dict:
    try:
        return json.loads((folder / "plan.json").read_text())
    except (OSError, ValueError):  # not written yet
        return {}


# --- the process ------------------------------------------------------------------------------------
def work(name: str, root: Path) -> None:
    """Ask the source for its files, write the plan and fetch what is missing.

    Raises:
        DownloadError: see `training.data.download.download`.
    """
    source = SOURCES[name]
    files, record = source.list_files(), read_record(root)
    here = sum(f.size_bytes if is_complete(f, root, record) else _size(root, f) for f in files)
    plan = {"files": [asdict(file) for file in files], "began_at": time.time(), "began_with_bytes": here}
    written = root / _FOLDER / "plan.new"
    written.write_text(json.dumps(plan))
    written.replace(root / _FOLDER / "plan.json")
    download(replace(source, list_files=lambda: files), root)


def _stop_on_request(folder: Path) -> None:
    """End the process at once when a pause is asked for: files grow by appending, nothing is lost."""
    while not (folder / "pause").exists():
        time.sleep(_POLL_S)
    os._exit(0)


def main() -> None:
    """The process behind `start`."""
    name, root = sys.argv[1], Path(sys.argv[2])
    threading.Thread(target=_stop_on_request, args=(root / _FOLDER,), daemon=True).start()
    try:
        work(name, root)
    except (DermalensError, OSError) as error:
        (root / _FOLDER / "failure.txt").write_text(str(error), encoding="utf-8")
        sys.exit(1)


if __name__ == "__main__":
    main()
