"""What only a browser can tell of the first steps: the way in, keys, themes, and that it works without scripts."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from accounts.models import Account, User
from conversations.models import Conversation
from tests.browser.conftest import Browser
from tests.factories import message

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Browse = Callable[..., Browser]
Record = Callable[..., Conversation]


def transcript_of(conversation: Conversation) -> str:
    return f"/conversations/{conversation.pk}/"


@pytest.fixture
def ana(alice: User, acme: Account, record: Record) -> Conversation:
    conversation = record(
        leadEmail="ana@example.com",
        currentStageName="Needs",
        summary="Wants 40 seats.",
        qualificationResult={"qualified": True, "reason": "Budget approved."},
        messages=[message("Hi Ana", role="agent"), message("What is the price?"), message("مرحبا، كم السعر؟")],
    )
    conversation.change_status("handed_off", by=alice, reason="a discount")
    conversation.update_details({"current_stage_name": "Pricing"}, by=None)
    return conversation


def test_the_way_in_and_out_by_hand(alice: User, ana: Conversation, browse: Browse) -> None:
    browser = browse()
    page = browser.open("/conversations/?search=price")
    assert page.url.endswith("/login/?next=/conversations/%3Fsearch%3Dprice")
    page.fill("#id_login", "alice@example.com")
    page.fill("#id_password", "wrong")
    page.click("text=Show")
    assert page.get_attribute("#id_password", "type") == "text"
    page.click("button[type=submit]")
    expect(page.locator("#sign-in-error")).to_be_focused()
    page.fill("#id_password", "correct horse battery")
    page.click("button[type=submit]")
    page.wait_for_url("**/conversations/?search=price")
    page.click(".menu summary")
    page.click("text=Sign out")
    page.wait_for_url("**/login/")


def test_everything_can_be_read_without_scripts(alice: User, ana: Conversation, record: Record, browse: Browse) -> None:
    record(environment="test", leadEmail="test@example.com")
    browser = browse(alice, java_script_enabled=False)
    page = browser.open("/conversations/")
    page.fill("#search", "price")
    page.click(".filters button")
    page.wait_for_url("**search=price*")
    page.click("text=ana@example.com")
    page.wait_for_url(f"**/{ana.pk}/?search=price#m-2")
    assert page.locator("mark").first.is_visible()
    assert not page.locator("button:visible", has_text="Copy link").count()
    page.click("text=Back to 1 result")
    page.wait_for_url(f"**/conversations/?search=price#c-{ana.pk}")
    page.click("button[value=test]")
    expect(page.locator(".test-band")).to_be_visible()
    expect(page.locator("text=test@example.com")).to_be_visible()


def test_the_theme_is_kept_and_shown_without_a_flash(alice: User, ana: Conversation, browse: Browse) -> None:
    browser = browse(alice, color_scheme="light")
    page = browser.open("/conversations/")
    with page.expect_response("**/settings/theme/"):
        page.click("[data-theme-toggle]")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    answer = browser.context.request.get("/conversations/").text()
    assert '<html lang="en" data-theme="dark">' in answer


def test_keys_walk_the_list(alice: User, acme: Account, record: Record, browse: Browse) -> None:
    _, first = (record(leadEmail=f"{name}@example.com", messages=[]) for name in ("second", "first"))
    Conversation.objects.filter(lead_email="second@example.com").update(updated_at=datetime(2020, 1, 1, tzinfo=UTC))
    browser = browse(alice)
    page = browser.open("/conversations/")
    focused = "document.activeElement.textContent"
    page.keyboard.press("j")
    assert page.evaluate(focused) == "first@example.com"
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate(focused) == "second@example.com"
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{transcript_of(first)}")
    page.keyboard.press("u")
    page.wait_for_url(f"**/conversations/#c-{first.pk}")
    page.keyboard.press("/")
    page.keyboard.type("jk1?")
    assert page.input_value("#search") == "jk1?"
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    page.wait_for_url("**/conversations/?status=active")
    page.keyboard.press("?")
    with page.expect_response("**/settings/shortcuts/"):
        page.uncheck("[data-shortcuts-on]")
    page.click("text=Close")
    page.keyboard.press("1")
    page.wait_for_timeout(200)
    assert page.url.endswith("?status=active")


def test_a_search_that_is_too_long_is_told_and_not_sent(alice: User, acme: Account, browse: Browse) -> None:
    page = browse(alice).open("/conversations/")
    page.fill("#search", "x" * 101)
    assert page.locator("#search-fault").is_visible()
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    assert page.url.endswith("/conversations/")
    page.fill("#search", "😀" * 100)
    assert page.locator("#search-fault").is_hidden()


def test_a_page_that_does_not_exist_is_ours(alice: User, acme: Account, browse: Browse) -> None:
    browser = browse(alice)
    page = browser.open(f"/conversations/{'a' * 24}/")
    assert browser.status == 404
    assert "There is nothing here" in page.text_content("h1")
    assert browser.violations() == []


def test_on_a_phone_what_was_found_stands_right_under_its_row(alice: User, ana: Conversation, browse: Browse) -> None:
    page = browse(alice, viewport={"width": 390, "height": 900}).open("/conversations/?search=price")
    row, found = (page.locator(one).bounding_box() for one in (".row__main", ".row__found td:not(.rows__check)"))
    assert row is not None
    assert found is not None
    assert 0 <= found["y"] - (row["y"] + row["height"]) < 8
