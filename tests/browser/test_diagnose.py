"""Diagnose as a user meets it, in a real browser."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.images.drawing import encode_png
from core.images.reading import read_image
from core.phantoms.lesions import draw_phantom
from core.taxonomy import get_diagnosis
from models.manifest import read_manifest

pytestmark = pytest.mark.browser

# The result's own line: About, whose text stays on the screen until the next page is drawn, has others like it.
VERDICT = re.compile(r"^Probability of malignancy \d+\.\d%$")


@pytest.fixture(scope="session")
def phantom_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("images") / "phantom.png"
    file.write_bytes(encode_png(draw_phantom(7).image))
    return file


@pytest.fixture
def result(page: Page, phantom_file: Path) -> Page:
    """The page with the phantom's result."""
    page.locator("input[type=file]").first.set_input_files(phantom_file)
    expect(page.get_by_text(VERDICT)).to_be_visible()
    expect(page.get_by_text("Behind this result")).to_be_visible()
    expect(shown_picture(page)).to_have_attribute("alt", re.compile("^Outline of the lesion"))
    return page


def shown_picture(page: Page):
    """The right panel's picture."""
    return page.locator(".viewer figure").nth(1).locator("img")


def choose_view(page: Page, name: str) -> None:
    page.get_by_test_id("stButtonGroup").first.get_by_text(name, exact=True).click()


def test_upload_shows_outline_probabilities_and_heatmap(result: Page):
    picture = shown_picture(result)
    size = "async image => { await image.decode(); return [image.naturalWidth, image.naturalHeight]; }"
    assert picture.evaluate(size) == [600, 450]
    expect(result.locator(".js-plotly-plot .bars .point")).to_have_count(len(read_manifest().classes))
    outline = picture.get_attribute("src")
    choose_view(result, "Grad-CAM")
    expect(result.locator(".viewer figcaption").nth(1)).to_contain_text("Grad-CAM of")
    assert picture.get_attribute("src") != outline
    expect(result.get_by_text("nor a dermoscopic criterion")).to_be_visible()


def test_another_class_can_be_explained(result: Page):
    choose_view(result, "Grad-CAM")
    caption = result.locator(".viewer figcaption").nth(1)
    expect(caption).to_contain_text("Grad-CAM of")
    before = shown_picture(result).get_attribute("src")
    other = "Dermatofibroma" if "Dermatofibroma" not in caption.inner_text() else "Melanoma"
    result.get_by_role("combobox", name="Class to look at").click()
    result.get_by_role("option", name=other).click()
    expect(caption).to_have_text(f"Grad-CAM of {other}")
    assert shown_picture(result).get_attribute("src") != before


def test_both_panels_zoom_together(result: Page):
    result.get_by_role("button", name="Zoom in").click()
    expect(result.locator(".viewer output")).to_have_text("140%")
    left, right = (result.locator(".viewer img").nth(i).get_attribute("style") for i in range(2))
    assert left == right
    assert "scale(1.4)" in left
    result.locator(".viewer .frame").first.dblclick()
    expect(result.locator(".viewer output")).to_have_text("100%")


def test_json_can_be_downloaded_and_read_back(result: Page):
    with result.expect_download() as waiting:
        result.get_by_role("button", name="JSON").click()
    record = json.loads(Path(waiting.value.path()).read_text())
    assert waiting.value.suggested_filename == "phantom.json"
    assert record["image"]["name"] == "phantom.png"
    assert sum(one["probability"] for one in record["probabilities"]) == pytest.approx(1)
    heading = result.get_by_role("heading", name=get_diagnosis(record["prediction"]).name)
    expect(heading).to_be_visible()


def test_mask_can_be_downloaded_at_the_images_size(result: Page):
    with result.expect_download() as waiting:
        result.get_by_role("button", name="Mask", exact=True).last.click()
    assert waiting.value.suggested_filename == "phantom_mask.png"
    pixels = read_image(waiting.value.path()).pixels
    assert pixels.shape == (450, 600, 3)
    assert set(pixels.ravel().tolist()) == {0, 255}


def test_result_is_still_there_after_another_page(result: Page):
    result.get_by_role("link", name="About").click()
    expect(result.get_by_role("heading", name="About Dermalens")).to_be_visible()
    result.get_by_role("link", name="Diagnose").click()
    expect(result.get_by_text(VERDICT)).to_be_visible(timeout=10_000)


def test_text_file_named_jpg_is_refused_with_a_message(page: Page, tmp_path: Path):
    file = tmp_path / "notes.jpg"
    file.write_text("Not a picture at all. " * 20)
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_text("notes.jpg was not read")).to_be_visible()
    expect(page.get_by_text("This is not an image")).to_be_visible()


def test_nothing_is_wider_than_a_phone(page: Page, phantom_file: Path):
    page.set_viewport_size({"width": 390, "height": 800})
    page.locator("input[type=file]").first.set_input_files(phantom_file)
    expect(page.get_by_text("Behind this result")).to_be_visible()
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    main = page.get_by_test_id("stMain")
    assert main.evaluate("element => element.scrollWidth - element.clientWidth") <= 0


def test_the_first_screen_holds_verdict_picture_ranking_and_measurements(page: Page):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Round, mole-like").first.click()
    expect(page.get_by_text(VERDICT)).to_be_visible()
    page.locator(".frame img").first.wait_for()
    ranking = page.locator(".st-key-ranking .js-plotly-plot")
    ranking.wait_for()
    shown = (
        page.get_by_text(VERDICT),
        page.locator(".frame").first,
        ranking,
        page.get_by_text("Area", exact=True),
    )
    for part in shown:
        expect(part).to_be_in_viewport(ratio=1)
