"""A real Chromium on the real app: the shipped weights where there are some, else the stand-ins."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from models.manifest import MANIFEST_NAME, bundle_dir

PROJECT_DIR = Path(__file__).parents[2]
CHROMIUM_VARIABLE = "DERMALENS_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")
LAUNCH_ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
# The first analysis imports TensorFlow and compiles three networks, on a busy machine too.
TIMEOUT_MS = 120_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    found = (shutil.which(name) for name in NAMES)
    executable = os.environ.get(CHROMIUM_VARIABLE) or next(filter(None, found), None)
    if executable is None:
        pytest.skip(f"No Chromium on this machine; install one or name it in {CHROMIUM_VARIABLE}.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=list(LAUNCH_ARGUMENTS))
        expect.set_options(timeout=TIMEOUT_MS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the running app."""
    with serve_app(tmp_path_factory.mktemp("app") / "server.log") as url:
        yield url


@contextmanager
def serve_app(log: Path) -> Iterator[str]:
    """A freshly started server; yields its address."""
    port = _free_port()
    shipped = (bundle_dir() / MANIFEST_NAME).is_file()
    options = ["streamlit_app.py", "--server.headless=true", f"--server.port={port}"]
    command = ["streamlit", "run", *options] if shipped else ["tests.browser.serve_fake", str(port)]
    with log.open("w") as stream:
        server = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=PROJECT_DIR,
            stdout=stream,
            stderr=subprocess.STDOUT,
            # The folder that visitors may name: the tests draw their datasets there.
            env=os.environ | {"DERMALENS_ROOT": tempfile.gettempdir()},
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_healthy(url, server, log)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=30)


@pytest.fixture
def page(browser: Browser, app_url: str) -> Iterator[Page]:
    """Diagnose in a fresh session at 1440 px."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.goto(app_url)
    page.get_by_role("heading", name="Diagnose").wait_for()
    yield page
    context.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(url: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.25)
    raise RuntimeError(f"The app did not start:\n{log.read_text()}")


def settle(page: Page) -> None:
    """Wait until the page has run to its end and stays there; a key pressed before may be lost."""
    idle = page.locator('[data-test-script-state="notRunning"]')
    idle.wait_for()
    page.wait_for_timeout(1500)  # a first run may be followed by one that takes up the address
    idle.wait_for()
