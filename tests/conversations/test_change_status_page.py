"""Closing one conversation from its transcript."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, AuditEvent, User
from accounts.scopes import Role
from conversations.models import Conversation
from tests.conftest import client_of, text_of
from tests.conversations.test_transcript_page import transcript_of

Record = Callable[..., Conversation]


def status_of(conversation: Conversation) -> str:
    return f"{transcript_of(conversation)}status/"


@pytest.fixture
def analyst(acme: Account) -> Client:
    dana = User.objects.create_user("dana@example.com")
    acme.memberships.create(user=dana, roles=[Role.ANALYST])
    return client_of(dana)


# Refusals


def test_who_may_only_read_has_no_buttons_and_is_refused(analyst: Client, record: Record) -> None:
    conversation = record()
    assert "Mark completed" not in text_of(analyst.get(transcript_of(conversation)))
    response = analyst.post(status_of(conversation), {"status": "dropped", "shown": "active"})
    assert response.status_code == 403
    conversation.refresh_from_db()
    assert conversation.status == "active"


def test_another_accounts_conversation_is_not_found(page: Client, other_account: Account, record: Record) -> None:
    for theirs in (record(account=other_account), record(environment="test")):
        assert page.post(status_of(theirs), {"status": "dropped", "shown": "active"}).status_code == 404
        theirs.refresh_from_db()
        assert theirs.status == "active"
    assert page.post(f"/conversations/{'0' * 24}/status/").status_code == 404
    assert page.post("/conversations/x/status/").status_code == 404


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"status": "dropped"},
        {"status": "active", "shown": "active"},
        {"status": "gone", "shown": "active"},
        {"status": "dropped", "shown": "gone"},
        {"status": "dropped", "shown": "active", "reason": "x" * 501},
        {"status": "dropped", "shown": "active", "reason": "\x00"},
    ],
)
def test_what_no_form_of_ours_sends_changes_nothing(page: Client, record: Record, sent: dict[str, str]) -> None:
    conversation = record()
    response = page.post(status_of(conversation), sent, follow=True)
    assert "Nothing was changed." in text_of(response)
    conversation.refresh_from_db()
    assert conversation.status == "active"


def test_a_link_cannot_change_it(page: Client, record: Record) -> None:
    assert page.get(status_of(record())).status_code == 405


def test_a_form_of_another_site_is_refused(alice: User, acme: Account, record: Record) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(status_of(record()), {"status": "dropped", "shown": "active"}).status_code == 403


# Changes


def test_what_follows_is_said_before(page: Client, alice: User, record: Record) -> None:
    conversation = record()
    text = text_of(page.get(transcript_of(conversation)))
    for verb in ("Mark completed", "Hand off", "Mark dropped"):
        assert f'<summary class="button">{verb}</summary>' in text
    assert text.count("It cannot be made active again.") == 3
    assert "Somebody of the team takes over; the AI stops answering." in text
    conversation.change_status("dropped", by=alice)
    text = text_of(page.get(transcript_of(conversation)))
    assert '<summary class="button">Mark dropped</summary>' not in text
    assert "Corrects how it was closed: it counts as completed, no longer as dropped." in text


def test_a_change_leads_back_to_the_transcript_and_is_in_the_log(page: Client, alice: User, record: Record) -> None:
    conversation = record()
    response = page.post(
        f"{status_of(conversation)}?status=active&search=price&events=0",
        {"status": "handed_off", "shown": "active", "reason": "wants\r\na discount"},
    )
    assert response.status_code == 302
    assert response["Location"] == f"{transcript_of(conversation)}?status=active&search=price&events=0"
    conversation.refresh_from_db()
    assert conversation.status == "handed_off"
    entry = AuditEvent.objects.get(action="conversation.status_changed")
    assert entry.metadata == {"from": "active", "to": "handed_off", "reason": "wants\na discount"}
    assert entry.actor_id == alice.pk


def test_who_changes_it_has_it_read(page: Client, alice: User, record: Record) -> None:
    conversation = record()
    page.post(status_of(conversation), {"status": "dropped", "shown": "active"})
    conversation.refresh_from_db()
    assert alice.read_marks.revisions([conversation.pk]) == {conversation.pk: conversation.revision}


def test_of_two_people_the_second_is_told_who_was_first(page: Client, bob: User, record: Record) -> None:
    conversation = record()
    conversation.change_status("completed", by=bob, reason="signed")
    response: Any = page.post(
        f"{status_of(conversation)}?search=price",
        {"status": "dropped", "shown": "active", "reason": "gone & silent"},
        follow=True,
    )
    [(location, _)] = response.redirect_chain
    assert location.startswith(f"{transcript_of(conversation)}?search=price&wanted=dropped&reason=gone+%26+silent#")
    text = text_of(response)
    assert "Nothing was changed." in text
    assert "<strong>Completed</strong>" in text
    assert "<bdi>Bob</bdi> changed it. “<bdi>signed</bdi>”" in text
    assert 'name="act" open' in text, "the form again"
    assert ">gone &amp; silent</textarea>" in text
    conversation.refresh_from_db()
    assert conversation.status == "completed"


@pytest.mark.parametrize("wanted", ["", "gone", "<img src=x>", "active", "dropped"])
def test_what_an_address_says_was_wanted_is_only_text(page: Client, record: Record, wanted: str) -> None:
    text = text_of(page.get(transcript_of(record()), {"wanted": wanted, "reason": "</textarea><img src=x>"}))
    assert "<img" not in text
