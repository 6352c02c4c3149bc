"""Errors first in a real browser: the arrow keys and the address."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser


@pytest.fixture
def errors(page: Page, app_url: str) -> Page:
    """The first sure mistake of the shipped run."""
    page.goto(f"{app_url}/evaluate?show=Errors+first")
    expect(position(page, 1)).to_be_visible()
    settle(page)
    return page


def press(page: Page, key: str, number: int) -> None:
    """Press a key and wait for the case with this number."""
    page.keyboard.press(key)
    expect(position(page, number)).to_be_visible()
    settle(page)


def position(page: Page, number: int):
    return page.get_by_text(re.compile(rf"^{number} of [\d,]+$"))


def image(page: Page) -> str:
    return page.get_by_role("heading", name=re.compile("^ISIC_")).inner_text()


def test_arrow_keys_go_through_the_cases(errors: Page):
    first = image(errors)
    press(errors, "ArrowRight", 2)
    expect(errors.get_by_role("heading", name=first)).to_have_count(0)
    press(errors, "ArrowRight", 3)
    press(errors, "ArrowLeft", 2)
    press(errors, "ArrowLeft", 1)
    expect(errors.get_by_role("heading", name=first)).to_be_visible()


def test_link_reopens_the_case(errors: Page):
    press(errors, "ArrowRight", 2)
    expect(errors).to_have_url(re.compile("position=2"))
    second = image(errors)
    errors.reload()
    expect(position(errors, 2)).to_be_visible()
    expect(errors.get_by_role("heading", name=second)).to_be_visible()
