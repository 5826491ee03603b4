"""Arabic and Hebrew beside Latin names, numbers and addresses: on the screen, in print, and in what is copied."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Account, User
from conversations.models import Conversation, Note
from tests.browser.conftest import Browser
from tests.factories import AGENT, message

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Browse = Callable[..., Browser]
PHONE = "+971 50 123 4567"
ASKED = f"مرحبا، رقمي {PHONE} للتواصل مع Maria من فضلك"
ANSWERED = "שלום Ana, המחיר הוא 40 ל-Parley Pro. ראו https://example.com/plans?a=1"
DATE = "2026-03-12"

PLACES = """([selector, text]) => {
  const walker = document.createTreeWalker(document.querySelector(selector), NodeFilter.SHOW_TEXT);
  const place = (node, at) => {
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    return range.getBoundingClientRect();
  };
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.data.indexOf(text);
    if (at < 0) continue;
    return [...text].map((letter, index) => (letter === " " ? null : place(node, at + index)))
      .filter((box) => box?.width).map(({ x, y }) => [Math.round(y / 8), x]);
  }
}"""
"""Where each character of a text stands: its line, and how far from the left."""


def is_in_order(page: Any, selector: str, text: str) -> bool:
    """Whether a text stands from left to right, line after line."""
    places: list[list[float]] = page.evaluate(PLACES, [selector, text])
    assert len(places) == len(text.replace(" ", "")), selector
    return places == sorted(places)


def side_of(page: Any, selector: str) -> str:
    """At which side of its box the text of an element begins."""
    return str(page.eval_on_selector(selector, "(element) => getComputedStyle(element).direction"))


@pytest.fixture
def layla(alice: User, acme: Account, record: Callable[..., Conversation]) -> Conversation:
    said = [
        message(ASKED, timestamp="2026-01-01T10:00:00Z"),
        message(ANSWERED, role="agent", timestamp="2026-01-01T10:01:00Z"),
        message(f"Call me, please. {PHONE}", timestamp="2026-01-01T10:02:00Z"),
        message(f"الموعد {DATE} أو اتصل على {PHONE}", timestamp="2026-01-01T10:03:00Z"),
    ]
    conversation = record(
        leadPhone=PHONE,
        leadEmail="layla@example.com",
        channel="whatsapp",
        messages=said,
        summary=f"تريد ليلى 40 مقعدًا، رقمها {PHONE}",
        qualificationResult={"qualified": True, "reason": "الميزانية معتمدة من Acme Ltd."},
        currentStageName="التسعير",
    )
    acme.agents.live().get(agent_config_id=AGENT).rename(by=alice, name="נועה Bot")
    conversation.change_status("handed_off", by=alice, reason="تريد خصمًا 10% من Acme")
    Note.objects.write(conversation, f"اتصل بها على {PHONE} غدًا", by=alice)
    return conversation


def test_a_thread_keeps_each_text_in_its_own_direction(alice: User, layla: Conversation, browse: Browse) -> None:
    browser = browse(alice)
    page = browser.open(f"/conversations/{layla.pk}/")
    for width in (1440, 390):
        browser.shape(width, "light")
        for number, direction in ((1, "rtl"), (2, "rtl"), (3, "ltr"), (4, "rtl")):
            assert side_of(page, f"#m-{number} .message__text") == direction
        for place in ("#m-1 .message__text", "#m-3 .message__text", "#m-4 .message__text", ".note__text"):
            assert is_in_order(page, place, PHONE), (width, place)
        assert is_in_order(page, "#m-4 .message__text", DATE)
        assert is_in_order(page, "#m-1 .message__text", "Maria")
        assert is_in_order(page, "#m-2 .message__text", "https://example.com/plans?a=1")
        assert is_in_order(page, ".facts__text", PHONE)
        assert is_in_order(page, "#lead", PHONE)
        # What stands around a text stays where it is in an English page.
        assert is_in_order(page, ".event--status", "Handed off")
        assert not browser.is_wider_than_its_window()
    assert browser.violations() == []


def test_print_keeps_it_too(alice: User, layla: Conversation, browse: Browse) -> None:
    page = browse(alice).open(f"/conversations/{layla.pk}/?all=1&notes=1")
    page.emulate_media(media="print")
    for place in ("#m-1 .message__text", "#m-4 .message__text", ".note__text", ".facts__text"):
        assert is_in_order(page, place, PHONE), place
    assert side_of(page, "#m-1 .message__text") == "rtl"
    assert page.pdf()[:4] == b"%PDF"


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_a_list_keeps_its_cells_apart(alice: User, layla: Conversation, browse: Browse, direction: str) -> None:
    alice.columns = ["channel", "status", "stage", "agent", "last_message", "updated"]
    alice.save()
    page = browse(alice).open("/conversations/?search=اتصل")
    page.evaluate("(direction) => { document.documentElement.dir = direction; }", direction)
    assert side_of(page, ".row__said") == "rtl"
    assert is_in_order(page, "td.rows__lead .row__detail", PHONE)
    assert is_in_order(page, "td.rows__lead", "layla@example.com")
    assert is_in_order(page, "td.rows__agent", "Bot")
    assert is_in_order(page, ".row__found", PHONE)
    assert page.locator(".row__found mark").inner_text() == "اتصل"


def test_what_is_copied_keeps_its_lines_apart(alice: User, layla: Conversation, browse: Browse) -> None:
    page = browse(alice).open(f"/conversations/{layla.pk}/text/")
    text = page.inner_text("pre")
    assert f"Lead: \u2068{ASKED}\u2069" in text
    assert f"Lead: Call me, please. {PHONE}" in text
    assert f"Phone: {PHONE}" in text
    assert "AI agent (\u2068נועה Bot\u2069): " in text


def test_the_analytics_name_agents_and_stages(alice: User, layla: Conversation, browse: Browse) -> None:
    page = browse(alice).open("/analytics/")
    names = page.eval_on_selector_all("th bdi", "(all) => all.map((one) => one.textContent)")
    assert "נועה Bot" in names
    assert "التسعير" in names
