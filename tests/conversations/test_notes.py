"""Internal notes: for the team alone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, AuditEvent, User
from accounts.scopes import Role
from conversations.models import Conversation, Note
from tests.conftest import Api, client_of, json_of, text_of
from tests.conversations.test_transcript_page import transcript_of

Record = Callable[..., Conversation]


def notes_of(conversation: Conversation) -> str:
    return f"{transcript_of(conversation)}notes/"


def remove_of(conversation: Conversation, note: Note | str) -> str:
    return f"{notes_of(conversation)}{note.pk if isinstance(note, Note) else note}/remove/"


# Refusals


def test_who_may_only_read_sees_notes_and_writes_none(acme: Account, alice: User, record: Record) -> None:
    dana = User.objects.create_user("dana@example.com")
    acme.memberships.create(user=dana, roles=[Role.ANALYST])
    conversation = record()
    note = Note.objects.write(conversation, "Call on Friday", by=alice)
    client = client_of(dana)
    text = text_of(client.get(transcript_of(conversation)))
    assert "Call on Friday" in text
    assert 'id="note-text"' not in text
    assert client.post(notes_of(conversation), {"text": "x"}).status_code == 403
    assert client.post(remove_of(conversation, note)).status_code == 403
    assert Note.objects.count() == 1


def test_another_accounts_conversation_takes_no_note(page: Client, other_account: Account, record: Record) -> None:
    for theirs in (record(account=other_account), record(environment="test")):
        assert page.post(notes_of(theirs), {"text": "x"}).status_code == 404
    assert page.post(f"/conversations/{'0' * 24}/notes/", {"text": "x"}).status_code == 404
    assert not Note.objects.exists()


def test_only_ones_own_notes_can_be_removed(page: Client, bob: User, alice: User, record: Record) -> None:
    conversation, other = record(), record()
    bobs, mine = (Note.objects.write(conversation, "x", by=author) for author in (bob, alice))
    assert page.post(remove_of(conversation, bobs)).status_code == 404
    assert page.post(remove_of(other, mine)).status_code == 404
    for unknown in ("0" * 24, "x"):
        assert page.post(remove_of(conversation, unknown)).status_code == 404
    assert Note.objects.count() == 2
    text = text_of(page.get(transcript_of(conversation)))
    assert remove_of(conversation, mine) in text
    assert remove_of(conversation, bobs) not in text


@pytest.mark.parametrize("text", ["", "  ", "x" * 5_001, "\x00"])
def test_a_text_that_may_not_be_is_not_saved(page: Client, record: Record, text: str) -> None:
    response = page.post(notes_of(record()), {"text": text}, follow=True)
    assert "The note was not saved." in text_of(response)
    assert not Note.objects.exists()


def test_a_link_writes_and_removes_nothing(page: Client, alice: User, record: Record) -> None:
    conversation = record()
    note = Note.objects.write(conversation, "x", by=alice)
    assert page.get(notes_of(conversation)).status_code == 405
    assert page.get(remove_of(conversation, note)).status_code == 405


# Writing


def test_a_note_is_shown_in_the_thread(page: Client, alice: User, record: Record) -> None:
    conversation = record()
    response = page.post(f"{notes_of(conversation)}?status=active", {"text": " Call on\r\nFriday <b> "})
    note = Note.objects.get()
    assert response["Location"] == f"{transcript_of(conversation)}?status=active#note-{note.pk}"
    assert (note.text, note.author) == ("Call on\nFriday <b>", alice)
    text = text_of(page.get(transcript_of(conversation)))
    assert "Call on\nFriday &lt;b&gt;" in text
    assert "Team only" in text
    assert '<bdi class="run__name">Alice</bdi>' in text


def test_a_long_note_with_many_lines_is_counted_as_browsers_count(page: Client, record: Record) -> None:
    page.post(notes_of(record()), {"text": "x\r\n" * 2_499 + "x"})
    assert len(Note.objects.get().text) == 4_999


def test_ones_own_note_can_be_removed(page: Client, alice: User, record: Record) -> None:
    conversation = record()
    note = Note.objects.write(conversation, "Call on Friday", by=alice)
    response = page.post(f"{remove_of(conversation, note)}?search=x")
    assert response["Location"].startswith(f"{transcript_of(conversation)}?search=x#")
    assert not Note.objects.exists()
    actions = AuditEvent.objects.filter(action__startswith="note.").order_by("timestamp", "id")
    assert [event.action for event in actions] == ["note.written", "note.removed"]
    assert "Friday" not in str([event.metadata for event in actions])


def test_notes_stay_inside(page: Client, api: Api, alice: User, record: Record) -> None:
    conversation = record()
    Note.objects.write(conversation, "zebra", by=alice)
    answers: list[Any] = [
        api.get(f"/api/conversations/{conversation.pk}"),
        api.get("/api/conversations"),
        api.get("/api/conversations/export"),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert b"zebra" not in answer.getvalue()
    assert json_of(api.get(search="zebra")) == []
    assert page.get("/conversations/", {"search": "zebra"}).context["total"] == 0
    response = page.get(transcript_of(conversation), {"find": "zebra"})
    assert response.context["find"].total == 0


def test_notes_are_printed_only_when_ticked(page: Client, alice: User, record: Record) -> None:
    conversation = record()
    Note.objects.write(conversation, "zebra", by=alice)
    assert "thread--print-notes" not in text_of(page.get(transcript_of(conversation)))
    assert "thread--print-notes" in text_of(page.get(transcript_of(conversation), {"notes": "1"}))


def test_a_hostile_note_stays_text(page: Client, bob: User, record: Record) -> None:
    conversation = record()
    bob.name = "<img src=x>"
    bob.save()
    Note.objects.write(conversation, "</p><img src=x onerror=alert(1)>{{ 7 }}", by=bob)
    text = text_of(page.get(transcript_of(conversation)))
    assert "<img" not in text
    assert "{{ 7 }}" in text


def test_a_transcript_shows_its_own_notes(page: Client, alice: User, record: Record) -> None:
    first, second = record(), record()
    for conversation, text in ((first, "Call on Friday"), (second, "Wants a demo")):
        Note.objects.write(conversation, text, by=alice)
    shown = text_of(page.get(transcript_of(first)))
    assert "Call on Friday" in shown
    assert "Wants a demo" not in shown
