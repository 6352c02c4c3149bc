"""End a batch as a power cut or an impatient administrator would."""

import signal
import subprocess
import time
from pathlib import Path

from core.systems.evaluations import PROJECT_DIR


def kill_after(command: list[str], folder: Path, lines: int) -> bool:
    """Run a batch and `kill -9` it once it has begun and that many images of it are finished.

    Returns:
        Whether it was still at work then.
    """
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=PROJECT_DIR, **quiet)
    results, started = folder / "results.jsonl", folder / "started.json"
    while process.poll() is None:
        if started.exists() and results.exists() and results.read_bytes().count(b"\n") >= lines:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    return process.wait() == -signal.SIGKILL
