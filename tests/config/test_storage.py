"""The storage layer: one behaviour on three stores."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Account, AuditEvent
from config.storage.databases import store_from_url
from config.storage.fields import is_object_id, new_object_id
from config.storage.prepared import Prepared
from config.storage.transaction import atomic, snapshot
from conversations import wire
from conversations.listing.ordering import Order
from conversations.models import Conversation
from tests.factories import message

Record = Callable[..., Conversation]
BASE = Path("/srv/parley")


# DATABASE_URL


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "sqlite",
        "sqlite://",
        "sqlite:///",
        "mysql://host/db",
        "postgresql://host",
        "mongodb://host",
        "mongodb://",
    ],
)
def test_bad_address_names_the_variable(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        store_from_url(url, base_dir=BASE)


def test_sqlite_path_is_relative_to_the_project_or_absolute(tmp_path: Path) -> None:
    assert store_from_url("sqlite:///a/b.db", base_dir=tmp_path).database["NAME"] == str(tmp_path / "a" / "b.db")
    absolute = store_from_url(f"sqlite:///{tmp_path}/c.db", base_dir=BASE)
    assert absolute.database["NAME"] == f"{tmp_path}/c.db"


def test_sqlite_keeps_what_it_acknowledged(db: None) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("about SQLite")
    with connection.cursor() as cursor:
        pragmas = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}


def test_mongodb_acknowledges_by_majority_unless_told_otherwise() -> None:
    options = store_from_url("mongodb://host/parley?replicaSet=rs0", base_dir=BASE).database["OPTIONS"]
    assert (options["w"], options["journal"]) == ("majority", True)
    options = store_from_url("mongodb://host/parley?w=1", base_dir=BASE).database["OPTIONS"]
    assert "w" not in options
    assert options["journal"] is True


# ObjectId


def test_new_ids_are_object_ids_and_differ() -> None:
    ids = [new_object_id() for _ in range(10_000)]
    assert len(set(ids)) == 10_000
    assert all(map(is_object_id, ids))
    assert ids == sorted(ids) or ids[-1][-6:] < ids[0][-6:]  # the counter wraps once in 16 million


@pytest.mark.parametrize("value", ["x", "A" * 24, "a" * 23, "a" * 24 + "\n", "١" * 24, 5, b"a" * 24])
def test_malformed_id_never_reaches_the_store(db: None, value: Any) -> None:
    with pytest.raises(ValidationError):
        Conversation.objects.filter(pk=value).exists()
    with pytest.raises(ValidationError):
        Conversation.objects.filter(campaign_id=value).exists()


def test_ids_are_hex_strings_in_python_and_foreign_keys_too(record: Record, acme: Account) -> None:
    pk = record(campaignId="c" * 24).pk
    conversation = Conversation.objects.get(pk=pk)
    assert (conversation.pk, conversation.account_id, conversation.campaign_id) == (pk, acme.pk, "c" * 24)
    assert Conversation.objects.in_bulk([pk]) == {pk: conversation}
    assert list(Conversation.objects.values_list("pk", "account")) == [(pk, acme.pk)]
    if connection.vendor == "mongodb":
        from bson import ObjectId

        stored = connection.database[  # type: ignore[attr-defined]
            "conversations_conversation"
        ].find_one()
        assert stored["_id"] == ObjectId(pk)
        assert stored["account_id"] == ObjectId(acme.pk)
        assert isinstance(stored["messages"], list)


# Documents


def test_stored_documents_are_the_wires_json(record: Record) -> None:
    record(messages=[message('ä "quoted" \\ \u2028 </script>', role="agent")])
    [row] = wire.rows(Conversation.objects.all())
    stored = dict(zip(wire.COLUMNS, row, strict=True))["stored_messages"]
    if connection.vendor != "mongodb":
        text = stored if isinstance(stored, str) else stored.decode()
        assert ": " not in text.replace("ä ", "")
        stored = json.loads(text)
    assert list(stored[0]) == ["role", "content", "timestamp", "agentConfigId"]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=50)


@pytest.mark.parametrize("given_texts", [["$x", "$$ROOT", "{'$set': 1}", "a.b", "%s", "[]", "]", ","]])
def test_appended_documents_are_data_and_never_code(record: Record, given_texts: list[str]) -> None:
    conversation = record(messages=[])
    for text in given_texts:
        conversation.append([message(text)], by=None)
    assert [said["content"] for said in Conversation.objects.get().messages] == given_texts


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4))
def test_splicing_text_is_appending_to_a_list(first: list[str], second: list[str]) -> None:
    """The rule of AppendDocuments on SQL, for any content."""
    import orjson

    stored, new = orjson.dumps(first).decode(), orjson.dumps(second).decode()
    if second:
        spliced = new if stored == "[]" else f"{stored[:-1]},{new[1:]}"
        assert orjson.loads(spliced) == first + second


# Transactions


def test_atomic_takes_everything_back(acme: Account, record: Record) -> None:
    conversation = record()

    @atomic
    def half() -> None:
        conversation.change_status("dropped", by=None)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        half()
    conversation.refresh_from_db()
    assert conversation.status == "active"
    assert not AuditEvent.objects.filter(action="conversation.status_changed").exists()


@pytest.mark.django_db(transaction=True)
def test_stream_shows_the_store_as_it_was_when_it_began(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "STREAM_ROWS", 2)
    monkeypatch.setattr(wire, "STREAM_BYTES", 1)
    ids = {record(updatedAt=f"2026-01-01T00:00:{second:02}Z").pk for second in range(20)}
    stream = wire.stream(Conversation.objects.newest_first())
    begun = next(stream)
    oldest = Conversation.objects.order_by("updated_at").first()
    assert oldest

    def change() -> None:
        Conversation.objects.get(pk=oldest.pk).append([message("moves to the top")], by=None)
        connection.close()

    from threading import Thread

    thread = Thread(target=change)
    thread.start()
    thread.join()
    shown = json.loads(begun + b"".join(stream))
    assert {conversation["_id"] for conversation in shown} == ids
    assert len(shown) == 20


def test_prepared_statement_takes_texts_numbers_moments_and_a_limit(acme: Account, record: Record) -> None:
    asked = Prepared(
        lambda account, most, before, limit: (
            Conversation.objects.filter(account_id=account, message_count__lte=most, created_at__lt=before)
            .order_by("created_at")
            .values_list("lead_id")[:limit]
        ),
        values=1,
        numbers=1,
        moments=1,
        has_limit=True,
    )
    first, second, third = (record(createdAt=f"2026-03-0{day}T00:00:00.500Z", messages=[]) for day in (1, 2, 3))
    end = third.created_at
    assert asked(acme.pk, 5, end, 9) == [(first.lead_id,), (second.lead_id,)]
    assert asked(acme.pk, 5, end + timedelta(milliseconds=1), 9)[-1] == (third.lead_id,)
    assert asked(acme.pk, 5, end, 1) == [(first.lead_id,)]
    assert asked(acme.pk, -1, end, 9) == asked("a" * 24, 5, end, 9) == []


def test_what_does_not_stand_in_a_statement_cannot_be_prepared(acme: Account) -> None:
    if connection.vendor == "mongodb":
        return  # writes it each time
    asked = Prepared(lambda text: Conversation.objects.filter(lead_id__startswith=text).values_list("pk"), values=1)
    with pytest.raises(TypeError, match="parameter"):
        asked("a")


def test_nested_snapshot_joins_the_outer_one(record: Record) -> None:
    record()
    with snapshot(), snapshot():
        assert Conversation.objects.count() == 1


# Plans


def plan(conversations: Any) -> str:
    """How the store would answer, in its own words."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A table this small would be read whole, and sorted.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
            cursor.execute("ANALYZE conversations_conversation")
    return str(conversations.explain())


