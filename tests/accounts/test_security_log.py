"""What people do about their own signing in stands in the audit log; and what nobody else may tell from outside."""

import re
import threading
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import later
from accounts.models import Account, User
from tests.accounts.test_password_reset import NEW, PASSWORD, ask, choose, link_in
from tests.accounts.test_second_factor import set_up
from tests.accounts.test_security import browser, change, row_of
from tests.conftest import client_of


def told(account: Account) -> list[str]:
    """What the log tells of people's signing in, oldest first."""
    found = account.audit_events.filter(action__startswith="user.").order_by("timestamp", "pk")
    return [action.removeprefix("user.") for action in found.values_list("action", flat=True)]


def test_signing_in_and_changing_a_password_are_told(acme: Account, alice: User) -> None:
    client = browser(alice)
    assert told(acme) == ["signed_in"]
    change(client)
    assert told(acme) == ["signed_in", "password_changed"]
    page = " ".join(client.get("/settings/audit/").content.decode().split())
    assert "changed their password" in page
    entry = acme.audit_events.get(action="user.password_changed")
    assert (entry.actor_id, entry.actor_ip) == (alice.pk, "192.0.2.1")
    assert NEW not in str(entry.metadata)


def test_ending_sessions_is_told(acme: Account, alice: User) -> None:
    one, other = browser(alice), browser(alice)
    one.post(f"/settings/security/sessions/{row_of(other)}/end/")
    one.post("/settings/security/sessions/end/")
    assert told(acme)[2:] == ["session_ended", "sessions_ended"]


def test_a_new_password_by_mail_is_told(acme: Account) -> None:
    ask()
    choose(Client(), link_in(mail.outbox[0]))
    assert told(acme) == ["password_reset"]


@pytest.mark.django_db(transaction=True)  # allauth tells of it once it is committed
def test_the_second_factor_is_told(acme: Account, alice: User) -> None:
    client, _secret, _codes = set_up(alice)
    assert told(acme) == ["signed_in", "second_factor_added", "recovery_codes_made"]
    client.post("/settings/security/authenticator/remove/")
    assert told(acme)[-1] == "second_factor_removed"


def test_guesses_beyond_the_limit_are_told_once(acme: Account, alice: User) -> None:
    for _ in range(8):
        Client().post("/login/", {"login": alice.email, "password": "wrong"})
    for _ in range(8):
        Client().post("/login/", {"login": "nobody@example.com", "password": "wrong"})
    assert told(acme) == ["sign_in_limited"]


def test_it_is_told_in_every_account_of_the_person(acme: Account, other_account: Account, alice: User) -> None:
    other_account.memberships.create(user=alice, roles=["analyst"])
    browser(alice)
    assert told(acme) == told(other_account) == ["signed_in"]


# Nothing outside tells who is here


def test_asking_for_a_mail_is_the_same_work_for_everybody(acme: Account, alice: User, settings: Any) -> None:
    done: list[tuple[Any, ...]] = []
    settings.DOES_LATER = True
    pool, later._pool = later._pool, type("Waiting", (), {"submit": lambda self, *work: done.append(work)})()
    try:
        ask("somebody@example.com")  # what the first one makes is there for the others
        done.clear()
        statements = []
        for email in (alice.email, "nobody@example.com"):
            with CaptureQueriesContext(connection) as captured:
                assert ask(email).status_code == 302
            # MongoDB's are written with what they look for, in which the address is a digest
            asked = (re.sub("[0-9a-f]{64}", "…", query["sql"]).split(" ")[:3] for query in captured)
            statements.append([words for words in asked if words[0] not in ("SAVEPOINT", "RELEASE")])
    finally:
        later._pool = pool
    assert statements[0] == statements[1]
    assert len(done) == 2
    assert mail.outbox == []


class SlowServer(EmailBackend):
    """A mail server that takes nothing until it may."""

    may = threading.Event()

    def send_messages(self, messages: Any) -> int:
        assert self.may.wait(30)
        return super().send_messages(messages)


@pytest.mark.django_db(transaction=True)
def test_no_answer_waits_for_the_mail_server(settings: Any) -> None:
    person = User.objects.create_user("alice@example.com", PASSWORD)
    settings.DOES_LATER = True
    settings.EMAIL_BACKEND = f"{__name__}.SlowServer"
    sent: list[Any] = []
    do = later._pool.submit
    SlowServer.may.clear()
    try:
        later._pool.submit = lambda *work: sent.append(do(*work)) or sent[-1]  # type: ignore[method-assign,assignment,func-returns-value]
        assert ask(person.email).status_code == 302
        assert mail.outbox == []
    finally:
        later._pool.submit = do  # type: ignore[method-assign]
        SlowServer.may.set()
    sent[0].result(30)
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]


# Live and test


def test_a_form_of_the_other_environment_is_refused(acme: Account, alice: User, record: Any) -> None:
    conversation = record()
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    path = f"/conversations/{conversation.pk}/"
    page = client.get(path).content.decode()
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    assert token
    switched = client.post("/environment/", {"environment": "test", "csrfmiddlewaretoken": token})
    assert switched.status_code == 302
    client.post("/environment/", {"environment": "live", "csrfmiddlewaretoken": token})
    answer = client.post(f"{path}status/", {"status": "dropped", "csrfmiddlewaretoken": token})
    assert answer.status_code == 403
    told = answer.content.decode()
    assert "Your session has changed since this page was opened" in told
    assert ("You may not see this" in told, "Sign in as somebody else" in told) == (False, False)
    conversation.refresh_from_db()
    assert conversation.status == "active"


def test_choosing_the_same_environment_keeps_other_tabs(acme: Account, alice: User) -> None:
    client = client_of(alice)
    client.get("/settings/preferences/")
    before = client.cookies["csrftoken"].value
    client.post("/environment/", {"environment": "live"})
    assert client.cookies["csrftoken"].value == before
    client.post("/environment/", {"environment": "test"})
    assert client.cookies["csrftoken"].value != before


# Invitations


def test_withdrawing_and_inviting_anew_waits_its_minute(acme: Account, alice: User) -> None:
    client = client_of(alice)
    form = {"email": "dora@example.com", "roles": ["analyst"]}
    assert client.post("/settings/people/invite/", form).status_code == 302
    client.post(f"/settings/people/invitations/{acme.invitations.get().pk}/withdraw/")
    assert not acme.invitations.exists()
    again = client.post("/settings/people/invite/", form)
    assert again.status_code == 400
    assert "A mail went to that address a moment ago" in again.content.decode()
    assert len(mail.outbox) == 1
    assert client.post("/settings/people/invite/", {**form, "email": "emil@example.com"}).status_code == 302
