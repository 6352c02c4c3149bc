"""Serve the app with the tests' tiny stand-in networks: `python -m tests.browser.serve_fake PORT`.

Only for a checkout without shipped weights; the page then says "fake bundle".
"""

import sys

from streamlit.web import cli

from models import loading, manifest
from tests.fakes import fake_bundle, fake_manifest


def main(port: str) -> None:
    """Patch the bundle and hand over to `streamlit run`."""
    manifest.read_manifest = lambda folder=None: fake_manifest()
    loading.load_bundle = lambda folder=None: fake_bundle()
    sys.argv = ["streamlit", "run", "streamlit_app.py", "--server.headless=true", f"--server.port={port}"]
    cli.main()


if __name__ == "__main__":
    main(sys.argv[1])
