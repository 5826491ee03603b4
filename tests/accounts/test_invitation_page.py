"""Accepting an invitation: who may, once, without looking at it being enough, and without its secret staying behind."""

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from accounts.models import Account, Invitation, User
from accounts.scopes import Role
from config.storage.moments import now
from tests.conftest import client_of, text_of

PAGE = "/invitations/"
PASSWORD = "correct horse battery"
GONE = "This invitation is not good any more"


def invite(account: Account, email: str = "new@example.com", roles: Any = (Role.ANALYST,)) -> str:
    """The secret of a new invitation."""
    owner = account.memberships.get(roles=[Role.OWNER]).user
    token: str = account.invitations.invite(account=account, email=email, roles=roles, by=owner)[1]
    return token


def opened(token: str, client: Client | None = None) -> Client:
    """A browser in which the link of the mail was opened."""
    client = client or Client()
    response = client.get(f"{PAGE}{token}/")
    assert (response.status_code, response["Location"]) == (302, PAGE)
    return client


# Refusals


def ended(account: Account, how: str) -> str:
    token = invite(account)
    invitation = Invitation.objects.get()
    if how == "used":
        invitation.join(name="New", password=PASSWORD)
    elif how == "withdrawn":
        invitation.withdraw(by=None)
    elif how == "expired":
        Invitation.objects.update(expires_at=now() - timedelta(seconds=1))
    elif how == "sent again":
        invitation.send_again(by=None)
    else:
        token = {"unknown": "0" * 64, "malformed": "nonsense", "longer": f"{token}0", "upper": token.upper()}[how]
    return token


@pytest.mark.parametrize(
    "how", ["used", "withdrawn", "expired", "sent again", "unknown", "malformed", "longer", "upper"]
)
def test_what_opens_nothing_is_one_page_whatever_the_reason(acme: Account, how: str) -> None:
    client = opened(ended(acme, how))
    people = User.objects.count()
    pages = [client.get(PAGE), client.post(PAGE, {"name": "Eve", "password": PASSWORD})]
    for response in pages:
        shown = text_of(response, 404)
        assert GONE in shown
        assert "Acme" not in shown
        assert "new@example.com" not in shown
    plain = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", pages[0].content.decode())
    unknown = opened("1" * 64).get(PAGE).content.decode()
    assert plain == re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", unknown)
    assert User.objects.count() == people


@pytest.mark.parametrize("path", ["", "x/y/", "../", "%00/", f"{'0' * 64}/more/", f"{'x' * 10_000}/"])
def test_no_address_is_a_server_error(db: None, path: str) -> None:
    response = Client(raise_request_exception=False).get(f"{PAGE}{path}", follow=True)
    assert response.status_code in (200, 404)


def test_looking_uses_nothing_up(acme: Account) -> None:
    token = invite(acme)
    for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT"):
        client = Client()
        client.generic(method, f"{PAGE}{token}/")
        client.get(PAGE)
        client.head(PAGE)
    assert Invitation.of_token(token)
    assert acme.memberships.count() == 1


def test_another_person_who_is_signed_in_cannot_take_it(acme: Account, charlie: User) -> None:
    client = opened(invite(acme), client_of(charlie))
    shown = text_of(client.get(PAGE))
    assert "You are signed in as <bdi>charlie@example.com</bdi>" in shown
    assert "for <bdi>new@example.com</bdi> alone" in shown
    client.post(PAGE, {"name": "Charlie", "password": PASSWORD, "email": "new@example.com"})
    assert not charlie.memberships.filter(account=acme).exists()
    assert not User.objects.filter(email="new@example.com").exists()
    assert "What does the team call you?" not in text_of(client.get(PAGE))  # signed out, the invitation at hand
    assert 'autocomplete="new-password"' in text_of(client.get(PAGE))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": ""}, "What does the team call you?"),
        ({"name": "x" * 101}, "100"),
        ({"name": "a\x00"}, "Null characters"),
        ({"password": ""}, "Choose a password"),
        ({"password": "short"}, "too short"),
        ({"password": "password1"}, "too common"),
        ({"password": "new@example.com"}, "too similar"),
        ({"password": "x" * 1_001}, "1000"),
    ],
)
def test_a_bad_form_makes_nobody(acme: Account, fields: dict[str, Any], says: str) -> None:
    client = opened(invite(acme))
    shown = text_of(client.post(PAGE, {"name": "New", "password": PASSWORD} | fields), 400)
    assert says in shown
    assert PASSWORD not in shown
    assert not User.objects.filter(email="new@example.com").exists()
    assert acme.invitations.exists()


def test_the_form_sets_nothing_else_of_a_person(acme: Account, other_account: Account) -> None:
    client = opened(invite(acme))
    smuggled = {
        "email": "eve@example.com",
        "login": "eve@example.com",
        "is_staff": "on",
        "is_superuser": "on",
        "roles": ["owner"],
        "account": other_account.pk,
        "id": "f" * 24,
    }
    client.post(PAGE, {"name": "New", "password": PASSWORD} | smuggled)
    person = User.objects.get(email="new@example.com")
    assert (person.is_staff, person.is_superuser, person.pk == "f" * 24) == (False, False, False)
    [membership] = person.memberships.all()
    assert (membership.account, membership.roles) == (acme, ["analyst"])


def test_joining_needs_a_form_of_ours(acme: Account) -> None:
    client = Client(enforce_csrf_checks=True)
    opened(invite(acme), client)
    assert client.post(PAGE, {"name": "New", "password": PASSWORD}).status_code == 403
    assert acme.invitations.exists()


# Joining


