"""What scripts add: keys, selecting, the notice of what is new, coming back, copying, printing."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.models import User
from conversations.models import Conversation
from tests.browser.conftest import Browser, until
from tests.browser.pages import World
from tests.factories import message

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Browse = Callable[..., Browser]
FOCUSED = "document.activeElement.closest('.row')?.id"
CHECKED = "[...document.querySelectorAll('.row__check')].map((box) => box.checked)"
LOOK = "() => document.dispatchEvent(new Event('visibilitychange'))"  # as on coming back to the window
BEGINS = """(id) => {
  const { top } = document.getElementById(id).getBoundingClientRect();
  return top >= 0 && top < innerHeight;
}"""  # within the window
PLACES = "[...document.querySelectorAll('.row')].map((row) => [row.id, row.getBoundingClientRect().top])"


def test_keys_of_the_list_walk_select_open_and_choose(world: World, browse: Browse) -> None:
    browser = browse(world.people["owner"])
    page = browser.open("/conversations/")
    rows = page.eval_on_selector_all(".row", "rows => rows.map(row => row.id)")
    for key, row in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        assert page.evaluate(FOCUSED) == rows[row]
    page.keyboard.press("x")
    assert page.evaluate(CHECKED)[:3] == [False, True, False]
    page.keyboard.press("x")
    assert not any(page.evaluate(CHECKED))
    for number, status in enumerate(("", "active", "handed_off", "completed", "dropped"), start=1):
        with page.expect_navigation(url=f"**/conversations/{f'?status={status}' if status else ''}"):
            page.keyboard.press(str(number))  # the first leads to where the page is already
        assert page.locator(".tabs [aria-current]").get_attribute("data-key") == str(number)
    page.keyboard.press("Shift+?")
    assert page.locator("#shortcuts").is_visible()
    page.keyboard.press("j")
    assert page.evaluate(FOCUSED) is None, "a dialog keeps its keys"
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()
    for key in ("Control+j", "Alt+j", "Meta+j"):
        page.keyboard.press(key)
    assert page.evaluate(FOCUSED) is None, "with a modifier they are the browser's"
    page.keyboard.press("j")
    opened = page.evaluate(FOCUSED).removeprefix("c-")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/conversations/{opened}/?status=dropped")
    page.keyboard.press("u")
    page.wait_for_url(f"**/conversations/?status=dropped#c-{opened}")


def test_keys_walk_through_choices_before_one_is_applied(world: World, browse: Browse) -> None:
    page = browse(world.people["owner"]).open("/conversations/")
    page.focus("[name=channel]")
    assert not page.locator(".filters__apply").is_visible()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert page.input_value("[name=channel]") == "email"
    assert page.locator(".filters__apply").is_visible()
    assert page.url.endswith("/conversations/"), "arrows alone lead nowhere"
    page.keyboard.press("Enter")
    page.wait_for_url("**/conversations/?channel=email")


def test_each_choice_is_applied_at_once(world: World, browse: Browse) -> None:
    page = browse(world.people["owner"]).open("/conversations/")
    page.select_option("[name=channel]", "email")
    page.wait_for_url("**/conversations/?channel=email")
    page.check("[name=unread]")
    page.wait_for_url("**/conversations/?channel=email&unread=true")


def test_keys_are_letters_while_typing(world: World, browse: Browse) -> None:
    browser = browse(world.people["owner"])
    page = browser.open(f"/conversations/{world.ids['ana']}/?status=handed_off")
    before = page.url
    keys = "jkxunpmc[]12345?/"
    page.keyboard.press("m")
    page.keyboard.type(keys)
    assert page.input_value("#note-text") == keys
    page.keyboard.press("Tab")
    page.keyboard.press("/")
    page.keyboard.type(keys)
    assert page.input_value("#find") == keys
    page.click(".act summary >> nth=0")
    expect(page.locator(".act[open] textarea")).to_be_focused()
    page.keyboard.type(keys)
    assert page.locator(".act[open] textarea").input_value() == keys
    assert page.url == before
    assert page.locator("#shortcuts").is_hidden()


def test_keys_do_nothing_for_who_does_not_want_them(world: World, browse: Browse, alice: User) -> None:
    alice.shortcuts = False
    alice.save()
    browser = browse(alice)
    page = browser.open("/conversations/")
    for key in "jx5?/":
        page.keyboard.press(key)
    assert page.evaluate(FOCUSED) is None
    assert page.url.endswith("/conversations/")
    assert page.locator("#shortcuts").is_hidden()
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    page = browser.open(f"/conversations/{world.ids['ana']}/")
    for key in "jkunmc":
        page.keyboard.press(key)
    assert page.url.endswith(f"{world.ids['ana']}/")
    page.click("[data-open=shortcuts]")
    assert page.locator("[data-shortcuts-on]").is_checked() is False


def test_what_is_new_is_told_and_no_row_moves(world: World, browse: Browse) -> None:
    browser = browse(world.people["analyst"])
    page = browser.open("/conversations/")
    bar, told = page.locator(".live__link"), page.locator("[data-live-text]")
    assert bar.is_hidden()
    with page.expect_response("**/conversations/new/**") as asked:
        page.evaluate(LOOK)
    assert asked.value.json()["count"] == 0
    expect(told).to_have_text("0 new or changed conversations")
    assert bar.is_hidden()
    before = page.evaluate(PLACES)
    silent = Conversation.objects.get(pk=world.ids["silent"])
    silent.append([message("Anybody there?")], by=None)
    with page.expect_response("**/conversations/new/**"):
        page.evaluate(LOOK)
    expect(bar).to_be_visible()
    expect(bar).to_have_text("1 new or changed conversation, show", use_inner_text=True)
    assert page.evaluate(PLACES) == before
    with page.expect_response("**/conversations/new/**") as asked:
        page.evaluate(LOOK)
    assert asked.value.status in (200, 304)
    assert bar.is_visible()
    bar.click()
    expect(page.locator(".row").first).to_have_id(f"c-{silent.pk}")
    expect(bar).to_be_hidden()


def test_the_question_for_news_comes_by_itself_while_the_page_is_seen(world: World, browse: Browse) -> None:
    browser = browse(world.people["analyst"])
    browser.stop_clock()
    page = browser.open("/conversations/")
    Conversation.objects.get(pk=world.ids["silent"]).append([message("Hello?")], by=None)
    page.clock.run_for(20_000)
    assert page.locator(".live__link").is_hidden()
    page.clock.run_for(6_000)
    expect(page.locator(".live__link")).to_be_visible()


def test_rows_are_selected_one_by_one_in_a_row_and_all(world: World, browse: Browse) -> None:
    browser = browse(world.people["operator"])
    page = browser.open("/conversations/")
    boxes, number = page.locator(".row__check"), page.locator("[data-bulk-number]")
    assert page.locator("#bulk").is_hidden()
    boxes.nth(1).click()
    boxes.nth(5).click(modifiers=["Shift"])
    assert page.evaluate(CHECKED)[:7] == [False, True, True, True, True, True, False]
    assert number.inner_text() == "5 selected"
    head = page.locator("[data-check-page]")
    assert head.evaluate("box => box.indeterminate")
    boxes.nth(3).click(modifiers=["Shift"])
    assert page.evaluate(CHECKED)[:7] == [False, True, True, False, False, False, False]
    head.click()
    assert number.inner_text() == "50 selected"
    assert not page.locator("[data-bulk-all]").is_checked()
    page.check("[data-bulk-all]")
    assert number.inner_text() == "All selected"
    boxes.nth(0).click()
    assert not page.locator("[data-bulk-all]").is_checked()
    assert number.inner_text() == "49 selected"
    page.click("#bulk >> text=Clear")
    expect(number).to_have_text("0 selected")
    expect(page.locator("#bulk")).to_be_hidden()
    boxes.nth(0).click()
    page.check("[data-bulk-all]")
    page.click("#bulk >> text=Mark completed")
    total = Conversation.objects.filter(account=world.account, environment="live")
    different = total.exclude(status="completed").count()
    expect(page.locator("h1")).to_have_text(f"Mark {different} conversations completed?", use_inner_text=True)
    page.click(".confirm [type=submit]")
    expect(page.locator("text=marked completed")).to_be_visible()
    page.click("text=Undo")
    expect(page.locator(f"text=Undone: {different} conversations as before.")).to_be_visible()


def test_back_leads_to_the_same_list_at_the_same_place(world: World, browse: Browse) -> None:
    browser = browse(world.people["owner"])
    page = browser.open("/conversations/?sort=-messageCount")
    last = page.locator(".row").nth(48)
    pk = (last.get_attribute("id") or "").removeprefix("c-")
    last.locator(".row__link").click()
    page.wait_for_url(f"**/conversations/{pk}/?sort=-messageCount")
    page.go_back()
    page.wait_for_url("**/conversations/?sort=-messageCount")
    until(page, "scrollY > 0")  # the browser's own way back
    page.go_forward()
    page.click(".back")
    page.wait_for_url(f"**/conversations/?sort=-messageCount#c-{pk}")
    until(page, BEGINS, argument=f"c-{pk}")


def test_values_and_calls_are_copied(world: World, browse: Browse) -> None:
    browser = browse(world.people["owner"], permissions=["clipboard-read", "clipboard-write"])
    browser.stop_clock()  # what says that it was copied does so for a moment
    clip = "navigator.clipboard.readText()"
    page = browser.open(f"/conversations/{world.ids['ana']}/")
    for label, text in (
        ("Copy phone", "+55 11 98888-0123"),
        ("Copy e-mail", "ana@example.com"),
        ("Copy lead id", "lead-of-ana"),
    ):
        page.click(f"[data-copy][title='{label}']")
        expect(page.locator("[data-copy].is-done")).to_be_visible()
        assert page.evaluate(clip) == text
        page.clock.run_for(1_500)
        expect(page.locator("[data-copy].is-done")).to_have_count(0)
    page = browser.open("/conversations/?channel=email")
    page.click("summary >> text=Export")
    page.click("[data-copy-from=api-call]")
    expect(page.locator("[data-copy-from] >> text=Copied")).to_be_visible()
    assert "/api/conversations?channel=email&limit=50" in page.evaluate(clip)


def test_the_theme_is_switched_at_once_and_stays(world: World, browse: Browse, alice: User) -> None:
    browser = browse(alice, color_scheme="light")
    page = browser.open("/conversations/")
    assert browser.look()[1] is False
    with page.expect_response("**/settings/theme/"):
        page.click(".theme button:visible")
    assert browser.look()[1] is True
    browser.open("/settings/preferences/")
    assert browser.look()[1] is True
    other = browse(alice, color_scheme="light")
    other.open("/conversations/")
    assert other.look()[1] is True, "on every device of the person"
    page.context.clear_cookies(name=_session_name())
    browser.open("/login/")
    assert browser.look()[1] is True, "and in this browser when nobody is signed in"


def test_paper_shows_one_column_and_no_controls(world: World, browse: Browse) -> None:
    browser = browse(world.people["owner"], viewport={"width": 1440, "height": 900})
    page = browser.open(f"/conversations/{world.ids['ana']}/")
    page.emulate_media(media="print")
    shown: Any = page.evaluate(
        """[...document.querySelectorAll("button, input, textarea, select, summary, nav, .header, .skip-link")]
          .filter((one) => one.checkVisibility()).map((one) => one.outerHTML.slice(0, 90))"""
    )
    assert shown == []
    facts, thread = (page.locator(part).bounding_box() for part in (".facts", ".thread"))
    assert facts["y"] + facts["height"] <= thread["y"] + 1, "the lead first, the thread under it"
    assert thread["x"] <= facts["x"] + 1
    assert not browser.is_wider_than_its_window()
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light", "paper is white"


def _session_name() -> str:
    from django.conf import settings

    return settings.SESSION_COOKIE_NAME
