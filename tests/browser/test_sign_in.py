"""The first run and the second factor by hand, in a browser: each page on the way is sound, and works."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.models import Account, User
from tests.accounts.test_second_factor import PASSWORD, code_of, used_codes_are_forgotten
from tests.browser.conftest import Browser, until
from tests.browser.test_matrix import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Browse = Callable[..., Browser]
SEND = "button[type=submit].button--primary"


def test_the_first_owner_sets_up_and_is_in(browse: Browse, settings: Any) -> None:
    browser = browse(viewport={"width": 1440, "height": 900})
    browser.refused.add(f"{browser.address}/setup/")
    page = browser.open("/login/")
    check(browser, "setup-closed")
    settings.DEBUG = True
    page = browser.open("/login/")
    check(browser, "setup")
    for name, value in (("account", "Acme"), ("name", "Maria"), ("email", "maria@example.com"), ("password", "x")):
        page.fill(f"#id_{name}", value)
    page.uncheck("[name=demo]")
    page.click(SEND)
    expect(page.locator("#id_password-faults")).to_be_visible()
    check(browser, "setup-fault")
    page.fill("#id_password", PASSWORD)
    page.click(SEND)
    page.wait_for_url("**/conversations/")
    expect(page.locator("main")).to_contain_text("Acme is ready.")
    assert User.objects.get().is_superuser


@pytest.mark.parametrize("scripts", [True, False])
def test_an_app_is_paired_and_asked_for(alice: User, acme: Account, browse: Browse, scripts: bool) -> None:
    browser = browse(viewport={"width": 1440, "height": 900}, java_script_enabled=scripts)
    look = check if scripts else lambda *_: None
    page = browser.open("/login/?next=/settings/security/")
    page.fill("#id_login", alice.email)
    page.fill("#id_password", PASSWORD)
    page.click(SEND)
    page.click("main >> text=Set up")
    page.wait_for_url("**/confirm/?next=*")
    look(browser, "confirm")
    page.fill("#id_password", PASSWORD)
    page.click("text=Confirm >> nth=-1")
    expect(page.locator(".qr")).to_be_visible()
    look(browser, "pair")
    if scripts:
        until(page, "document.querySelector('.qr').naturalWidth > 0")
    page.click("text=The app cannot scan?")
    secret = page.inner_text(".pairing__secret")
    page.fill("#id_code", code_of(secret))
    page.click("text=Turn it on")
    page.wait_for_url("**/recovery-codes/")
    look(browser, "codes")
    codes = page.inner_text(".recovery-codes").split()
    assert len(codes) == 10
    page.click("text=I have stored them")
    page.wait_for_url("**/security/")
    look(browser, "security")
    page.click("text=Make new ones")
    page.wait_for_url("**/recovery-codes/new/")
    look(browser, "new codes")
    page.click("text=Cancel")
    page.wait_for_url("**/security/")
    page.click("text=Turn off")
    page.wait_for_url("**/authenticator/remove/")
    look(browser, "turn off")
    page.click("text=Cancel")
    page.wait_for_url("**/security/")

    used_codes_are_forgotten()
    browser.context.clear_cookies()
    page = browser.open("/login/")
    page.fill("#id_login", alice.email)
    page.fill("#id_password", PASSWORD)
    page.click(SEND)
    page.wait_for_url("**/login/code/")
    look(browser, "code")
    page.fill("#id_code", codes[0])
    page.click(SEND)
    page.wait_for_url("**/conversations/")
