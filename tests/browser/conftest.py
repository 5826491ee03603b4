"""Real pages in a real browser: Debian's Chromium, driven by Playwright against Django's live server."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WATCH_CSP = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => {
  violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    if not CHROMIUM:
        message = "Chromium is not installed: apt-get install chromium, or name it in CHROMIUM"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread, in which Django would refuse to touch the database.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Browser:
    """A browser of one person. ``faults`` gathers what must never happen on any page."""

    def __init__(self, chromium: Any, address: str, user: User | None, **options: Any) -> None:
        self.address = address
        self.faults: list[str] = []
        self.context = chromium.new_context(base_url=address, **options)
        self.context.add_init_script(WATCH_CSP)
        if user:
            client = Client()
            client.force_login(user)
            value = client.cookies[settings.SESSION_COOKIE_NAME].value
            self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": address}])
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("dialog", self._on_dialog)
        self.page.on("request", self._on_request)

    def open(self, path: str) -> Any:
        """The page at ``path``, loaded, its scripts run."""
        response = self.page.goto(path, wait_until="load")
        self.status = response.status if response else None
        return self.page

    def violations(self) -> list[str]:
        found: list[str] = self.page.evaluate("window.violations")
        return found

    def is_wider_than_its_window(self) -> bool:
        wide: bool = self.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        return wide

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")

    def _on_dialog(self, dialog: Any) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _on_request(self, request: Any) -> None:
        if request.url.startswith("data:") or urlsplit(request.url).netloc == urlsplit(self.address).netloc:
            return
        self.faults.append(f"request: {request.url}")


@pytest.fixture
def browse(chromium: Any, live_server: Any) -> Iterator[Callable[..., Browser]]:
    """``browse(alice, color_scheme="dark")``: a browser; at the end of the test none may have seen a fault."""
    opened: list[Browser] = []

    def inner(user: User | None = None, **options: Any) -> Browser:
        opened.append(Browser(chromium, live_server.url, user, **options))
        return opened[-1]

    yield inner
    for browser in opened:
        browser.context.close()
    assert [fault for browser in opened for fault in browser.faults] == []
