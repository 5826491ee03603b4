"""Real pages in a real browser: Debian's Chromium, driven by Playwright against Django's live server."""

import os
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Error, expect

from accounts.models import Account, User
from conversations.models import Conversation
from tests.browser.looks import CHROMIUM as CHROMIUM
from tests.browser.looks import QUIET as QUIET
from tests.browser.looks import SCHEMES as SCHEMES
from tests.browser.looks import WIDTHS as WIDTHS
from tests.browser.pages import World, make_world

PATIENCE = 20_000  # milliseconds for whatever a page does by itself, on a busy machine
expect.set_options(timeout=PATIENCE)
WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => {
  violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
window.shifts = [];
new PerformanceObserver((list) => shifts.push(...list.getEntries())).observe({ type: "layout-shift", buffered: true });
"""
SHIFTED = """shifts.filter((shift) => !shift.hadRecentInput).map((shift) =>
  [shift.value, shift.sources.map(({ node }) => node && (node.id || node.className || node.nodeName)).join(" ")])"""
POLICY = "; ".join(
    (
        "default-src 'none'",
        "base-uri 'none'",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "img-src 'self' data:",
        "object-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
    )
)


def parts_of(policy: str) -> list[str]:
    """The directives of a Content-Security-Policy, whatever their order."""
    return sorted(part.strip() for part in policy.split(";"))


def until(page: Any, expression: str, wanted: Any = True, argument: Any = None) -> None:
    """Wait for a value for which ``expect`` has no word, asked from outside of the page and of its policy."""
    end = time.monotonic() + PATIENCE / 1_000
    while (found := _value(page, expression, argument)) != wanted:
        assert time.monotonic() < end, f"{expression} is {found!r} and not {wanted!r}"
        page.wait_for_timeout(20)


def _value(page: Any, expression: str, argument: Any) -> Any:
    try:
        return page.evaluate(expression, argument)
    except Error as error:  # as when the page goes, or does not yet have what is asked for
        return error


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
        self.status: int | None = None
        self.refused: set[str] = set()
        self.session = ""
        self.context = chromium.new_context(base_url=address, **{"reduced_motion": "reduce", **options})
        self.context.add_init_script(WATCH)
        if user:
            client = Client()
            client.force_login(user)
            self.session = client.cookies[settings.SESSION_COOKIE_NAME].value
            self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": self.session, "url": address}])
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("dialog", self._on_dialog)
        self.page.on("request", self._on_request)
        self.page.on("response", self._on_response)

    def open(self, path: str) -> Any:
        """The page at ``path``, loaded, its scripts run."""
        response = self.page.goto(path, wait_until="load")
        self.status = response.status if response else None
        if self.status and self.status >= 400:  # the browser says so too, as of anything that could not be loaded
            self.refused.add(f"{self.address}{path.partition('#')[0]}")
            self.faults = [fault for fault in self.faults if not self._is_refusal(fault)]
        return self.page

    def stop_clock(self) -> None:
        """For the pages that are opened from now on time goes by only with ``page.clock.run_for``."""
        self.page.clock.install(time=0)
        self.page.clock.pause_at(3_600)

    def look_at(self, environment: str) -> None:
        """From now on at live or at test data, without the click on the switch."""
        store = import_module(settings.SESSION_ENGINE).SessionStore(self.session)
        store["environment"] = environment
        store.save()

    def shape(self, width: int, scheme: str) -> None:
        """Another window and another theme for the page that is open."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=scheme)
        until(self.page, f"[innerWidth, matchMedia('(prefers-color-scheme: {scheme})').matches]", [width, True])

    def violations(self) -> list[str]:
        found: list[str] = self.page.evaluate("window.violations")
        return found

    def shifted(self) -> list[list[Any]]:
        """What moved by itself while the page loaded: each time how far, and what."""
        found: list[list[Any]] = self.page.evaluate(SHIFTED)
        return found

    def look(self) -> tuple[bool, bool]:
        """Whether the page is wider than its window, and whether it is dark."""
        is_wide, canvas = self.page.evaluate(
            """[document.documentElement.scrollWidth > innerWidth, getComputedStyle(document.body).backgroundColor]"""
        )
        return is_wide, sum(map(int, canvas[4:-1].split(","))) < 384

    def is_wider_than_its_window(self) -> bool:
        wide: bool = self.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        return wide

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            fault = f"console: {message.text} {message.location.get('url', '')}"
            if not self._is_refusal(fault):
                self.faults.append(fault)

    def _is_refusal(self, fault: str) -> bool:
        """What was asked for on purpose, and the icon that browsers look for beside a plain text."""
        address = fault.rpartition(" ")[2]
        asked = address in self.refused or address.endswith("/favicon.ico")
        return asked and "responded with a status of" in fault

    def _on_dialog(self, dialog: Any) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _on_request(self, request: Any) -> None:
        if request.url.startswith("data:") or urlsplit(request.url).netloc == urlsplit(self.address).netloc:
            return
        self.faults.append(f"request: {request.url}")

    def _on_response(self, response: Any) -> None:
        # Here static files come from Django's test server, past our middleware; test_real_server.py looks at theirs.
        if response.url.startswith(f"{self.address}{settings.STATIC_URL}") or not response.url.startswith(self.address):
            return
        if parts_of(response.headers.get("content-security-policy", "")) != parts_of(POLICY):
            self.faults.append(f"policy: {response.url}")


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


@pytest.fixture
def world(alice: User, bob: User, acme: Account, record: Callable[..., Conversation], transactional_db: None) -> World:
    return make_world(alice, bob, acme, record)