def test_the_page_says_who_invites_into_what_with_which_roles(acme: Account) -> None:
    shown = text_of(opened(invite(acme, roles=[Role.ANALYST, Role.INTEGRATOR])).get(PAGE))
    for text in ("Join <bdi>Acme</bdi>", "Alice", "alice@example.com", "new@example.com", "Integrator", "API keys"):
        assert text in shown


def test_a_new_person_chooses_name_and_password_and_is_in(acme: Account) -> None:
    client = opened(invite(acme))
    before = client.cookies["sessionid"].value
    response = client.post(PAGE, {"name": "Nia", "password": PASSWORD}, follow=True)
    shown = text_of(response)
    assert "Welcome to Acme." in shown
    assert response.request["PATH_INFO"] == "/conversations/"
    assert client.cookies["sessionid"].value != before  # a session that somebody else planted is of no use
    assert Client().post("/login/", {"login": "new@example.com", "password": PASSWORD}).status_code == 302
    joined = acme.audit_events.get(action="member.joined")
    assert (joined.actor_name, joined.metadata["roles"]) == ("Nia", ["analyst"])
    assert GONE in text_of(client.get(PAGE), 404)


def test_who_is_known_signs_in_first_and_is_led_back(acme: Account, charlie: User, other_account: Account) -> None:
    client = opened(invite(acme, charlie.email))
    shown = text_of(client.get(PAGE))
    assert "Sign in" in shown
    assert "new-password" not in shown
    assert client.post(PAGE, {"name": "Eve", "password": PASSWORD})["Location"].startswith("/login/")
    response = client.post("/login/", {"login": charlie.email, "password": PASSWORD, "next": PAGE}, follow=True)
    assert "Join <bdi>Acme</bdi>" in text_of(response)
    assert not acme.memberships.filter(user=charlie).exists()
    shown = text_of(client.post(PAGE, follow=True))
    assert "Welcome to Acme." in shown
    assert ">Acme<" in shown
    assert {one.account for one in charlie.memberships.all()} == {acme, other_account}


def test_one_post_is_all_it_takes_for_who_is_signed_in(acme: Account, charlie: User) -> None:
    client = opened(invite(acme, "Charlie@Example.com"), client_of(charlie))
    assert acme.memberships.filter(user=charlie).count() == 0
    assert "Welcome to Acme." in text_of(client.post(PAGE, follow=True))
    assert acme.memberships.get(user=charlie).roles == ["analyst"]


def test_an_invitation_that_goes_between_look_and_click_is_told_so(acme: Account, charlie: User) -> None:
    client = opened(invite(acme, charlie.email), client_of(charlie))
    assert client.get(PAGE).status_code == 200
    Invitation.objects.get().withdraw(by=None)
    assert GONE in text_of(client.post(PAGE), 404)
    assert not acme.memberships.filter(user=charlie).exists()


# The secret


def test_the_secret_is_in_no_page_cookie_or_session(acme: Account) -> None:
    token = invite(acme)
    client = Client()
    response = client.get(f"{PAGE}{token}/")
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cache-Control"] == "private, no-store"
    assert token not in str(response.headers) + str(response.cookies) + response.content.decode()
    assert token not in client.get(PAGE).content.decode()
    [session] = Session.objects.all()
    assert token not in str(session.get_decoded())


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the store's files")
@pytest.mark.django_db(transaction=True)
def test_the_store_holds_no_secret(acme: Account) -> None:
    """T17: what somebody finds who reads the whole database."""
    tokens = [invite(acme), invite(acme, "second@example.com")]
    client = opened(tokens[0])
    client.post(PAGE, {"name": "New", "password": PASSWORD})
    opened(tokens[1])
    store = Path(connection.settings_dict["NAME"])
    held = b"".join(path.read_bytes() for path in store.parent.glob(f"{store.name}*"))  # the log beside it included
    assert b"invitation.sent" in held
    sessions = str([session.get_decoded() for session in Session.objects.all()])
    assert [token for token in tokens if token.encode() in held or token in sessions] == []


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the server's own handler writes."""
    [handler] = [one for one in logging.getLogger().handlers if getattr(one, "name", "") == "stderr"]
    assert isinstance(handler, logging.StreamHandler)
    before, written = handler.stream, StringIO()
    handler.setStream(written)
    yield written
    handler.setStream(before)


@pytest.mark.parametrize("broken", ["store", "csrf", "session"])
def test_the_secret_is_in_no_log_whatever_goes_wrong(
    acme: Account, monkeypatch: pytest.MonkeyPatch, log: StringIO, broken: str
) -> None:
    token = invite(acme)
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    if broken == "store":
        monkeypatch.setattr(Invitation, "of_token", lambda token: 1 / 0)
    elif broken == "session":
        monkeypatch.setattr("accounts.views.invitations.KEY", {})
    path = f"{PAGE}{token}/"
    response = client.post(path) if broken == "csrf" else client.get(path)
    assert response.status_code == (403 if broken == "csrf" else 500)
    assert "/invitations/…" in log.getvalue()
    assert token not in log.getvalue()


def test_a_link_that_resets_a_password_is_in_no_log(db: None, log: StringIO) -> None:
    Client(enforce_csrf_checks=True).post("/login/reset/1a-secret-of-the-link/")
    Client().put("/login/reset/sent/")
    assert "/login/reset/…" in log.getvalue()
    assert "/login/reset/sent/" in log.getvalue()
    assert "secret-of-the-link" not in log.getvalue()


def test_the_links_of_the_list_of_people_are_logged_as_they_are(acme: Account, alice: User, log: StringIO) -> None:
    client_of(alice).get("/settings/people/invitations/0123/send/")
    assert "/settings/people/invitations/0123/send/" in log.getvalue()
