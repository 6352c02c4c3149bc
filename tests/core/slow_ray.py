"""An actor on the stand-in networks that dies in the middle of its first chunk, if it is told so."""

import os
import signal
from pathlib import Path

from core import analyzer
from core.batch.distributed import AnalyseChunk
from tests.core.slow_job import light_bundle

DIE = "die"


class FakeAnalyseChunk(AnalyseChunk):
    """Dies once for a file called `die` in the run's folder."""

    def __init__(self, folder: str) -> None:
        analyzer.load_bundle = lambda folder: light_bundle()
        super().__init__(folder)

    def __call__(self, row):
        """As the real one, except for the death."""
        try:
            Path(self.job.folder, DIE).unlink()
        except FileNotFoundError:
            return super().__call__(row)
        os.kill(os.getpid(), signal.SIGKILL)
