"""A brief for somebody without an account here: by a link that ends, with contacts masked."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.signing import Signer
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Membership, User
from accounts.origin import SECRET_PATH
from accounts.scopes import Role
from config.logs import shown_path
from config.storage.moments import now
from conversations.models import Conversation
from conversations.models.erasure import erase
from conversations.transcript.sharing import DAYS, Share
from tests.conftest import client_of, text_of
from tests.factories import message

Record = Callable[..., Conversation]


@pytest.fixture
def conversation(record: Record) -> Conversation:
    said = [message("Call me at +55 11 98888-0123 or ana@example.com, please?", timestamp="2026-03-01T10:00:00Z")]
    return record(leadPhone="+55 11 98888-0123", leadEmail="ana@example.com", summary="Wants 40 seats.", messages=said)


def share(person: User, conversation: Conversation, **data: Any) -> str:
    """The path of the link that the page shows."""
    address = reverse("conversations:share", args=[conversation.pk])
    shown = text_of(client_of(person).post(address, {"days": "7", **data}))
    found = re.search(r"<code>https?://[^/]+(/shared/link/[^<]+)</code>", shown)
    assert found, shown
    return found[1]


def token_of(conversation: Conversation, person: User, account: Account, days: int = 7) -> str:
    return Share.of(conversation, account.memberships.get(user=person), days).token


def opened(token: str, browser: Client | None = None) -> Any:
    browser = browser or Client()
    return browser.get(reverse("open-shared-brief", args=[token]), follow=True)


def test_who_has_the_link_reads_the_brief_with_contacts_masked(bob: User, conversation: Conversation) -> None:
    browser = Client()
    answer = browser.get(share(bob, conversation))
    assert (answer.status_code, answer["Location"]) == (302, f"/shared/{conversation.pk}/"), "no secret in the address"
    for _ in range(2):  # looking uses nothing up
        shown = text_of(browser.get(answer["Location"]))
    assert "Wants 40 seats." in shown
    assert "Shared with you by <bdi>Acme</bdi>" in shown
    assert "Call me at" in shown
    assert "98888" not in shown
    assert "ana@example.com" not in shown


def test_nothing_leads_on_from_a_shared_brief(bob: User, acme: Account, conversation: Conversation) -> None:
    page = opened(token_of(conversation, bob, acme))
    links = set(re.findall(r'(?:href|action)="(/[^"]*)"', text_of(page)))
    assert {link for link in links if not link.startswith("/static/")} <= {"/settings/language/"}
    assert page.client.get(reverse("conversations:transcript", args=[conversation.pk])).status_code == 302


def test_making_a_link_is_on_record_and_the_link_is_not(
    alice: User, bob: User, acme: Account, conversation: Conversation
) -> None:
    path = share(bob, conversation, days="30")
    entry = acme.audit_events.get(action="conversation.shared")
    assert (entry.resource_id, entry.actor_id, entry.metadata) == (conversation.pk, str(bob.pk), {"days": 30})
    assert "made a link to the brief of" in text_of(client_of(alice).get("/settings/audit/"))
    assert path.rpartition("/link/")[2].strip("/") not in shown_path(path)
    assert SECRET_PATH.sub(r"\1…", path) == "/shared/link/…"


@pytest.mark.parametrize("days", ["", "0", "8", "-1", "7.0", "365", "seven"])
def test_a_link_is_open_for_as_long_as_is_offered(bob: User, conversation: Conversation, days: str) -> None:
    page = client_of(bob).post(reverse("conversations:share", args=[conversation.pk]), {"days": days})
    assert page.status_code == 400
    assert all(str(days) in text_of(client_of(bob).get(f"/conversations/{conversation.pk}/brief/")) for days in DAYS)


def test_who_cannot_hand_over_is_offered_no_link(acme: Account, conversation: Conversation) -> None:
    reader = User.objects.create_user("reader@example.com")
    acme.memberships.create(user=reader, roles=[Role.AI_ARCHITECT])
    assert "share/" not in text_of(client_of(reader).get(f"/conversations/{conversation.pk}/brief/"))


def test_a_link_ends_at_its_end(
    bob: User, acme: Account, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Client()
    assert opened(token_of(conversation, bob, acme, days=1), browser).status_code == 200
    begun = now()
    monkeypatch.setattr("conversations.transcript.sharing.now", lambda: begun + timedelta(hours=23, minutes=59))
    assert browser.get(f"/shared/{conversation.pk}/").status_code == 200
    monkeypatch.setattr("conversations.transcript.sharing.now", lambda: begun + timedelta(hours=24))
    page = browser.get(f"/shared/{conversation.pk}/")
    assert "This link leads nowhere any more" in text_of(page, 404)


def leave(member: Membership) -> None:
    member.delete()


def read_only(member: Membership) -> None:
    member.roles = [Role.ANALYST]
    member.save()


def inactive(member: Membership) -> None:
    User.objects.filter(pk=member.user_id).update(is_active=False)


def suspended(member: Membership) -> None:
    Account.objects.filter(pk=member.account_id).update(suspended_at=now())


@pytest.mark.parametrize("change", [leave, read_only, inactive, suspended])
def test_a_link_ends_with_the_part_of_who_made_it(
    bob: User, acme: Account, conversation: Conversation, change: Callable[[Membership], None]
) -> None:
    browser, token = Client(), token_of(conversation, bob, acme)
    assert opened(token, browser).status_code == 200
    change(acme.memberships.get(user=bob))
    assert browser.get(f"/shared/{conversation.pk}/").status_code == 404
    assert opened(token).status_code == 404


def test_a_link_ends_with_the_lead(bob: User, acme: Account, conversation: Conversation) -> None:
    token = token_of(conversation, bob, acme)
    erase([conversation.pk], account=acme, environment="live", by=bob)
    assert opened(token).status_code == 404
    address = reverse("conversations:share", args=[conversation.pk])
    assert client_of(bob).post(address, {"days": "7"}).status_code == 400


def test_a_link_leads_to_no_other_accounts_conversation(
    bob: User, acme: Account, record: Record, other_account: Account
) -> None:
    theirs = record(account=other_account)
    assert opened(token_of(theirs, bob, acme)).status_code == 404
    assert client_of(bob).post(reverse("conversations:share", args=[theirs.pk]), {"days": "7"}).status_code == 404


def test_no_character_of_a_link_can_be_another(bob: User, acme: Account, conversation: Conversation) -> None:
    token = token_of(conversation, bob, acme)
    assert re.fullmatch(r"[A-Za-z0-9_.-]{60,100}", token)
    for place, character in enumerate(token):
        other = "A" if character != "A" else "B"
        assert Share.of_token(token[:place] + other + token[place + 1 :]) is None, place
    assert Share.of_token(token[:-1]) is None
    for text in ("", ".", "x.y", "é", "\0", "a" * 5_000, Signer(sep=".").sign(token.partition(".")[0])):
        assert Share.of_token(text) is None
    assert opened(f"{token}x").status_code == 404


def test_an_address_without_a_link_shows_nothing(bob: User, conversation: Conversation) -> None:
    for browser in (Client(), client_of(bob)):
        for pk in (conversation.pk, "a" * 24, "x"):
            assert browser.get(f"/shared/{pk}/").status_code == 404


def test_a_session_keeps_the_links_that_were_opened_last(bob: User, acme: Account, record: Record) -> None:
    browser, every = Client(), [record() for _ in range(22)]
    for one in every:
        assert opened(token_of(one, bob, acme), browser).status_code == 200
    found = [browser.get(f"/shared/{one.pk}/").status_code for one in every]
    assert found == [404] * 2 + [200] * 20


def test_a_person_of_another_account_reads_it_as_a_stranger_does(
    bob: User, charlie: User, acme: Account, other_account: Account, conversation: Conversation
) -> None:
    shown = text_of(opened(token_of(conversation, bob, acme), client_of(charlie)))
    assert "Wants 40 seats." in shown
    assert "98888" not in shown
    assert other_account.name not in shown
