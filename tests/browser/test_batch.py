"""A batch of images on the Evaluate page, as a user meets it: the work goes on in a process of its own."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from core.images.drawing import encode_png
from core.phantoms.lesions import draw_phantom, random_spec
from models.manifest import MANIFEST_NAME, bundle_dir

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (bundle_dir() / MANIFEST_NAME).is_file(), reason="the run's process needs weights on disk"
    ),
]
COUNT, DAMAGED = 50, 31
LONG_MS = 600_000  # on a machine that is busy with other work; otherwise half a minute


@pytest.fixture(scope="module")
def phantoms_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty small phantoms in folders named by two classes; one of them is cut short."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for seed in range(COUNT):
            spec = random_spec(np.random.default_rng(seed))
            data = encode_png(draw_phantom(seed, size_px=(90, 120), spec=spec).image)
            name = f"{('mel', 'nv')[seed % 2]}/phantom_{seed:02d}.png"
            file.writestr(name, data[:100] if seed == DAMAGED else data)
    path = tmp_path_factory.mktemp("batch") / "phantoms.zip"
    path.write_bytes(stream.getvalue())
    return path


def read_finished(page: Page) -> int:
    """How many images the open run says are finished."""
    return int(page.get_by_text(re.compile(rf"^\d+ of {COUNT} images")).inner_text().split()[0])


def test_fifty_phantoms_are_started_cancelled_resumed_in_another_tab_and_finished(
    page: Page, app_url: str, phantoms_zip: Path
):
    page.goto(f"{app_url}/evaluate?source=Images")
    page.get_by_text("Sub-folder names", exact=True).click()
    expect(page.get_by_text("nearest folder above it")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(phantoms_zip)
    page.get_by_role("button", name="Start", exact=True).click()

    rate = page.get_by_text(re.compile(rf"of {COUNT} images .* images/s · about .* left"))
    expect(rate).to_be_visible(timeout=LONG_MS)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=LONG_MS)
    finished = read_finished(page)
    assert 0 < finished < COUNT

    tab = page.context.new_page()
    tab.goto(page.url)
    page.close()
    expect(tab.get_by_role("button", name="Resume")).to_be_visible()
    assert read_finished(tab) == finished
    tab.get_by_role("button", name="Resume").click()
    done = tab.get_by_text(f"{COUNT} of {COUNT} images · 1 refused")
    expect(done).to_be_visible(timeout=LONG_MS)
    expect(tab.get_by_role("button", name="Resume")).to_have_count(0)
    expect(tab.get_by_text(f"Labelled: {COUNT} of {COUNT} images")).to_be_visible()
    expect(tab.get_by_text("Refused images: 1")).to_be_visible()

    tab.get_by_role("button", name="Delete").click()
    tab.get_by_role("button", name="Delete for good").click()
    expect(tab.get_by_role("heading", name="Your runs")).to_be_visible()
    assert "job=" not in tab.url
