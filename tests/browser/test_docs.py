"""The page of the API's description, in a real browser: Swagger UI under our policy, without another server."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SCHEMES, WIDTHS, until

pytestmark = pytest.mark.browser


def test_docs_page_shows_every_operation_and_breaks_no_policy(browse: Callable[..., Any]) -> None:
    browser = browse()
    page = browser.open("/api/docs")
    expect(page.locator("h3.opblock-tag").first).to_have_text("Conversations", use_inner_text=True)
    until(page, "document.querySelectorAll('.opblock').length >= 16")
    page.click("#operations-Conversations-listConversations .opblock-summary-control")
    expect(page.locator("text=Search conversations by lead phone, email, or message content")).to_be_visible()
    for width in WIDTHS:
        for scheme in SCHEMES:
            browser.shape(width, scheme)
            until(page, "document.documentElement.classList.contains('dark-mode')", scheme == "dark")
            assert not browser.is_wider_than_its_window(), (width, scheme)
    assert browser.violations() == []


def test_docs_page_calls_the_api_with_the_readers_key(browse: Callable[..., Any], api: Any, record: Any) -> None:
    record(leadPhone="+1 (555) 010-7777")
    browser = browse()
    page = browser.open("/api/docs")
    page.click(".authorize")
    page.fill("#api_key_value", api.token)
    page.locator(".modal-btn.authorize").first.click()
    page.click(".btn-done")
    page.click("#operations-Conversations-listConversations .opblock-summary-control")
    page.click("#operations-Conversations-listConversations .execute")
    expect(page.locator("text=+1 (555) 010-7777").first).to_be_visible()
    assert browser.violations() == []
