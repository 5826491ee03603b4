"""Single sign-on with a real server, a real provider and a real browser's cookies: whom it lets in, and whom not."""

import http.cookiejar
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.provider import CLIENT, SECRET, Provider, provider
from tests.serving import Running, serving

pytestmark = pytest.mark.server

ALICE = {"sub": "1", "email": "Alice@Example.com", "email_verified": True}


class Here(NamedTuple):
    server: Running
    provider: Provider


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    with provider() as there:
        variables = {
            "OIDC_ISSUER": there.address,
            "OIDC_CLIENT_ID": CLIENT,
            "OIDC_CLIENT_SECRET": SECRET,
            "OIDC_NAME": "Example ID",
        }
        with serving(tmp_path_factory.mktemp("sso"), conversations=[], static=True, **variables) as server:
            yield Here(server, there)


@pytest.fixture
def here(running: Here) -> Here:
    running.provider.person, running.provider.lie = dict(ALICE), ""
    running.provider.asked.clear()
    return running


class NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Browser:
    """Keeps cookies, and follows redirects only when it is told to."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies = http.cookiejar.CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.cookies), NoRedirect())

    def ask(self, address: str, form: dict[str, str] | None = None) -> tuple[int, str, Any]:
        """The status, the text and the headers; ``form`` is sent with the token of the sign-in page."""
        url = address if address.startswith("http") else f"{self.address}{address}"
        data = urlencode(form).encode() if form is not None else None
        try:
            answer: Any = self.opener.open(Request(url, data), timeout=60)
        except HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.read().decode(), answer.headers

    def leave(self, **form: str) -> str:
        """Press the button; where it leads."""
        status, page, _ = self.ask("/login/")
        assert status == 200
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]
        status, _, headers = self.ask("/login/sso/", {"csrfmiddlewaretoken": token, **form})
        assert status == 302
        return str(headers["Location"])

    def sign_in(self, **form: str) -> str:
        """The whole way out and back; the page of ours that it ends at."""
        back = self.ask(self.leave(**form))[2]["Location"]
        return str(self.ask(back)[2]["Location"])

    @property
    def is_in(self) -> bool:
        return self.ask("/settings/security/")[0] == 200


def refused(here: Here) -> str:
    """Goes there and back, is not let in, and reads why."""
    browser = Browser(here.server.address)
    assert browser.sign_in() == "/login/"
    status, text, _ = browser.ask("/login/")
    assert status == 200
    assert 'role="alert"' in text
    assert not browser.is_in
    return text


def count_people(here: Here) -> str:
    return str(here.server.manage("shell", "-c", "from accounts.models import User; print(User.objects.count())"))


# Refusals


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "false"},
        {"email_verified": None},
        {"email_verified": 1.5},
        {"email": None},
        {"email": ["alice@example.com"]},
    ],
    ids=str,
)
def test_an_address_that_is_not_verified_opens_nothing(here: Here, claims: dict[str, Any]) -> None:
    here.provider.person |= claims
    assert "has not verified your e-mail address" in refused(here)


def test_who_is_not_here_is_not_made(here: Here) -> None:
    here.provider.person["email"] = "stranger@example.com"
    before = count_people(here)
    assert "Nobody here has the e-mail address" in refused(here)
    assert count_people(here) == before


@pytest.mark.parametrize("lie", ["signature", "issuer", "audience", "expired", "userinfo", "cancelled"])
def test_a_provider_that_breaks_the_rules_is_not_believed(here: Here, lie: str) -> None:
    here.provider.lie = lie
    refused(here)


def test_a_person_who_is_closed_stays_outside(here: Here) -> None:
    close = "from accounts.models import User; User.objects.filter(email='alice@example.com').update(is_active={})"
    here.server.manage("shell", "-c", close.format(False))
    try:
        assert "Nobody here has the e-mail address" in refused(here)
    finally:
        here.server.manage("shell", "-c", close.format(True))


def test_a_code_is_worth_nothing_in_another_browser(here: Here) -> None:
    """Whoever sends somebody the end of their own way signs nobody in as themselves."""
    mine = Browser(here.server.address)
    back = mine.ask(mine.leave())[2]["Location"]
    theirs = Browser(here.server.address)
    theirs.ask(back)
    assert not theirs.is_in
    assert mine.ask(back)[2]["Location"] == "/"
    again = Browser(here.server.address)
    again.ask(back)
    assert not again.is_in


def test_the_way_out_is_a_form_of_ours(here: Here) -> None:
    browser = Browser(here.server.address)
    assert browser.ask("/login/sso/")[0] == 405
    assert browser.ask("/login/sso/", {})[0] == 403
    assert browser.ask("/login/sso/callback/?code=x&state=y")[2]["Location"] == "/login/"
    assert here.provider.asked == []


@pytest.mark.parametrize("process", ["connect", "redirect"])
def test_it_is_for_signing_in_alone(here: Here, process: str) -> None:
    browser = Browser(here.server.address)
    back = browser.ask(browser.leave(process=process))[2]["Location"]
    assert browser.ask(back)[2]["Location"] == "/login/"
    assert not browser.is_in


def test_it_leads_to_no_other_site(here: Here) -> None:
    assert Browser(here.server.address).sign_in(next="https://evil.example/") == "/"


@pytest.mark.parametrize(
    ("variables", "fault"),
    [
        ({"OIDC_ISSUER": "https://x.example"}, "go together"),
        ({"OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET": "y"}, "go together"),
        ({"OIDC_ISSUER": "http://x.example", "OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET": "y"}, "https://"),
        ({"OIDC_ISSUER": "x.example", "OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET": "y"}, "https://"),
    ],
)
def test_half_a_configuration_is_refused(variables: dict[str, str], fault: str) -> None:
    command = [sys.executable, "manage.py", "check"]
    environment = {**os.environ, **variables}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode
    assert ImproperlyConfigured.__name__ in done.stderr
    assert fault in done.stderr


# Who is let in


def test_a_person_is_found_by_their_verified_address(here: Here) -> None:
    browser = Browser(here.server.address)
    _, text, headers = browser.ask("/login/?next=/conversations/")
    assert "Sign in with Example ID" in text
    [form_action] = re.findall(r"form-action ([^;]+)", headers["Content-Security-Policy"])
    assert set(form_action.split()) == {"'self'", here.provider.address}
    assert browser.sign_in(next="/conversations/?status=active") == "/conversations/?status=active"
    assert browser.is_in
    assert {"/authorize", "/userinfo", "/keys"} <= set(here.provider.asked)
    assert here.provider.address not in browser.ask("/conversations/")[2]["Content-Security-Policy"]


def test_nothing_of_it_is_stored(here: Here) -> None:
    assert Browser(here.server.address).sign_in() == "/"
    count = (
        "from allauth.socialaccount.models import *; from allauth.account.models import *;"
        "print(SocialAccount.objects.count() + SocialToken.objects.count() + EmailAddress.objects.count())"
    )
    assert here.server.manage("shell", "-c", count).strip().splitlines()[-1] == "0"
