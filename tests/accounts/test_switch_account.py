"""Several accounts of a person: one at a time, the session's, and never the rows of one in the other."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, User
from accounts.scopes import Role
from conversations.models import Conversation
from tests.accounts.test_keys_pages import issue
from tests.conftest import client_of, text_of

SWITCH = "/account/"
LIST = "/conversations/"


@pytest.fixture
def second(acme: Account, other_account: Account, alice: User) -> Account:
    """Charlie's, in which Alice is an operator."""
    other_account.memberships.create(user=alice, roles=[Role.OPERATOR])
    return other_account


@pytest.fixture
def page(second: Account, alice: User) -> Client:
    return client_of(alice)


def switch(client: Client, account: Account, next: str = "") -> Any:
    return client.post(SWITCH, {"account": account.pk, "next": next})


def shown_account(client: Client) -> str:
    """The account that the header names."""
    html = client.get("/settings/preferences/").content.decode()
    return re.findall(r'class="header__account"[^>]*><bdi>([^<]*)', html)[0]


# Refusals


@pytest.mark.parametrize("foreign", ["another's", "0" * 24, "nonsense", "", "\x00"])
def test_what_is_none_of_theirs_changes_nothing(acme: Account, bob: User, other_account: Account, foreign: str) -> None:
    client = client_of(bob)
    response = client.post(SWITCH, {"account": other_account.pk if foreign == "another's" else foreign})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert shown_account(client) == "Acme"


def test_switching_needs_a_form(page: Client, alice: User, second: Account) -> None:
    assert page.get(SWITCH).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert switch(strict, second).status_code == 403


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/admin/", "/nothing/", "conversations"])
def test_it_leads_to_no_other_site(page: Client, second: Account, target: str) -> None:
    assert switch(page, second, target)["Location"] == "/"


