"""The page of the API's description, in a real browser: Swagger UI under our policy, without another server."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import SCHEMES, WIDTHS

pytestmark = pytest.mark.browser


def test_docs_page_shows_every_operation_and_breaks_no_policy(browse: Callable[..., Any]) -> None:
    browser = browse()
    page = browser.open("/api/docs")
    page.wait_for_selector(".opblock")
    assert page.locator("h3.opblock-tag").first.inner_text() == "Conversations"
    assert page.locator(".opblock").count() >= 16
    page.click("#operations-Conversations-listConversations .opblock-summary-control")
    page.wait_for_selector("text=Search conversations by lead phone, email, or message content")
    for width in WIDTHS:
        for scheme in SCHEMES:
            browser.shape(width, scheme)
            page.wait_for_function(
                "(dark) => document.documentElement.classList.contains('dark-mode') === dark", arg=scheme == "dark"
            )
            assert not browser.is_wider_than_its_window(), (width, scheme)
    assert browser.violations() == []


def test_docs_page_calls_the_api_with_the_readers_key(browse: Callable[..., Any], api: Any, record: Any) -> None:
    record(leadPhone="+1 (555) 010-7777")
    browser = browse()
    page = browser.open("/api/docs")
    page.wait_for_selector(".opblock")
    page.click(".authorize")
    page.fill("#api_key_value", api.token)
    page.locator(".modal-btn.authorize").first.click()
    page.click(".btn-done")
    page.click("#operations-Conversations-listConversations .opblock-summary-control")
    page.click("#operations-Conversations-listConversations .execute")
    page.wait_for_selector("text=+1 (555) 010-7777")
    assert browser.violations() == []
