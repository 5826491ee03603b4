"""Changing many conversations at once, and undoing it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, AuditEvent, User
from accounts.scopes import Role
from config.storage.moments import now
from conversations.models import BulkChange, Conversation, StatusNotAllowed
from conversations.models import bulk as bulk_model
from tests.conftest import client_of, text_of
from tests.conversations.test_pages import LIST
from tests.factories import message

Record = Callable[..., Conversation]
BULK = f"{LIST}bulk/"


@pytest.fixture
def page(bob: User, acme: Account) -> Client:
    """The browser of Bob, who is an operator."""
    return client_of(bob)


def statuses() -> dict[str, str]:
    return dict(Conversation.objects.values_list("lead_id", "status"))


def confirmed(page: Client, data: dict[str, Any]) -> Any:
    """What the confirmation says is done."""
    asked = page.get(BULK, data)
    assert asked.status_code == 200, asked
    return page.post(BULK, {**data, "expected": asked.context["different"]})


def changes() -> list[tuple[str, dict[str, Any]]]:
    found = AuditEvent.objects.filter(action="conversation.status_changed").order_by("timestamp", "id")
    return [(event.actor_name, event.metadata) for event in found]


def test_who_may_not_change_a_status_sees_no_boxes_and_is_refused(acme: Account, record: Record) -> None:
    dana = User.objects.create_user("dana@example.com")
    acme.memberships.create(user=dana, roles=[Role.ANALYST])
    picked = {"id": record().pk, "to": "dropped"}
    client = client_of(dana)
    assert "row__check" not in text_of(client.get(LIST))
    assert client.get(BULK, picked).status_code == 403
    assert client.post(BULK, {**picked, "expected": 1}).status_code == 403
    assert set(statuses().values()) == {"active"}


@pytest.mark.parametrize("to", ["", "active", "nonsense"])
def test_no_other_status_can_be_asked_for(page: Client, record: Record, to: str) -> None:
    picked = {"id": record().pk, "to": to}
    assert page.get(BULK, picked).status_code == 404
    assert page.post(BULK, {**picked, "expected": 1}).status_code == 404


def test_the_verb_refuses_active_too(record: Record, acme: Account, bob: User) -> None:
    record()
    with pytest.raises(StatusNotAllowed):
        BulkChange.objects.change_status(acme.conversations.live(), "active", account=acme, environment="live", by=bob)


def test_the_confirmation_states_the_number_and_changes_nothing(page: Client, record: Record) -> None:
    ids = [record(status=status).pk for status in ("active", "active", "completed")]
    text = text_of(page.get(BULK, {"id": ids, "to": "completed"}))
    assert "Mark 2 conversations completed?" in text
    assert "2 of them are active now" in text
    assert sorted(statuses().values()) == ["active", "active", "completed"]


def test_those_that_were_ticked_are_changed_each_with_its_entry(page: Client, record: Record) -> None:
    ids = [record(leadId=name).pk for name in ("a", "b", "c")]
    response = confirmed(page, {"id": ids[:2], "to": "handed_off", "channel": "whatsapp"})
    assert response.status_code == 302
    assert statuses() == {"a": "handed_off", "b": "handed_off", "c": "active"}
    assert changes() == [("Bob", {"from": "active", "to": "handed_off"})] * 2
    text = text_of(page.get(response["Location"]))
    assert "2 conversations marked handed off." in text
    assert "channel=whatsapp" in response["Location"]


def test_all_that_match_are_changed_and_no_others(page: Client, record: Record, other_account: Account) -> None:
    for number in range(60):
        record(leadId=f"yes-{number}", messages=[message("refund")])
    record(leadId="no")
    record(leadId="test", environment="test", messages=[message("refund")])
    record(leadId="theirs", account=other_account, messages=[message("refund")])
    confirmed(page, {"all": "true", "search": "refund", "to": "dropped"})
    found = statuses()
    assert {name for name, status in found.items() if status == "dropped"} == {f"yes-{n}" for n in range(60)}
    assert len(changes()) == 60


def test_ids_of_others_are_not_found(page: Client, record: Record, other_account: Account) -> None:
    theirs, test = record(account=other_account), record(environment="test")
    response = page.get(BULK, {"id": [theirs.pk, test.pk, "f" * 24, "nonsense"], "to": "dropped"})
    assert response.status_code == 302
    assert "No conversation was selected." in text_of(page.get(response["Location"]))
    assert set(statuses().values()) == {"active"}


def test_when_the_number_has_changed_one_is_asked_again(page: Client, record: Record) -> None:
    record()
    asked = page.get(BULK, {"all": "true", "to": "dropped"})
    record()
    response = page.post(BULK, {"all": "true", "to": "dropped", "expected": asked.context["different"]})
    assert "The list has changed since you were asked." in text_of(response)
    assert "Mark 2 conversations dropped?" in text_of(response)
    assert set(statuses().values()) == {"active"}


def test_too_many_at_once_are_refused_in_words(page: Client, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_model, "MAX_CHANGED", 2)
    for _ in range(3):
        record()
    response = confirmed(page, {"all": "true", "to": "dropped"})
    assert "At most 2 conversations at a time." in text_of(page.get(response["Location"]))
    assert set(statuses().values()) == {"active"}


# Undoing


def undo(page: Client, change: BulkChange) -> str:
    response = page.post(f"{BULK}{change.pk}/undo/", {"query": "?channel=whatsapp"})
    assert response["Location"] == f"{LIST}?channel=whatsapp"
    return text_of(page.get(response["Location"]))


def test_undoing_gives_each_its_former_status_back(page: Client, record: Record) -> None:
    for name, status in (("a", "active"), ("b", "handed_off"), ("c", "dropped")):
        record(leadId=name, status=status)
    confirmed(page, {"all": "true", "to": "dropped"})
    change = BulkChange.objects.get()
    assert "Undone: 2 conversations as before." in undo(page, change)
    assert statuses() == {"a": "active", "b": "handed_off", "c": "dropped"}
    assert sorted(metadata["to"] for _, metadata in changes()) == ["active", "dropped", "dropped", "handed_off"]
    assert "Nothing was left to undo." in undo(page, change)


def test_what_somebody_changed_since_stays(page: Client, record: Record, alice: User) -> None:
    first, second = record(leadId="a"), record(leadId="b")
    confirmed(page, {"all": "true", "to": "dropped"})
    first.change_status("completed", by=alice)
    second.change_status("completed", by=alice)
    second.change_status("dropped", by=alice)
    record(leadId="c")
    text = undo(page, BulkChange.objects.get())
    assert "Nothing was left to undo." in text
    assert statuses() == {"a": "completed", "b": "dropped", "c": "active"}


def test_ones_own_change_is_no_news_to_oneself(page: Client, alice: User, record: Record) -> None:
    seen, unseen = record(leadId="seen"), record(leadId="unseen")
    page.get(f"{LIST}{seen.pk}/")
    Conversation.objects.filter(pk=unseen.pk).update(updated_at=now() + timedelta(days=1))

    def unread(client: Client) -> set[str]:
        return {row.conversation.lead_id for row in client.get(LIST).context["page"].rows if row.is_unread}

    page.post(f"{LIST}seen/", {"until": ""})
    assert unread(page) == {"unseen"}
    confirmed(page, {"all": "1", "to": "dropped"})
    assert unread(page) == {"unseen"}
    assert unread(client_of(alice)) == {"seen", "unseen"}
    undo(page, BulkChange.objects.get())
    assert unread(page) == {"unseen"}


def test_only_who_made_a_change_can_undo_it(page: Client, record: Record, alice: User, other_account: Account) -> None:
    record()
    confirmed(page, {"all": "true", "to": "dropped"})
    change = BulkChange.objects.get()
    for user in (alice, other_account.memberships.get().user):
        assert client_of(user).post(f"{BULK}{change.pk}/undo/").status_code == 404
    assert page.post(f"{BULK}nonsense/undo/").status_code == 404
    assert page.get(f"{BULK}{change.pk}/undo/").status_code == 405
    assert set(statuses().values()) == {"dropped"}
    assert "marked dropped" not in text_of(client_of(alice).get(LIST, {"changed": change.pk}))
