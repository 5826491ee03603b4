"""The transcript in a browser: going to messages, hits, stages and neighbours, keys, copying and printing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.models import Account, AuditEvent, User
from conversations.models import Conversation, Note
from tests.browser.conftest import WIDTHS, Browser, until
from tests.factories import message

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Browse = Callable[..., Browser]
Record = Callable[..., Conversation]
START = datetime(2026, 1, 1, tzinfo=UTC)
IN_VIEW = """(id) => {
  const top = document.getElementById(id).getBoundingClientRect().top;
  return top >= document.querySelector(".transcript-head").getBoundingClientRect().bottom && top < innerHeight;
}"""
"""Whether an element begins under the head and above the window's end."""


def transcript_of(conversation: Conversation) -> str:
    return f"/conversations/{conversation.pk}/"


def long_one(record: Record, number: int = 5_000) -> Conversation:
    messages: list[dict[str, Any]] = [
        message(
            f"Message {one} {'lorem ipsum ' * (one % 20)}{'price' if one % 1_000 == 50 else ''}",
            role="agent" if one // 2 % 2 else "lead",
            timestamp=(START + timedelta(minutes=one * 7)).isoformat().replace("+00:00", "Z"),
        )
        for one in range(1, number + 1)
    ]
    return record(messages=messages, currentStageName="Greeting")


@pytest.fixture
def ana(alice: User, acme: Account, record: Record) -> Conversation:
    said = [
        message(
            f"Message {number} " + "lorem ipsum " * 30,
            role="agent" if number % 2 else "lead",
            timestamp=(START + timedelta(minutes=number)).isoformat().replace("+00:00", "Z"),
        )
        for number in range(60)
    ]
    conversation = record(leadEmail="ana@example.com", currentStageName="Greeting", messages=said)
    for minutes, name in ((20, "Needs"), (40, "Pricing")):
        conversation.update_details({"current_stage_name": name}, by=None)
        entry = AuditEvent.objects.filter(action="conversation.details_updated").latest("id")
        AuditEvent.objects.filter(pk=entry.pk).update(timestamp=START + timedelta(minutes=minutes, seconds=30))
    return conversation


def test_everything_on_the_page_fits_every_width(alice: User, ana: Conversation, browse: Browse) -> None:
    Note.objects.write(ana, "Call her " * 50 + "w" * 500, by=alice)
    ana.change_status("dropped", by=alice, reason="w" * 500)
    browser = browse(alice)
    for query in ("", "?find=lorem&status=dropped", "?wanted=completed&reason=x", "?all=1&notes=1"):
        page = browser.open(f"{transcript_of(ana)}{query}")
        for width in WIDTHS:
            browser.shape(width, "light")
            for opened in (".act >> nth=1", ".way .menu"):
                page.click(f"{opened} >> summary")
                assert not browser.is_wider_than_its_window(), (query, width, opened)
                page.keyboard.press("Escape")
        assert browser.violations() == []


def test_a_search_leads_to_its_first_hit_and_on(alice: User, acme: Account, record: Record, browse: Browse) -> None:
    messages = [message("price" if number in (80, 120) else f"word {number}") for number in range(200)]
    conversation = record(messages=messages)
    page = browse(alice).open(f"{transcript_of(conversation)}?search=price")
    page.wait_for_url("**#m-81")
    place = page.locator("[data-hit-status]")
    expect(place).to_have_text("1 of 2", use_inner_text=True)
    page.keyboard.press("n")
    page.wait_for_url("**#m-121")
    expect(place).to_have_text("2 of 2", use_inner_text=True)
    until(page, IN_VIEW, argument="m-121")
    page.keyboard.press("p")
    page.wait_for_url("**#m-81")


def test_a_long_thread_opens_at_its_end_or_at_the_message_asked_for(
    alice: User, acme: Account, record: Record, browse: Browse
) -> None:
    path = transcript_of(long_one(record))
    page = browse(alice).open(path)
    assert page.locator(".message").count() == 500
    assert page.locator("#m-5000").is_visible()
    until(page, "scrollY > 1_000")
    # An address that knows only the message, such as one from before the thread was long
    page = browse(alice).open(f"{path}#m-321")
    page.wait_for_url("**?at=321#m-321")
    until(page, IN_VIEW, argument="m-321")
    page.wait_for_timeout(300)  # runs that come into view take their real height, and it stays
    until(page, IN_VIEW, argument="m-321")
    page.click("text=Load later")
    page.wait_for_url("**?at=571#m-571")
    until(page, IN_VIEW, argument="m-571")
    # On the page a permalink goes there without loading; the address leads there for others too.
    page.evaluate("window.isTheSame = true")
    page.click("#m-580 .message__time")
    page.wait_for_url("**?at=580#m-580")
    assert page.evaluate("window.isTheSame")


