"""Coming into an account, and going from one to another, in a real browser."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from accounts.models import Account, User
from accounts.scopes import Role
from tests.browser.conftest import Browser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Browse = Callable[..., Browser]


@pytest.mark.parametrize("scripts", [True, False])
def test_an_invitation_is_accepted_and_its_secret_goes_nowhere(
    acme: Account, alice: User, browse: Browse, scripts: bool
) -> None:
    _, token = acme.invitations.invite(account=acme, email="nia@example.com", roles=[Role.ANALYST], by=alice)
    browser = browse(java_script_enabled=scripts)
    sent: list[Any] = []
    browser.page.on("request", lambda request: sent.append((request.url, request.headers.get("referer", ""))))
    page = browser.open(f"/invitations/{token}/")
    assert urlsplit(page.url).path == "/invitations/"
    page.fill("#name", "Nia")
    page.fill("#password", "correct horse battery")
    page.click("button[type=submit]")
    page.wait_for_url("**/conversations/")
    expect(page.locator("[role=status]").first).to_contain_text("Welcome to Acme.", use_inner_text=True)
    assert [url for url, _ in sent if token in url] == [f"{browser.address}/invitations/{token}/"]
    assert [referer for _, referer in sent if token in referer] == []
    browser.refused.add(f"{browser.address}/invitations/")  # used up
    page.go_back()
    assert token not in page.url


def test_the_switcher_leads_to_the_same_section_and_closes_forms_of_before(
    acme: Account, alice: User, other_account: Account, browse: Browse
) -> None:
    other_account.memberships.create(user=alice, roles=[Role.OWNER])
    browser = browse(alice, viewport={"width": 1440, "height": 900})
    page = browser.open("/settings/account/")
    tab = browser.context.new_page()
    tab.goto(f"{browser.address}/settings/people/invite/")
    tab.click(".header__accounts > summary")
    tab.click(".header__accounts button:has-text('Charlie')")
    tab.wait_for_url("**/settings/people/")
    expect(tab.locator(".person")).to_have_count(2)
    expect(tab.locator(".header__accounts summary")).to_contain_text("Charlie", use_inner_text=True)
    browser.refused.add(page.url)
    page.fill("#name", "Meant for Acme")
    page.click("main button[type=submit]")
    expect(page.locator("main")).to_contain_text("reload it, and try again", use_inner_text=True)
    names = set(Account.objects.values_list("name", flat=True))
    assert names == {"Acme", "Charlie & Sons"}
