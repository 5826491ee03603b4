"""What only the real server shows: what a first visit weighs, that nothing moves, and the headers of all answers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import POLICY, SHIFTED, WATCH, parts_of
from tests.browser.demo import Demo, demo, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.server]

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
MOST = 120_000  # bytes of a first visit, compressed


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture
def page(chromium: Any, server: Demo) -> Iterator[Any]:
    context = chromium.new_context(base_url=server.address)
    context.add_init_script(WATCH)
    page = context.new_page()
    sign_in(page, server)
    yield page
    context.close()


def weigh(page: Any, path: str) -> int:
    """Bytes over the wire for a page and all that it needs, nothing of it known before."""
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[int] = []
    network.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    network.on(
        "Network.responseReceived",
        lambda e: print(e["requestId"], e["response"]["url"], e["response"]["headers"].get("content-encoding")),
    )
    network.on("Network.loadingFinished", lambda e: print(e["requestId"], e["encodedDataLength"]))
    page.goto(path, wait_until="networkidle")
    network.detach()
    return sum(sizes)


def test_what_pages_share_is_light(page: Any, server: Demo) -> None:
    page.context.clear_cookies()
    assert 5_000 < weigh(page, "/login/") <= 40_000


def test_first_visit_is_light(page: Any) -> None:
    weight = weigh(page, "/conversations/")
    assert page.locator(".row").count() == 50
    assert weight <= MOST, f"{weight:,} bytes"


def moved_at(page: Any, width: int, path: str) -> float:
    """How much of the window moved by itself while the page loaded."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(path, wait_until="networkidle")
    page.wait_for_timeout(100)
    return sum(value for value, _ in page.evaluate(SHIFTED))


def test_nothing_moves_while_a_page_loads(page: Any) -> None:
    for width in (390, 1440):
        for path in ("/conversations/", "/conversations/?search=price", "/settings/names/"):
            assert moved_at(page, width, path) < 0.01, (width, path)


def test_nothing_moves_while_a_transcript_of_the_demo_loads(page: Any) -> None:
    links = []
    for path in ("/conversations/", "/conversations/?search=price"):
        page.goto(path)
        links.append(page.locator(".row__link").first.get_attribute("href"))
    for link in links:
        for width in (390, 1440):
            assert moved_at(page, width, link) < 0.01, (width, link)


def test_every_answer_carries_every_header(page: Any) -> None:
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))
    for path in ("/conversations/", "/settings/preferences/", "/nothing", f"/conversations/{'a' * 24}/", "/api/docs"):
        page.goto(path, wait_until="networkidle")
    files = {answer.url for answer in answers if "/static/" in answer.url}
    asked = page.context.request
    paths = ["/", "/login/", "/nothing", "/api/schema", "/api/conversations", "/api/nothing", "/static/nothing.css"]
    paths += ["/admin/login/", "/conversations/new/?since=x", "/conversations/export/?format=csv", "/settings/theme/"]
    answers += [asked.get(path, max_redirects=0) for path in paths]
    answers += [asked.post(path, max_redirects=0) for path in ("/logout/", "/settings/theme/", "/conversations/")]
    statuses = {answer.status for answer in answers}
    assert len(files) >= 5
    scripts = [url for url in files if url.endswith(".js")]
    assert any("copy." in url for url in scripts)  # which a script imports
    assert all(re.search(r"\.[0-9a-f]{12}\.js$", url) for url in scripts), scripts
    assert {200, 301, 302, 400, 401, 403, 404, 405} - {301} <= statuses
    for answer in answers:
        told = answer.headers
        assert parts_of(told["content-security-policy"]) == parts_of(POLICY), answer.url
        assert {name: told.get(name) for name in HEADERS} == HEADERS, answer.url
        assert told["server"] == "parley"
        assert "x-powered-by" not in told
        assert len(told["x-request-id"]) == 32, answer.url
        if "/static/" not in answer.url:
            assert told["cache-control"] == "private, no-store", answer.url
        elif answer.status == 200 and re.search(r"\.[0-9a-f]{12}\.", answer.url):
            assert "immutable" in told["cache-control"], answer.url


def test_screenshots_can_be_taken(tmp_path: Path, server: Demo, chromium: Any) -> None:
    from tests.browser.screenshots import shoot

    written = shoot(chromium, server, tmp_path, widths=(390,), schemes=("dark",))
    assert len(written) >= 5
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
