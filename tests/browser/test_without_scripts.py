"""Without scripts everything still works, by the controls that are on the page."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.models import User
from conversations.models import Conversation, Note
from tests.browser.conftest import Browser
from tests.browser.pages import ROWS, World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Browse = Callable[..., Browser]
PLAIN = {"java_script_enabled": False}


def tick(page: Any, *ids: str) -> None:
    for pk in ids:
        page.check(f"#c-{pk} .row__check")


def test_signing_in_searching_filtering_sorting_and_paging(world: World, browse: Browse) -> None:
    browser = browse(**PLAIN)
    page = browser.open("/conversations/?status=active")
    page.fill("#id_login", "alice@example.com")
    page.fill("#id_password", "correct horse battery")
    page.click("button[type=submit]")
    page.wait_for_url("**/conversations/?status=active")
    page.click(".tabs >> text=All")
    rows = page.locator(".row")
    expect(rows).to_have_count(50)
    page.click("text=Older")
    page.wait_for_url("**/conversations/?cursor=*")
    assert 0 < rows.count() < 50
    page.click("text=Newer")
    expect(rows).to_have_count(50)
    page.select_option("[name=channel]", "email")
    assert page.locator(".filters__apply").is_visible()
    page.click("text=Apply")
    page.wait_for_url("**channel=email*")
    assert page.locator(".chip", has_text="E-mail").is_visible()
    assert rows.count() == ROWS // 3
    page.click(".rows__sort >> nth=0")
    page.wait_for_url("**sort=*")
    page.click(".chip")
    expect(page.locator(".chip")).to_have_count(0)
    page.fill("#search", "السعر")
    page.click("text=Apply")
    expect(page.locator(".row__found mark")).to_have_text("السعر", use_inner_text=True)
    page.click("text=ana@example.com")
    page.wait_for_url("**#m-3")
    expect(page.locator("#m-3 mark")).to_be_visible()


def test_finding_changing_the_status_and_writing_a_note(world: World, browse: Browse) -> None:
    browser = browse(world.people["operator"], **PLAIN)
    page = browser.open(f"/conversations/{world.ids['long']}/")
    page.fill("#find", "Message 70 ")
    page.press("#find", "Enter")
    expect(page.locator("[data-hit-status]")).to_have_text("1 of 1", use_inner_text=True)
    page.click("[data-hit-status]")
    expect(page.locator("#m-71 mark").first).to_be_visible()
    page.fill("#note-text", "Call <b>her</b>")
    page.click("text=Add note")
    expect(page.locator(".note__text")).to_have_text("Call <b>her</b>", use_inner_text=True)
    page.click(".note summary")
    page.click("text=Remove this note")
    page.wait_for_url("**#write")
    assert page.locator(".note").count() == 0
    page.click(".act summary >> text=Mark dropped")
    page.fill("#reason-dropped", "no budget")
    page.click("form:has(#reason-dropped) button")
    expect(page.locator(".transcript-head .pill--dropped")).to_be_visible()
    page.wait_for_load_state()
    conversation = Conversation.objects.get(pk=world.ids["long"])
    assert (conversation.status, Note.objects.filter(conversation=conversation).count()) == ("dropped", 0)
    assert page.locator("button:visible", has_text="Copy").count() == 0, "what needs a script is not offered"


def test_changing_many_with_a_question_before_and_undoing_it(world: World, browse: Browse) -> None:
    picked = [world.ids["ana"], world.ids["long"]]
    everything = Conversation.objects.filter(account=world.account, environment="live")
    browser = browse(world.people["operator"], **PLAIN)
    page = browser.open("/conversations/?sort=-messageCount")
    tick(page, *picked)
    page.click("#bulk >> text=Mark completed")
    expect(page.locator("h1")).to_contain_text("Mark 2 conversations completed?", use_inner_text=True)
    page.click(".confirm >> text=Mark 2 completed")
    expect(page.locator(".notice", has_text="2 conversations marked completed")).to_be_visible()
    assert everything.filter(pk__in=picked, status="completed").count() == 2
    page.click("text=Undo")
    expect(page.locator(".notice", has_text="Undone: 2 conversations as before.")).to_be_visible()
    assert everything.filter(pk__in=picked, status="completed").count() == 0
    # All that match, not only those of the page
    tick(page, world.ids["ana"])
    page.check("#bulk [name=all]")
    page.click("#bulk >> text=Mark dropped")
    page.click(".confirm [type=submit]")
    expect(page.locator(".notice", has_text="marked dropped")).to_be_visible()
    assert everything.exclude(status="dropped").count() == 0


def test_views_columns_what_is_seen_the_theme_and_the_environment(world: World, browse: Browse, alice: User) -> None:
    browser = browse(alice, color_scheme="light", **PLAIN)
    page = browser.open("/conversations/?status=dropped")
    page.click("summary >> text=Views")
    page.fill("#view-name", "Lost ones")
    page.click("text=Save view")
    expect(page.locator("text=Saved the view")).to_be_visible()
    assert alice.saved_views.get(name="Lost ones").query == "status=dropped"
    page.click("summary >> text=Views")
    page.click("[aria-label='Remove the view Lost ones']")
    expect(page.locator("text=Removed the view")).to_be_visible()
    assert not alice.saved_views.filter(name="Lost ones").exists()
    page.click("summary >> text=Columns")
    page.uncheck("[name=column][value=stage]")
    page.check("[name=column][value=started]")
    page.check("[name=density][value=compact]")
    with page.expect_navigation():
        page.click("text=Use these")
    assert page.locator("th.rows__started").is_visible()
    assert not page.locator("th.rows__stage").count()
    assert page.get_attribute("html", "data-density") == "compact"
    with page.expect_navigation():
        page.click("text=Mark seen")
    assert not page.locator(".row--unread").count()
    page.click(".theme button:visible")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.click("text=Test")
    expect(page.locator(".empty h2")).to_have_text("No test conversations yet", use_inner_text=True)
    page.click(".environment >> text=Live")
    expect(page.locator(".row")).to_have_count(50)
    page.click("summary:has(.menu__name)")
    page.click("text=Sign out")
    page.wait_for_url("**/login/")
