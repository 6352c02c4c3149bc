"""Dataset in a real browser: what only a browser shows."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.datasets.similar import MAP_NAME
from core.systems.evaluations import RUNS_DIR
from tests.browser.conftest import settle
from tests.drawn_dataset import ROWS, write_dataset

pytestmark = pytest.mark.browser
MAP = RUNS_DIR / "ham10000" / MAP_NAME


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("drawn") / "ham10000")


def open_dataset(page: Page, app_url: str, query: str = "") -> Page:
    page.goto(f"{app_url}/dataset{query}")
    expect(page.get_by_role("heading", name="Dataset")).to_be_visible()
    return page


def use_folder(page: Page, folder: Path) -> None:
    """Type the dataset's folder."""
    field = page.get_by_role("textbox", name="Folder on this server")
    field.fill(str(folder))
    field.press("Enter")
    expect(page.get_by_role("button", name="Pictures")).to_be_visible()


def cards(page: Page):
    return page.locator(".grid button.card")


def test_a_link_reopens_filters_and_order(page: Page, app_url: str):
    open_dataset(page, app_url, "?class=mel&answer=wrong&age=20-50&sort=-confidence")
    expect(page.get_by_role("button", name="Diagnosis: Melanoma")).to_be_visible()
    expect(page.get_by_role("button", name="Age: 20–50")).to_be_visible()
    expect(page.get_by_role("checkbox", name=re.compile("^wrong"))).to_be_checked()
    expect(page.get_by_role("combobox", name="Order")).to_have_value("Most confident first")
    count = page.get_by_text(re.compile(r"\d+ of 10,015 images"))
    before = count.inner_text()
    address = page.url
    page.get_by_role("button", name="Clear all").click()
    expect(page).to_have_url(re.compile("/dataset[^?]*$|sort=-confidence$"))
    open_dataset(page, app_url, address.split("/dataset")[1])
    expect(count).to_have_text(before)


def test_a_picture_opens_its_case_and_keys_step_and_return(page: Page, app_url: str, drawn: Path):
    use_folder(open_dataset(page, app_url), drawn)
    expect(cards(page)).to_have_count(5)
    cards(page).nth(1).click()
    expect(page.get_by_role("heading", name=ROWS[1][1])).to_be_visible()
    expect(page).to_have_url(re.compile(f"case={ROWS[1][1]}"))
    expect(page.get_by_role("heading", name="Similar cases")).to_be_visible()
    settle(page)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name=ROWS[2][1])).to_be_visible()
    expect(page).to_have_url(re.compile(f"case={ROWS[2][1]}"))
    settle(page)
    page.keyboard.press("Escape")
    expect(cards(page)).to_have_count(5)


def test_a_bar_leads_to_its_images(page: Page, app_url: str):
    open_dataset(page, app_url, "?view=charts")
    bar = page.locator(".js-plotly-plot").first.locator(".bars .point path").nth(4)  # melanoma
    expect(bar).to_be_visible()
    box = bar.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.wait_for_timeout(500)  # plotly asks what lies under the pointer
    page.mouse.click(x, y)
    expect(page.get_by_role("button", name="Diagnosis: Melanoma")).to_be_visible()
    expect(page.get_by_text("1,113 of 10,015 images")).to_be_visible()


@pytest.mark.skipif(not MAP.is_file(), reason=f"{MAP} is not there; dermalens train features makes it.")
def test_a_lasso_opens_the_images_inside(page: Page, app_url: str):
    open_dataset(page, app_url, "?view=map&split=test")
    plane = page.locator(".js-plotly-plot .nsewdrag").first
    expect(plane).to_be_visible()
    page.wait_for_timeout(3000)  # until the points are drawn and the page is at rest
    box = plane.bounding_box()
    corners = [(0.2, 0.1), (0.8, 0.1), (0.8, 0.9), (0.2, 0.9), (0.2, 0.12)]
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()
    expect(page.get_by_text(re.compile(r"[\d,]+ images inside the lasso"))).to_be_visible()
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("inside the lasso")).to_have_count(0)


@pytest.mark.parametrize("query", ["", "?view=charts", "?view=checks", "?case=ISIC_0024315"])
def test_nothing_is_wider_than_a_phone(page: Page, app_url: str, query: str):
    page.set_viewport_size({"width": 390, "height": 800})
    open_dataset(page, app_url, query)
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("Checks", exact=True)).to_be_visible()
    assert main.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
