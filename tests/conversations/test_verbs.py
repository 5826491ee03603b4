"""What changes a conversation: record, append, change_status, update_details. Atomic, bounded, audited."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from accounts.models import Account, AuditEvent, User
from config.storage.moments import now
from conversations.messages import MAX_CONTENT_LENGTH, MAX_MESSAGES
from conversations.models import Conversation, ConversationFull, Outcome, StatusNotAllowed
from conversations.models import conversation as module
from conversations.serializers import ConversationRecordSerializer, record_from
from tests.conftest import Api, statements
from tests.factories import WireConversation, message

Record = Callable[..., Conversation]


def values(**fields: Any) -> dict[str, Any]:
    return record_from(ConversationRecordSerializer(), WireConversation(**fields))


def outcomes(account: Account, *records: dict[str, Any], environment: str = "live") -> list[Any]:
    return [
        (recorded.outcome, recorded.faults)
        for recorded in Conversation.objects.record(account, records, environment=environment, by=None)
    ]


# Record


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"lead_id": ""}, "lead_id"),
        ({"lead_id": "x" * 65}, "lead_id"),
        ({"lead_phone": ""}, "lead_phone"),
        ({"lead_phone": "x" * 65}, "lead_phone"),
        ({"lead_phone": "a\x00"}, "lead_phone"),
        ({"lead_email": "\ud800"}, "lead_email"),
        ({"channel": "sms"}, "channel"),
        ({"status": "open"}, "status"),
        ({"agent_config_id": "x"}, "agent_config_id"),
        ({"campaign_id": "C" * 24}, "campaign_id"),
        ({"current_stage_index": -1}, "current_stage_index"),
        ({"current_stage_index": 2**31}, "current_stage_index"),
        ({"current_stage_name": "x" * 201}, "current_stage_name"),
        ({"summary": "x" * 20_001}, "summary"),
        ({"qualification_reason": "x" * 5_001}, "qualification_reason"),
        ({"messages": {}}, "messages"),
        ({"messages": [{"role": "bot", "content": "", "timestamp": "2026-01-01T00:00:00.000Z"}]}, "messages"),
        ({"messages": [{"role": "lead", "content": "x", "timestamp": "2026-01-01T00:00:00Z"}]}, "messages"),
        ({"messages": [{"role": "lead", "content": "x"}]}, "messages"),
        ({"messages": [message("x") | {"more": 1}]}, "messages"),
        ({"messages": [message("x" * (MAX_CONTENT_LENGTH + 1))]}, "messages"),
        ({"messages": [message("a\x00")]}, "messages"),
        ({"messages": [message("\udfff")]}, "messages"),
        ({"messages": [message("x")] * (MAX_MESSAGES + 1)}, "messages"),
    ],
)
def test_what_is_out_of_bounds_is_refused_and_the_rest_recorded(acme: Account, fields: Any, field: str) -> None:
    refused, recorded = outcomes(acme, values() | fields, values())
    assert refused[0] == Outcome.REFUSED
    assert list(refused[1]) == [field]
    assert recorded == (Outcome.RECORDED, None)
    assert acme.conversations.count() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"leadId": True}, "leadId"),
        ({"leadId": 1.5}, "leadId"),
        ({"leadId": None}, "leadId"),
        ({"channel": None}, "channel"),
        ({"leadPhone": 5}, "leadPhone"),
        ({"currentStageIndex": "x"}, "currentStageIndex"),
        ({"createdAt": "2026-01-01"}, "createdAt"),
        ({"createdAt": "2026-12-31T23:59:60Z"}, "createdAt"),
        ({"updatedAt": "0001-01-01T00:00:00+14:00"}, "updatedAt"),
        ({"updatedAt": 5}, "updatedAt"),
        ({"id": "X"}, "_id"),
        ({"messages": "x"}, "messages"),
        ({"messages": ["x"]}, "messages"),
        ({"messages": [{"role": ["lead"], "content": "x"}]}, "messages"),
        ({"messages": [{"role": "lead"}]}, "messages"),
        ({"messages": [{"role": "lead", "content": "x", "timestamp": "soon"}]}, "messages"),
        ({"messages": [{"role": "agent", "content": "x", "agentConfigId": 7}]}, "messages"),
        ({"qualificationResult": {}}, "qualificationResult"),
        ({"qualificationResult": {"qualified": "yes"}}, "qualificationResult"),
        ({"qualificationResult": {"qualified": True, "reason": 5}}, "qualificationResult"),
    ],
)
def test_what_a_client_may_not_send_is_refused_by_its_wire_name(fields: Any, field: str) -> None:
    with pytest.raises(Exception) as caught:
        values(**fields)
    assert list(getattr(caught.value, "detail", {})) == [field]


def test_accountid_messagecount_and_unknown_fields_are_ignored(acme: Account, other_account: Account) -> None:
    [(outcome, _)] = outcomes(
        acme, values(accountId=other_account.pk, messageCount=99, environment="test", search_text="x")
    )
    assert outcome == Outcome.RECORDED
    assert acme.conversations.live().get().message_count == 2
    assert not other_account.conversations.exists()


def test_the_same_record_again_is_unchanged(acme: Account) -> None:
    record = values(id="1" * 24, createdAt="2026-01-01T00:00:00Z", updatedAt="2026-01-02T00:00:00Z")
    assert outcomes(acme, record) == [(Outcome.RECORDED, None)]
    written = AuditEvent.objects.count()
    assert outcomes(acme, record) == [(Outcome.UNCHANGED, None)]
    assert AuditEvent.objects.count() == written


def test_a_known_id_is_replaced_whole(acme: Account, api: Api) -> None:
    moments = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-02T00:00:00Z"}
    outcomes(acme, values(id="1" * 24, summary="Old", leadEmail="a@example.com", **moments))
    new = values(id="1" * 24, messages=[message("Zebra")], **moments)
    assert outcomes(acme, new) == [(Outcome.REPLACED, None)]
    [shown] = api.listed(search="zebra")
    assert shown["messageCount"] == 1
    assert "summary" not in shown
    assert "leadEmail" not in shown
    assert api.ids(search="price") == []


def test_of_two_records_with_one_id_the_later_wins(acme: Account) -> None:
    first, second = values(id="1" * 24, summary="First"), values(id="1" * 24, summary="Second")
    assert [outcome for outcome, _ in outcomes(acme, first, second)] == [Outcome.RECORDED, Outcome.REPLACED]
    assert acme.conversations.get().summary == "Second"


def test_an_id_of_another_account_or_environment_is_refused(acme: Account, other_account: Account) -> None:
    outcomes(acme, values(id="1" * 24))
    for account, environment in ((other_account, "live"), (acme, "test")):
        [(outcome, faults)] = outcomes(account, values(id="1" * 24, summary="Mine"), environment=environment)
        assert outcome == Outcome.REFUSED
        assert list(faults) == ["id"]
    assert acme.conversations.live().get().summary == ""


def test_a_batch_is_one_audit_entry_with_its_ids(acme: Account, alice: User) -> None:
    results = Conversation.objects.record(acme, [values(), values()], environment="test", by=alice)
    entry = acme.audit_events.get(action="conversations.recorded")
    assert entry.metadata == {"recorded": [recorded.id for recorded in results]}
    assert (entry.actor_type, entry.actor_id, entry.actor_name, entry.environment) == (
        "user",
        alice.pk,
        "Alice",
        "test",
    )


def test_dry_run_writes_nothing(acme: Account) -> None:
    outcomes(acme, values(id="1" * 24))
    before = AuditEvent.objects.count()
    results = Conversation.objects.record(
        acme, [values(), values(id="1" * 24, summary="New")], environment="live", by=None, dry_run=True
    )
    assert [recorded.outcome for recorded in results] == [Outcome.RECORDED, Outcome.REPLACED]
    assert acme.conversations.get().summary == ""
    assert AuditEvent.objects.count() == before


# Append


def test_bad_message_is_refused_and_nothing_added(record: Record) -> None:
    conversation = record()
    with pytest.raises(ValidationError):
        conversation.append([message("good"), {"role": "lead", "content": 5}], by=None)
    conversation.refresh_from_db()
    assert conversation.message_count == 2


def test_conversation_holds_so_many_messages_and_no_more(record: Record) -> None:
    conversation = record(messages=[message("x")] * (MAX_MESSAGES - 1))
    conversation.append([message("the last")], by=None)
    assert conversation.message_count == MAX_MESSAGES
    with pytest.raises(ConversationFull):
        conversation.append([message("one more")], by=None)
    conversation.refresh_from_db()
    assert len(conversation.messages) == MAX_MESSAGES


def test_conversation_holds_so_many_bytes_and_no_more(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = record()
    monkeypatch.setattr(module, "MAX_BYTES", conversation.stored_bytes + 1_000)
    conversation.append([message("x" * 200)], by=None)
    with pytest.raises(ConversationFull):
        conversation.append([message("ж" * 200)], by=None)


@pytest.mark.parametrize("start", [[], [message("first")]])
def test_append_keeps_order_count_and_every_character(record: Record, start: Any) -> None:
    conversation = record(messages=start)
    contents = ['"quoted" \\ \\u0041', "% %s %(x)s", "{'$set': 1}", "$messages", "Привет 👋🏽", "line\nbreak", ""]
    conversation.append([message(content) for content in contents[:3]], by=None)
    conversation.append([message(content, role="agent") for content in contents[3:]], by=None)
    fresh = Conversation.objects.get(pk=conversation.pk)
    assert [said["content"] for said in fresh.messages] == [said["content"] for said in start] + contents
    assert fresh.message_count == len(fresh.messages)
    assert fresh.updated_at >= fresh.created_at
    before = (fresh.search_text, fresh.stored_bytes)
    fresh.derive()
    assert (fresh.search_text, fresh.stored_bytes) == before


def test_append_is_one_statement_without_an_audit_entry(record: Record) -> None:
    conversation = record()
    entries = AuditEvent.objects.count()
    with statements(1):
        conversation.append([message("Hi")], by=None)
    assert AuditEvent.objects.count() == entries


def test_missing_timestamp_of_a_message_is_now(record: Record) -> None:
    conversation, before = record(), now()
    conversation.append([{"role": "human", "content": "Hello"}], by=None)
    assert conversation.messages[-1]["timestamp"] >= before.isoformat()[:19]


def in_threads(number: int, function: Callable[[int], Any]) -> None:
    def run(index: int) -> None:
        try:
            function(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        list(pool.map(run, range(number)))


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_lose_nothing(record: Record) -> None:
    conversation = record(messages=[])

    def write(writer: int) -> None:
        mine = Conversation.objects.get(pk=conversation.pk)
        for number in range(15):
            mine.append([message(f"{writer}:{number}")], by=None)

    in_threads(16, write)
    conversation.refresh_from_db()
    contents = [said["content"] for said in conversation.messages]
    assert conversation.message_count == len(contents) == 240
    for writer in range(16):
        own = [content for content in contents if content.startswith(f"{writer}:")]
        assert own == [f"{writer}:{number}" for number in range(15)]


@pytest.mark.django_db(transaction=True)
def test_changes_at_the_same_time_each_tell_what_they_replaced(record: Record) -> None:
    conversation = record()
    statuses = ["completed", "handed_off", "dropped"]

    def change(index: int) -> None:
        mine = Conversation.objects.get(pk=conversation.pk)
        for number in range(6):
            mine.change_status(statuses[(index + number) % 3], by=None)
            mine.append([message(f"{index}:{number}")], by=None)

    in_threads(4, change)
    conversation.refresh_from_db()
    assert conversation.message_count == 2 + 24
    changes = [
        (entry.metadata["from"], entry.metadata["to"])
        for entry in AuditEvent.objects.filter(action="conversation.status_changed")
    ]
    # Each change left the status it says, and the next one found it: so in and out balance but for first and last.
    balance = dict.fromkeys(["active", *statuses], 0)
    for old, new in changes:
        balance[old] -= 1
        balance[new] += 1
    balance["active"] += 1
    balance[conversation.status] -= 1
    assert set(balance.values()) == {0}
    assert len(changes) >= 3


# Status


@pytest.mark.parametrize("status", ["active", "open", "", "COMPLETED"])
def test_nothing_returns_to_active(record: Record, status: str) -> None:
    conversation = record(status="dropped")
    with pytest.raises(StatusNotAllowed):
        conversation.change_status(status, by=None)
    conversation.refresh_from_db()
    assert conversation.status == "dropped"


@pytest.mark.parametrize("old", ["active", "completed", "handed_off", "dropped"])
@pytest.mark.parametrize("new", ["completed", "handed_off", "dropped"])
def test_status_changes_and_is_audited(record: Record, bob: User, old: str, new: str) -> None:
    conversation = record(status=old, updatedAt="2026-01-01T00:00:00Z")
    before = conversation.updated_at
    conversation.change_status(new, by=bob, reason="asked for a person")
    assert conversation.status == new
    entries = list(AuditEvent.objects.filter(action="conversation.status_changed"))
    if old == new:
        assert conversation.updated_at == before
        assert entries == []
    else:
        assert conversation.updated_at > before
        [entry] = entries
        assert entry.metadata == {"from": old, "to": new, "reason": "asked for a person"}
        assert (entry.actor_id, entry.resource_type, entry.resource_id) == (bob.pk, "conversation", conversation.pk)


# Details


def test_details_out_of_bounds_are_refused(record: Record) -> None:
    conversation = record()
    for changes in ({"summary": "x" * 20_001}, {"current_stage_index": -1}, {"agent_config_id": None}):
        with pytest.raises(ValidationError):
            conversation.update_details(changes, by=None)
    with pytest.raises(TypeError):
        conversation.update_details({"status": "dropped"}, by=None)
    assert not AuditEvent.objects.filter(action="conversation.details_updated").exists()


def test_details_change_together_and_are_audited(record: Record, api: Api) -> None:
    conversation = record(currentStageName="Greeting", leadEmail="old@example.com")
    conversation.update_details(
        {
            "current_stage_name": "Pricing",
            "current_stage_index": 2,
            "lead_email": "New@example.com",
            "qualified": True,
            "qualification_reason": "Budget",
            "summary": "",
        },
        by=api.key,
    )
    [shown] = api.listed(search="new@EXAMPLE")
    assert shown["currentStageName"] == "Pricing"
    assert shown["qualificationResult"] == {"qualified": True, "reason": "Budget"}
    assert api.ids(search="old@example") == []
    entry = AuditEvent.objects.get(action="conversation.details_updated")
    assert entry.metadata["current_stage_name"] == {"from": "Greeting", "to": "Pricing"}
    assert "summary" not in entry.metadata
    assert (entry.actor_type, entry.actor_id) == ("api_key", api.key.pk)


def test_details_that_stay_the_same_change_nothing(record: Record) -> None:
    conversation = record(summary="S")
    conversation.update_details({"summary": "S"}, by=None)
    assert not AuditEvent.objects.filter(action="conversation.details_updated").exists()


def test_change_and_audit_entry_stand_or_fall_together(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = record()

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(type(AuditEvent.objects), "log", fail)
    with pytest.raises(RuntimeError):
        conversation.change_status("dropped", by=None)
    with pytest.raises(RuntimeError):
        conversation.update_details({"summary": "New"}, by=None)
    conversation.refresh_from_db()
    assert (conversation.status, conversation.summary) == ("active", "")