def test_a_form_of_the_other_account_is_refused(alice: User, second: Account) -> None:
    """In one tab a form of Acme's, in another one the switch: what was meant for Acme must not reach the second."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    html = client.get("/settings/preferences/").content.decode()
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)[0]
    assert client.post(SWITCH, {"account": second.pk, "csrfmiddlewaretoken": token}).status_code == 302
    response = client.post("/settings/people/leave/", {"account": second.pk, "csrfmiddlewaretoken": token})
    assert "reload it, and try again" in text_of(response, 403)
    assert second.memberships.filter(user=alice).exists()


# Switching


def test_the_switcher_is_there_for_several_accounts_only(page: Client, bob: User) -> None:
    assert f'action="{SWITCH}"' in text_of(page.get(LIST))
    assert f'action="{SWITCH}"' not in text_of(client_of(bob).get(LIST))


def test_each_page_shows_the_rows_of_one_account(
    page: Client, acme: Account, second: Account, record: Callable[..., Conversation]
) -> None:
    ours = record(leadEmail="ours@example.com")
    theirs = record(account=second, leadEmail="theirs@example.com")
    issue(acme, name="Acme’s key")
    for account, own, other in ((acme, ours, theirs), (second, theirs, ours)):
        switch(page, account)
        shown = text_of(page.get(LIST))
        assert str(own.lead_email) in shown
        assert str(other.lead_email) not in shown
        assert page.get(f"{LIST}{own.pk}/").status_code == 200
        assert page.get(f"{LIST}{other.pk}/").status_code == 404
        assert shown_account(page) == account.name.replace("&", "&amp;")
    assert page.get("/settings/api-keys/").status_code == 403  # an operator there, though an owner at Acme


def test_a_list_that_is_open_hears_no_news_of_the_other_account(
    page: Client, second: Account, record: Callable[..., Conversation]
) -> None:
    record(account=second)
    record()
    html = text_of(page.get(LIST))
    of = re.findall(r'data-of="([^"]+)"', html)[0]
    query = {"since": "2026-01-01T00:00:00Z", "of": of}
    assert page.get(f"{LIST}new/", query).json()["count"] == 1
    page.post("/environment/", {"environment": "test"})
    assert page.get(f"{LIST}new/", query).status_code == 403
    page.post("/environment/", {"environment": "live"})
    switch(page, second)
    assert page.get(f"{LIST}new/", query).status_code == 403
    assert page.get(f"{LIST}new/", {"since": query["since"]}).json()["count"] == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/conversations/665f1a2b3c4d5e6f7a8b9c0d/?search=x", LIST),
        ("/analytics/?range=7d", "/analytics/"),
        ("/settings/names/agents/665f1a2b3c4d5e6f7a8b9c0d/", "/settings/names/"),
        ("/settings/people/665f1a2b3c4d5e6f7a8b9c0d/roles/", "/settings/people/"),
        ("/settings/preferences/", "/settings/preferences/"),
        ("/settings/api-keys/new/", "/"),  # an operator may not see it there
        ("/settings/account/", "/"),
    ],
)
def test_it_leads_to_the_same_section(page: Client, second: Account, before: str, after: str) -> None:
    assert switch(page, second, before)["Location"] == after
    assert page.get(after, follow=True).status_code == 200


def test_live_or_test_stays_as_it_is(page: Client, second: Account, record: Callable[..., Conversation]) -> None:
    record(account=second, environment="test", leadEmail="test@example.com")
    page.post("/environment/", {"environment": "test"})
    switch(page, second)
    shown = text_of(page.get(LIST))
    assert "Nothing here is a real lead." in shown
    assert "test@example.com" in shown


# The account that was looked at is gone


@pytest.mark.parametrize("end", ["removed", "deleted"])
def test_it_falls_back_to_another_and_says_so(page: Client, acme: Account, second: Account, end: str) -> None:
    switch(page, second)
    if end == "removed":
        second.memberships.get(roles=[Role.OPERATOR]).remove(by=None)
    else:
        second.delete()
    shown = text_of(page.get(LIST))
    assert "The account that you looked at is not open to you any more. This is Acme." in shown
    assert "any more that you looked at" not in text_of(page.get(LIST))
    assert shown_account(page) == "Acme"


def test_what_was_sent_to_the_account_that_is_gone_reaches_no_other(
    page: Client, acme: Account, second: Account
) -> None:
    switch(page, second)
    second.memberships.get(roles=[Role.OPERATOR]).remove(by=None)
    response = page.post("/settings/account/", {"name": "Renamed"})
    assert (response.status_code, response["Location"]) == (302, "/")
    acme.refresh_from_db()
    assert acme.name == "Acme"
    assert page.post("/settings/account/", {"name": "Renamed"})["Location"] == "/settings/account/"


def test_who_never_switched_is_told_too(page: Client, acme: Account, second: Account, bob: User) -> None:
    acme.memberships.get(user=bob).change_roles(["owner"], by=None)
    acme.memberships.get(user__email="alice@example.com").remove(by=bob)
    assert page.post("/settings/theme/", {"theme": "dark"})["Location"] == "/"
    assert "This is Charlie &amp; Sons." in text_of(page.get(LIST))


def test_without_any_account_each_page_says_so_and_signing_out_works(page: Client, alice: User) -> None:
    alice.memberships.all().delete()
    for path in ("/", LIST, "/analytics/", "/settings/people/", "/settings/preferences/"):
        shown = text_of(page.get(path), 403)
        assert "You belong to no account" in shown
        assert 'action="/logout/"' in shown
        assert "header__nav" not in shown
    assert page.post("/logout/")["Location"] == "/login/"


def test_leaving_one_leads_to_another(page: Client, acme: Account, second: Account) -> None:
    switch(page, second)
    shown = text_of(page.post("/settings/people/leave/", {"account": second.pk}, follow=True))
    assert "You left Charlie &amp; Sons." in shown
    assert "any more that you looked at" not in shown
    assert shown_account(page) == "Acme"


def test_signing_in_again_begins_at_the_first(page: Client, acme: Account, second: Account, alice: User) -> None:
    assert shown_account(page) == "Acme"
    switch(page, second)
    assert shown_account(client_of(alice)) == "Acme"
    assert shown_account(page) == "Charlie &amp; Sons"


@pytest.mark.parametrize(
    ("role", "first"),
    [
        (Role.OWNER, "/conversations/"),
        (Role.OPERATOR, "/conversations/"),
        (Role.INTEGRATOR, "/settings/api-keys/"),
    ],
)
def test_the_first_page_is_one_that_the_person_may_see(acme: Account, role: Role, first: str) -> None:
    person = User.objects.create_user("dana@example.com")
    acme.memberships.create(user=person, roles=[role])
    assert client_of(person).get("/")["Location"] == first


# A link from somebody else


@pytest.mark.parametrize("environment", ["live", "test"])
def test_a_link_into_another_of_ones_accounts_leads_there(
    page: Client, second: Account, record: Callable[..., Conversation], environment: str
) -> None:
    theirs = record(account=second, environment=environment)
    path = f"{LIST}{theirs.pk}/?search=price"
    text = unescape(text_of(page.get(path), 404))
    assert f"It is in <bdi>{second}</bdi>, and you look at <bdi>Acme</bdi>" in text
    assert theirs.lead_phone not in text
    form = text.partition("notice-page__ways")[2].partition("</form>")[0]
    sent = dict(re.findall(r'name="(account|environment|next)"\s+value="([^"]*)"', form))
    assert sent == {"account": second.pk, "environment": environment, "next": path}
    response = page.post(SWITCH, sent)
    assert response["Location"] == path
    assert theirs.lead_phone in text_of(page.get(path))


def test_a_link_into_test_data_leads_there(acme: Account, alice: User, record: Callable[..., Conversation]) -> None:
    page, path = client_of(alice), f"{LIST}{record(environment='test').pk}/"
    assert "It is among the test data, and you look at live data." in text_of(page.get(path), 404)
    page.post(SWITCH, {"account": acme.pk, "environment": "test", "next": path})
    assert page.get(path).status_code == 200


def test_what_they_may_not_read_is_nowhere(
    page: Client, second: Account, alice: User, bob: User, record: Callable[..., Conversation]
) -> None:
    theirs = record(account=second)
    second.memberships.filter(user=alice).update(roles=[Role.INTEGRATOR])
    unknown = text_of(page.get(f"{LIST}{'f' * 24}/"), 404)
    assert "elsewhere" not in unknown
    for client in (page, client_of(bob)):
        assert "elsewhere" not in text_of(client.get(f"{LIST}{theirs.pk}/"), 404)
    page.post(SWITCH, {"account": second.pk, "environment": "nonsense", "next": "https://evil.example/"})
    assert unescape(shown_account(page)) == str(second)