def is_from_index(plan: str, index: str) -> bool:
    if connection.vendor == "sqlite":
        return index in plan and "TEMP B-TREE" not in plan
    if connection.vendor == "postgresql":
        # Between two that give the order, a table this small leaves the planner the choice.
        return "Index Scan using conversation_" in plan and "Sort" not in plan
    [cursor, *rest] = json.loads(plan)["stages"]
    winner = json.dumps(cursor["$cursor"]["queryPlanner"]["winningPlan"])
    return f'"{index}"' in winner and '"SORT"' not in winner and "$sort" not in json.dumps(rest)


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "conversation_newest"),
        ({"status": "active"}, "conversation_newest_by_status"),
        ({"lead_id": "1"}, "conversation_of_lead"),
    ],
)
def test_lists_are_read_in_order_from_an_index(acme: Account, record: Record, filters: Any, index: str) -> None:
    for number in range(24):
        record(**({} if number % 8 else {"leadId": "1"}), status="dropped" if number % 8 else "active")
    found = acme.conversations.live().filter(**filters).newest_first()
    first = found.first()
    assert first
    for queryset in (found, found.after(first.updated_at, first.pk)):
        explained = plan(wire.rows(queryset)[:50])
        assert is_from_index(explained, index), explained


@pytest.mark.skipif(connection.vendor == "mongodb", reason="tests/config/test_examined.py")
@pytest.mark.parametrize("is_descending", [True, False])
def test_a_page_passes_over_none_of_its_equals(acme: Account, record: Record, is_descending: bool) -> None:
    for _ in range(24):
        record()
    order = Order("messageCount", is_descending=is_descending)
    listed = order.of(acme.conversations.live())
    everything = [each.pk for each in listed]
    following = order.after(acme.conversations.live(), order.place_of(listed[10]))
    assert [each.pk for each in following] == everything[11:]
    sign = "<" if is_descending else ">"
    sought = {"sqlite": f"(message_count,_id){sign}(?,?)", "postgresql": f"(ROW(message_count, _id) {sign} ROW("}
    explained = plan(following.values_list("message_count", "pk")[:5])
    assert sought[connection.vendor] in explained, explained
    assert "conversation_longest" in explained
    assert "Filter" not in explained
