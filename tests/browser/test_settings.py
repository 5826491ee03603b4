"""Preferences and names by hand: what takes effect, with scripts and without."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from accounts.models import Account, User
from conversations.models import Conversation
from tests.browser.conftest import WIDTHS, Browser
from tests.factories import CAMPAIGN

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Browse = Callable[..., Browser]
Record = Callable[..., Conversation]
THEME = "document.documentElement.dataset.theme"
GROUND = "getComputedStyle(document.body).backgroundColor"


def test_long_names_fit(alice: User, acme: Account, record: Record, browse: Browse) -> None:
    record(campaignId=CAMPAIGN)
    acme.agents.get().rename(by=None, name="w" * 100, stages=["Stage " * 30, "", "w" * 200])
    browser = browse(alice)
    for path in ("names/", f"names/agents/{acme.agents.get().pk}/"):
        browser.open(f"/settings/{path}")
        for width in WIDTHS:
            browser.shape(width, "light")
            assert not browser.is_wider_than_its_window(), (path, width)


def test_preferences_are_kept_and_take_effect(alice: User, acme: Account, browse: Browse) -> None:
    page = browse(alice, color_scheme="light").open("/conversations/")
    page.click(".menu summary")
    page.click("text=Preferences")
    page.select_option("#id_time_zone", "Asia/Tokyo")
    page.check("text=12-hour")
    page.check("text=Dark")
    page.check("text=Compact")
    page.click(".fields [type=submit]")
    expect(page.locator("text=Saved.")).to_be_visible()
    expect(page.locator("#time-zone-help")).to_contain_text("Asia/Tokyo")
    assert page.evaluate("({...document.documentElement.dataset})") == {"theme": "dark", "density": "compact"}
    alice.refresh_from_db()
    assert (alice.time_zone, alice.clock, alice.theme) == ("Asia/Tokyo", "12", "dark")


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_switch_turns_and_is_stored(
    alice: User, acme: Account, browse: Browse, scripts: bool, scheme: str
) -> None:
    browser = browse(alice, color_scheme=scheme, java_script_enabled=scripts)
    page = browser.open("/settings/preferences/")
    other = "light" if scheme == "dark" else "dark"
    for theme in (other, scheme):
        expect(page.locator(".theme button:visible")).to_have_count(1)
        with page.expect_response("**/settings/theme/") as answer:
            page.click(".theme button:visible")
        assert answer.value.status == 302
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        alice.refresh_from_db()
        assert alice.theme == theme
    assert page.url.endswith("/settings/preferences/")
    if scripts:
        assert page.evaluate("document.activeElement.value") == other, "the focus stays on the switch"


def test_a_theme_that_cannot_be_stored_is_sent_as_a_form(alice: User, acme: Account, browse: Browse) -> None:
    browser = browse(alice, color_scheme="light")
    page = browser.open("/settings/preferences/")
    page.evaluate("() => { window.fetch = () => new Promise((_, fail) => setTimeout(fail)) }")
    with page.expect_navigation():
        page.click(".theme button:visible")
    alice.refresh_from_db()
    assert alice.theme == page.evaluate(THEME) == "dark"


def test_shortcuts_are_off_until_they_are_switched_on_again(
    alice: User, acme: Account, record: Record, browse: Browse
) -> None:
    record()
    browser = browse(alice)
    page = browser.open("/conversations/")
    page.keyboard.press("?")
    with page.expect_response("**/settings/shortcuts/"):
        page.uncheck("[data-shortcuts-on]")
    page.click("text=Close")
    for _ in range(2):  # at once, and on the next page
        page.keyboard.press("j")
        assert page.evaluate("document.activeElement.matches('[data-row]')") is False
        page = browser.open("/conversations/")
    page.click("[data-open=shortcuts]")
    with page.expect_response("**/settings/shortcuts/"):
        page.check("[data-shortcuts-on]")
    page.click("text=Close")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.matches('[data-row]')") is True


@pytest.mark.parametrize("scripts", [True, False])
def test_an_agent_is_named(alice: User, acme: Account, record: Record, browse: Browse, scripts: bool) -> None:
    record()
    page = browse(alice, java_script_enabled=scripts).open("/conversations/")
    page.click("nav >> text=Agents")
    page.click("text=Name it")
    page.fill("#name", "Nora")
    page.fill("#stages", "\nGreeting\n\nPrice")
    page.click("text=Save")
    expect(page.locator("text=Nora was saved.")).to_be_visible()
    assert acme.agents.get().stages == ["", "Greeting", "", "Price"]
    page.click("text=Edit")
    expect(page.locator("#stages")).to_have_value("\nGreeting\n\nPrice")


def test_the_design_page_keeps_the_policy(browse: Browse, settings: object) -> None:
    settings.DEBUG = True  # type: ignore[attr-defined]
    browser = browse(viewport={"width": 390, "height": 900})
    page = browser.open("/design/")
    assert browser.violations() == []
    assert not browser.is_wider_than_its_window()
    grounds = page.eval_on_selector_all(
        ".specimen", "found => [...new Set(found.map(one => getComputedStyle(one).backgroundColor))]"
    )
    assert len(grounds) == 2
