"""The wait before the first answer and the memory that answers take, each in a process of its own."""

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import cv2
from playwright.sync_api import Page, sync_playwright

from core.images.drawing import encode_png
from core.phantoms.lesions import SAMPLES, draw_phantom
from tests.bench.timing import run_probe, seconds_of
from tests.browser.conftest import LAUNCH_ARGUMENTS, NAMES

STARTS = 3
PAGES = ("diagnose", "evaluate", "dataset", "training", "about")
LARGE_PX = (4000, 6000)  # height and width of 24 megapixels
FIRST_ANSWER = re.compile(r"^(Suspicious share|Probability of malignancy) \d+\.\d%$")
PROCESSOR_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_int8")
TIMEOUT_MS = 120_000
PAGE_PROBE = """
import json, sys, time
from streamlit.testing.v1 import AppTest
app, seconds = AppTest.from_file("streamlit_app.py", default_timeout=60), {}
for page in ("diagnose", "evaluate", "dataset", "training", "about"):
    started = time.perf_counter()
    if seconds:
        app.switch_page(f"pages/{page}.py")
    app.run()
    seconds[page] = time.perf_counter() - started
    assert not app.exception, app.exception
    assert "tensorflow" not in sys.modules, f"{page} imported TensorFlow"
print(json.dumps(seconds))
"""
MEMORY_PROBE = r"""
import json, re, sys
from core.analyzer import Analyzer
Analyzer.load().analyze(sys.argv[1])
# Not ru_maxrss: a process inherits that of the one that started it.
print(json.dumps({"mb": int(re.search(r"VmHWM:\s*(\d+)", open("/proc/self/status").read())[1]) / 1024}))
"""


def measure_start() -> dict[str, float]:
    """Seconds from the start of `python -m core.cli analyze` to its end, on one picture.

    "compiling" is the very first start, which compiles the networks and keeps them; the others read them.
    """
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "one.png"
        image.write_bytes(encode_png(draw_phantom(0).image))
        command = [sys.executable, "-m", "core.cli", "analyze", str(image), "--csv", f"{folder}/out.csv"]
        environment = os.environ | {"DERMALENS_CACHE": f"{folder}/cache"}

        def start() -> None:
            subprocess.run(command, check=True, capture_output=True, env=environment)

        first = seconds_of(start)
        used = sum(os.times()[2:4])
        later = [seconds_of(start) for _ in range(STARTS)]
        return {
            "first_analysis_compiling_seconds": first,
            "first_analysis_seconds": statistics.median(later),
            # Of all cores together; unlike the wait it hardly depends on what else the machine does.
            "first_analysis_processor_seconds": (sum(os.times()[2:4]) - used) / STARTS,
        }


def measure_memory() -> dict[str, float]:
    """Peak memory of a process that analyses one drawn photograph of 24 megapixels."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        large = cv2.resize(draw_phantom(0).image, LARGE_PX[::-1], interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(photo), large[..., ::-1])
        return {"peak_memory_24mp_mb": run_probe(MEMORY_PROBE, str(photo))["mb"]}


@contextmanager
def serve() -> Iterator[tuple[str, subprocess.Popen]]:
    """A freshly started app: its address and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["streamlit", "run", "streamlit_app.py", "--server.headless=true", f"--server.port={port}"]
    server = subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            with suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                break
            time.sleep(0.25)
        yield url, server
    finally:
        server.terminate()
        server.wait(timeout=30)


@contextmanager
def open_page(url: str) -> Iterator[Page]:
    """The app in a headless Chromium."""
    executable = next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=list(LAUNCH_ARGUMENTS))
        page = chromium.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(url)
        yield page
        chromium.close()


def measure_app() -> dict[str, float]:
    """The first result in a fresh app, from the click on a sample, and an app's memory with all pages visited."""
    with serve() as (url, _), open_page(url) as page:
        sample = page.get_by_role("button", name=SAMPLES[0].name, exact=True)
        sample.wait_for()
        time.sleep(2)  # a reader's first look
        clicked = time.perf_counter()
        sample.click()
        page.get_by_text(FIRST_ANSWER).first.wait_for()
        seconds = time.perf_counter() - clicked
    with serve() as (url, server), open_page(url) as page:
        for name in PAGES:
            page.goto(url if name == "diagnose" else f"{url}/{name}")
            page.get_by_role("heading", level=1).first.wait_for()
            page.wait_for_timeout(3000)
        return {"app_first_result_seconds": seconds, "app_idle_memory_mb": resident_mb(server.pid)}


def describe_processor() -> dict[str, object]:
    """Name and the instruction sets that decide which precision runs; empty where Linux does not say."""
    with suppress(OSError):
        lines = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M))
        flags = set(lines.get("flags", "").split())
        return {
            "processor": lines.get("model name", ""),
            "processor_flags": [flag for flag in PROCESSOR_FLAGS if flag in flags],
        }
    return {}


def resident_mb(pid: int) -> float:
    """Resident memory of a process of this Linux machine."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def measure_pages() -> dict[str, float]:
    """Seconds in which each page opens for the first time in a process that has only imported Streamlit."""
    runs = [run_probe(PAGE_PROBE) for _ in range(3)]
    return {f"page_{page}_opens_seconds": statistics.median(run[page] for run in runs) for page in runs[0]}
