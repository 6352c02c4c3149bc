"""Evaluate as a user meets it: charts that can be clicked, links that reopen."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser


def open_view(page: Page, query: str) -> Page:
    """Evaluate by its address."""
    page.goto(f"{page.url.rstrip('/')}/evaluate?{query}")
    page.get_by_role("heading", name="Evaluate").wait_for()
    return page


def click_middle(page: Page, target: Locator) -> None:
    """Click as a mouse does, which plotly wants to see moving first."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 3, y - 3)
    page.mouse.move(x, y, steps=4)
    page.wait_for_timeout(300)  # plotly looks for the nearest point at most every 50 ms
    page.mouse.click(x, y)


def test_clicking_a_confusion_cell_opens_its_images(page: Page):
    open_view(page, "show=Confusion")
    labels = page.locator(".js-plotly-plot .textpoint text")
    labels.first.wait_for()
    cell = labels.nth(2)
    count = cell.text_content()
    click_middle(page, cell)
    chip = page.get_by_role("button", name=re.compile(f"^true .* → predicted .*, {count} image"))
    expect(chip).to_be_visible()
    cards = page.locator("[class*='st-key-confusion_cases_open'] button")
    expect(cards).to_have_count(min(int(count), 12))
    expect(page).to_have_url(re.compile("true=.*&predicted="))
    address = page.url
    chip.click()
    expect(chip).to_be_hidden()
    expect(page).not_to_have_url(re.compile("true="))
    page.goto(address)
    expect(chip).to_be_visible()


def test_clicking_a_roc_point_changes_the_table(page: Page):
    open_view(page, "show=Curves")
    table = page.get_by_test_id("stTable").first
    table.wait_for()
    # The last but one trace is the curve that is worked on; the last is its ring.
    points = page.locator(".js-plotly-plot").first.locator(".scatterlayer .trace").nth(-2).locator(".point")
    points.first.wait_for()
    before = table.inner_text()
    click_middle(page, points.nth(points.count() // 2))
    expect(table).not_to_have_text(before)
    expect(page).to_have_url(re.compile("threshold=0[.]"))
    threshold = re.search(r"threshold=([\d.]+)", page.url)[1]
    expect(page.get_by_role("heading", name=f"at a threshold of {float(threshold):.3f}")).to_be_visible()


def test_no_view_is_wider_than_a_phone(page: Page):
    page.set_viewport_size({"width": 390, "height": 800})
    root = page.url
    for view in ("Overview", "Confusion", "Curves"):
        page.goto(f"{root.rstrip('/')}/evaluate?show={view}")
        expect(page.get_by_text("Not a medical device")).to_be_visible()
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        main = page.get_by_test_id("stMain")
        assert main.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