def test_hits_outside_of_the_page_are_gone_to(alice: User, acme: Account, record: Record, browse: Browse) -> None:
    page = browse(alice).open(transcript_of(long_one(record)))
    page.keyboard.press("/")
    page.keyboard.type("PRICE")
    page.keyboard.press("Enter")
    page.wait_for_url("**#m-50")
    place = page.locator("[data-hit-status]")
    expect(place).to_have_text("1 of 5", use_inner_text=True)
    page.keyboard.press("p")
    page.wait_for_url("**&at=4050#m-4050")
    expect(place).to_have_text("5 of 5", use_inner_text=True)
    page.keyboard.press("n")
    page.wait_for_url("**&at=50#m-50")


def test_keys_walk_the_stages(alice: User, ana: Conversation, browse: Browse) -> None:
    page = browse(alice).open(transcript_of(ana))
    page.keyboard.press("]")
    until(page, IN_VIEW, argument="e-1")
    assert not page.evaluate(IN_VIEW, "e-2")
    page.keyboard.press("]")
    until(page, IN_VIEW, argument="e-2")
    page.keyboard.press("[")
    until(page, IN_VIEW, argument="e-1")


def test_keys_walk_the_list_one_came_from(alice: User, acme: Account, record: Record, browse: Browse) -> None:
    first, second = (record(messages=[], updatedAt=f"2026-03-1{day}T00:00:00Z") for day in (2, 1))
    record(messages=[], status="dropped", updatedAt="2026-03-11T12:00:00Z")
    page = browse(alice).open(f"{transcript_of(first)}?status=active")
    assert page.inner_text(".neighbours__place") == "1 of 2"
    page.keyboard.press("j")
    page.wait_for_url(f"**{transcript_of(second)}?status=active")
    page.keyboard.press("k")
    page.wait_for_url(f"**{transcript_of(first)}?status=active")
    page.keyboard.press("u")
    page.wait_for_url(f"**/conversations/?status=active#c-{first.pk}")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_note_and_a_change_of_status(alice: User, ana: Conversation, browse: Browse, scripts: bool) -> None:
    page = browse(alice, java_script_enabled=scripts).open(f"{transcript_of(ana)}?status=active")
    if scripts:
        page.keyboard.press("m")
        page.keyboard.type("Call her j k n")
    else:
        page.fill("#note-text", "Call her j k n")
    page.click("text=Add note")
    page.wait_for_url("**#note-*")
    expect(page.locator(".note", has_text="Call her j k n")).to_be_visible()
    page.click(".note >> text=Remove")
    page.click("text=Remove this note")
    page.wait_for_url("**#write")
    expect(page.locator(".note")).to_have_count(0)
    page.click("summary:has-text('Hand off')")
    expect(page.locator("text=the AI stops answering")).to_be_visible()
    page.fill("#reason-handed_off", "wants a discount")
    page.click("form:has(#reason-handed_off) >> button")
    expect(page.locator(".pill--handed_off")).to_be_visible()
    expect(page.locator(".event--status")).to_contain_text("wants a discount")
    assert page.url.endswith(f"{transcript_of(ana)}?status=active")


def test_the_conversation_is_copied_as_text_and_its_link(alice: User, ana: Conversation, browse: Browse) -> None:
    browser = browse(alice, permissions=["clipboard-read", "clipboard-write"])
    browser.stop_clock()  # what says that it was copied does so for a moment
    page = browser.open(f"{transcript_of(ana)}#m-7")
    page.keyboard.press("c")
    expect(page.locator(".way__copy >> text=Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"{transcript_of(ana)}#m-7")
    page.click(".way .menu summary")
    page.click("[data-copy-text]")
    expect(page.locator("[data-copy-text] >> text=Copied")).to_be_visible()
    text = page.evaluate("navigator.clipboard.readText()")
    assert "ana@example.com" in text
    assert "Lead: Message 58" in text


def test_print_has_no_chrome_and_notes_only_if_ticked(alice: User, ana: Conversation, browse: Browse) -> None:
    Note.objects.write(ana, "Call her", by=alice)
    page = browse(alice).open(transcript_of(ana))
    page.evaluate("() => { window.print = () => (window.printed = (window.printed ?? 0) + 1); }")
    page.click(".way .menu summary")
    page.check("[data-print-notes]")
    page.click("[data-print-label]")
    assert page.evaluate("window.printed") == 1
    page.emulate_media(media="print")
    for hidden in (".header", ".way", ".stages", ".acts", ".write"):
        assert page.locator(hidden).is_hidden(), hidden
    assert page.locator("text=Call her").is_visible()
    page.emulate_media(media="screen")
    page.click(".way .menu summary")
    page.uncheck("[data-print-notes]")
    page.emulate_media(media="print")
    assert page.locator("text=Call her").is_hidden()
    assert page.pdf()[:4] == b"%PDF"
