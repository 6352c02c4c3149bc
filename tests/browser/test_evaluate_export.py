"""The report as it leaves the app, opened again without a network."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.systems.evaluations import list_evaluations

pytestmark = pytest.mark.browser


def download(page: Page, button: str, folder: Path) -> Path:
    """Press a download button and keep the file."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_report_and_predictions_are_read_back(page: Page, app_url: str, browser: Browser, tmp_path: Path):
    page.goto(f"{app_url}/evaluate?show=Export")
    expect(page.get_by_role("button", name="HTML report")).to_be_visible()

    table = download(page, "Predictions CSV", tmp_path)
    first = list_evaluations()[0]
    with table.open() as kept, first.predictions_file.open() as shipped:
        ids = [[row["image_id"] for row in csv.DictReader(stream)] for stream in (kept, shipped)]
    assert ids[0] == ids[1]

    report = download(page, "HTML report", tmp_path)
    offline = browser.new_context(offline=True)
    reader = offline.new_page()
    reader.goto(report.as_uri())
    expect(reader.get_by_role("heading", name="Confusion matrix")).to_be_visible()
    expect(reader.get_by_text("not a medical device")).to_be_visible()
    expect(reader.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    score = first.read_scores()["classification"]["balanced_accuracy"]["estimate"]
    row = reader.get_by_role("row", name="Balanced accuracy").first
    expect(row).to_contain_text(f"{score:.3f}")
    offline.close()
