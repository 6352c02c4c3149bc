"""Addresses that people pass on."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PROJECT_DIR, serve_app

pytestmark = pytest.mark.browser


def test_a_fresh_server_opens_a_page_by_its_address_inside_the_app(browser: Browser, tmp_path: Path):
    with serve_app(tmp_path / "server.log") as url:
        page = browser.new_page()
        page.goto(f"{url}/about")
        expect(page.get_by_role("heading", name="About Dermalens")).to_be_visible()
        expect(page.get_by_role("link", name="Diagnose", exact=False).first).to_be_visible()
        expect(page.get_by_text("streamlit app")).to_have_count(0)  # Streamlit's own list of files
        page.close()


@pytest.mark.parametrize("file", sorted(PROJECT_DIR.glob("pages/*.py")), ids=lambda file: file.stem)
def test_every_page_hands_over_to_the_router(file: Path):
    assert "router.require()" in file.read_text()
