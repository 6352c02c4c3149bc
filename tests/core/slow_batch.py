"""`dermalens batch` on the slow stand-in networks, so that a test can kill it: `python -m tests.core.slow_batch …`."""

from core import analyzer, cli
from core.batch import foreground
from tests.core.slow_job import load_slow_bundle
from tests.fakes import fake_manifest

if __name__ == "__main__":
    analyzer.load_bundle = load_slow_bundle
    foreground.read_manifest = fake_manifest
    cli.app()
