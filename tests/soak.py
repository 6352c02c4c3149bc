"""Load and kills on the shipped weights: `make soak`, or shorter as `python -m tests.soak --sessions 3 …`.

Browser sessions analyse drawn pictures at once, then one session many in a row, on a real server; every answer
is compared with the engine's own. A batch is killed at several points and must end with the bytes of an
undisturbed one. What was run and found goes to `training/results/reliability.json`.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Browser, Page, expect, sync_playwright

from core.analyzer import Analyzer
from core.images.drawing import encode_png
from core.phantoms.lesions import draw_phantom
from core.systems.evaluations import PROJECT_DIR
from core.systems.reliability import RELIABILITY_FILE
from tests.bench.start import describe_processor, resident_mb
from tests.browser.conftest import LAUNCH_ARGUMENTS, NAMES, TIMEOUT_MS, serve_app
from tests.core.batch.killing import kill_after
from tests.server.session import time_page

PICTURES = 12  # different ones; sessions take them in different orders
UPLOADS = count(1)  # a number in each upload's bytes: a session would answer the same bytes from its memory
BROWSER_NICENESS = 15  # of all that follows the server: a visitor's browser runs on a machine of its own
VERDICT = re.compile(r"^Probability of malignancy (\d+\.\d%)$")
RESULT_FILES = ("results.jsonl", "predictions.csv", "errors.csv")
# The first part of the row fills caches; the slope is that of the rest.
WARM_UP = 0.2


@dataclass
class Found:
    """What the browser part saw.

    Attributes:
        answers, wrong: how many analyses, and of how many the answer was not the engine's.
        page_seconds: how long the server took to send another visitor's page while others computed.
        memory_mb: resident memory of the server after each analysis of the row.
    """

    answers: int = 0
    wrong: int = 0
    page_seconds: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)


def draw_pictures(folder: Path, how_many: int) -> list[Path]:
    """Different small lesions as PNG files."""
    folder.mkdir(parents=True)
    paths = [folder / f"lesion_{seed:03d}.png" for seed in range(how_many)]
    for seed, path in enumerate(paths):
        path.write_bytes(encode_png(draw_phantom(seed, size_px=(150, 200)).image))
    return paths


def stamp(path: Path, number: int) -> bytes:
    """The same picture as other bytes: with a number as PNG text."""
    text, stream = PngInfo(), BytesIO()
    text.add_text("number", str(number))
    Image.open(path).save(stream, "PNG", pnginfo=text)
    return stream.getvalue()


def expected_answers(paths: Sequence[Path]) -> list[str]:
    """What the page must show for each picture, by an engine of this process."""
    analyzer = Analyzer.load()
    answers = [analyzer.analyze(path).classification.suspicious_probability for path in paths]
    return [f"{answer:.1%}" for answer in answers]


def children() -> set[int]:
    """The processes that this one started (Linux)."""
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A headless Chromium."""
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        sys.exit("No Chromium on this machine: install one.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(LAUNCH_ARGUMENTS))
        expect.set_options(timeout=TIMEOUT_MS)
        yield browser
        browser.close()


def open_page(browser: Browser, url: str) -> Page:
    """Diagnose in a session of its own."""
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(url)
    page.get_by_role("heading", name="Diagnose").wait_for()
    return page


def empty(page: Page) -> None:
    """Remove the picture of before."""
    if page.get_by_text(VERDICT).count():
        page.get_by_role("button", name="Clear").click()
        expect(page.get_by_text(VERDICT)).to_have_count(0)
    page.locator("input[type=file]").first.wait_for(state="attached")


def analyse_at_once(
    pages: Sequence[Page], pictures: Sequence[Path], expected: Sequence[str], found: Found
) -> None:
    """One picture in each session; all wait for the analyser together."""
    for page in pages:
        empty(page)
    for page, picture in zip(pages, pictures, strict=True):
        upload = {"name": picture.name, "mimeType": "image/png", "buffer": stamp(picture, next(UPLOADS))}
        page.locator("input[type=file]").first.set_input_files(upload)
    if len(pages) > 1:
        found.page_seconds.append(time_page(pages[0].url.split("?")[0].rstrip("/"), "about"))
    for page, answer in zip(pages, expected, strict=True):
        shown = page.get_by_text(VERDICT)
        expect(shown).to_be_visible()
        found.answers += 1
        found.wrong += VERDICT.match(shown.inner_text()).group(1) != answer


def soak_server(sessions: int, analyses: int, in_a_row: int, folder: Path) -> Found:
    """Sessions at once, then one session many in a row."""
    paths = draw_pictures(folder / "pictures", PICTURES)
    expected, found = expected_answers(paths), Found()
    before = children()
    with serve_app(folder / "server.log") as url:
        [server] = children() - before
        os.nice(BROWSER_NICENESS)
        with open_browser() as browser:
            pages = [open_page(browser, url) for _ in range(sessions)]
            for turn in range(analyses):
                chosen = [(turn + 5 * number) % PICTURES for number in range(sessions)]
                analyse_at_once(pages, [paths[i] for i in chosen], [expected[i] for i in chosen], found)
            for turn in range(in_a_row):
                i = turn % PICTURES
                analyse_at_once(pages[:1], [paths[i]], [expected[i]], found)
                found.memory_mb.append(resident_mb(server))
    return found


def slope(values: Sequence[float]) -> float:
    """Least-squares change from one value to the next, after the warm-up; NaN with fewer than three."""
    kept = values[int(WARM_UP * len(values)) :]
    return float(np.polyfit(range(len(kept)), kept, 1)[0]) if len(kept) > 2 else float("nan")


def soak_batch(images: int, kills: int, folder: Path) -> dict[str, object]:
    """Kill a batch at evenly spaced points; compare its files with an undisturbed run's."""
    draw_pictures(folder / "batch", images)

    def command(to: str) -> list[str]:
        return [sys.executable, "-m", "core.cli", "batch", str(folder / "batch"), "--to", str(folder / to)]

    subprocess.run(command("undisturbed"), cwd=PROJECT_DIR, check=True, capture_output=True)
    points = [images * number // kills for number in range(kills)]
    killed = sum(kill_after(command("killed"), folder / "killed", point) for point in points)
    subprocess.run(command("killed"), cwd=PROJECT_DIR, check=True, capture_output=True)
    files = [[(folder / to / name).read_bytes() for name in RESULT_FILES] for to in ("undisturbed", "killed")]
    return {"images": images, "kills": killed, "same_bytes": files[0] == files[1]}


def main() -> None:
    """Run both parts and write what was found; exit status 1 if an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in {
        "sessions": 8,
        "analyses": 50,
        "in-a-row": 1000,
        "images": 200,
        "kills": 10,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = soak_server(asked.sessions, asked.analyses, asked.in_a_row, Path(folder))
        batch = soak_batch(asked.images, asked.kills, Path(folder))
    record = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        # A load above the cores: other work ran beside, and the page's times are no fair ones.
        "machine": {
            "cores": os.cpu_count(),
            "load_average": round(os.getloadavg()[2], 1),
            **describe_processor(),
        },
        "bundle": Analyzer.load().manifest.fingerprint,
        "sessions": asked.sessions,
        "analyses_a_session": asked.analyses,
        "in_a_row": asked.in_a_row,
        "answers": found.answers,
        "wrong": found.wrong,
        "page_seconds": {
            "median": round(statistics.median(found.page_seconds), 2) if found.page_seconds else None,
            "largest": round(max(found.page_seconds), 2) if found.page_seconds else None,
        },
        "memory_mb": {"first": round(found.memory_mb[0]), "last": round(found.memory_mb[-1])},
        "memory_slope_mb": round(slope(found.memory_mb), 3),
        "batch": batch,
    }
    RELIABILITY_FILE.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))
    sys.exit(bool(found.wrong or not batch["same_bytes"]))


if __name__ == "__main__":
    main()
