"""Totals that the database keeps: whatever happens to conversations, in whichever way, is counted."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Case, F, Value, When

from accounts.models import Account
from config.storage import tallies
from config.storage.cells import wrong_cells
from config.storage.kept import KEPT
from config.storage.spans import wrong_spans
from config.storage.transaction import atomic, snapshot_of_all
from conversations.models import Conversation, Tally, Totals
from conversations.models.cells import kept
from conversations.models.lead import kept_leads
from tests.conftest import statements
from tests.factories import message

Record = Callable[..., Conversation]

TABLES = {"table": Conversation._meta.db_table, "tally": Tally._meta.db_table}


def test_nothing_is_zero(acme: Account) -> None:
    assert Totals.of(acme, "live") == ({}, 0)
    assert Totals.of(acme, "live").number == 0


def test_each_change_is_counted_and_moves_between_statuses(acme: Account, record: Record) -> None:
    first, second = record(), record()
    assert Totals.of(acme, "live") == ({"active": 2}, 2)
    changes: list[Callable[[], None]] = [
        lambda: first.append([message("Hi")], by=None),
        lambda: second.change_status("dropped", by=None),
        lambda: first.update_details({"summary": "S"}, by=None),
    ]
    seen = [2]
    for change in changes:
        change()
        seen.append(Totals.of(acme, "live").changes)
    assert seen == sorted(set(seen))
    by_status = Totals.of(acme, "live").by_status
    assert (by_status["active"], by_status["dropped"]) == (1, 1)


def test_accounts_and_environments_are_counted_apart(acme: Account, other_account: Account, record: Record) -> None:
    record()
    record(environment="test")
    record(account=other_account)
    for account, environment in ((acme, "live"), (acme, "test"), (other_account, "live")):
        assert Totals.of(account, environment).number == 1
    assert Totals.of(other_account, "test").number == 0


def test_deleting_is_a_change(acme: Account, record: Record) -> None:
    kept, gone = record(), record()
    before = Totals.of(acme, "live").changes
    gone.delete()
    assert Totals.of(acme, "live").number == 1
    assert Totals.of(acme, "live").changes > before
    kept.delete()
    assert Totals.of(acme, "live").number == 0


@pytest.mark.skipif(connection.vendor == "mongodb", reason="there what Django writes is counted")
def test_statements_of_others_are_counted_too(acme: Account, record: Record) -> None:
    kept = record()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE conversations_conversation SET status = 'dropped', summary = 'by hand'")
    assert Totals.of(acme, "live").by_status["dropped"] == 1
    assert Totals.of(acme, "live").by_status["active"] == 0
    kept.delete()
    assert Totals.of(acme, "live").number == 0


def test_an_account_goes_with_its_tally(acme: Account, record: Record) -> None:
    record()
    account = Account.objects.create(name="Gone")
    record(account=account)
    pk = account.pk
    Conversation.objects.filter(account=account).delete()
    account.delete()
    assert not Tally.objects.filter(account_id=pk).exists()
    assert Totals.of(acme, "live").number == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="there a group has one row")
def test_folded_changes_add_up_to_the_same(acme: Account, record: Record) -> None:
    conversation = record()
    for number in range(400):
        Conversation.objects.filter(pk=conversation.pk).update(summary=str(number))
    assert Totals.of(acme, "live") == ({"active": 1}, 401)
    assert Tally.objects.filter(account=acme).count() < 401


@pytest.mark.skipif(connection.vendor == "mongodb", reason="has no triggers")
def test_what_was_there_before_is_counted_and_no_total_comes_back(acme: Account, record: Record) -> None:
    names = TABLES
    record()
    before = Totals.of(acme, "live")
    on = "" if connection.vendor == "sqlite" else f" ON {names['table']}"
    with connection.cursor() as cursor:
        for event in ("insert", "update", "delete", "move"):
            cursor.execute(f"DROP TRIGGER IF EXISTS {names['table']}_{event}{on}")
    record()
    assert Totals.of(acme, "live") == before
    tallies.keep_tally(**names)
    assert Totals.of(acme, "live").number == 2
    assert Totals.of(acme, "live").changes > before.changes
    known = Totals.of(acme, "live")
    tallies.keep_tally(**names)
    assert Totals.of(acme, "live") == known
    record()
    assert Totals.of(acme, "live").number == 3


@pytest.mark.skipif(connection.vendor != "mongodb", reason="the others have triggers")
def test_accounts_of_before_are_counted_once_where_statements_count(
    acme: Account, other_account: Account, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.delitem(KEPT, TABLES["table"])
        record().append([message("Hi")], by=None)
        record(status="dropped", environment="test")
    record(account=other_account)
    assert Totals.of(acme, "live") == ({}, 0)
    tallies.keep_tally(**TABLES)
    assert Totals.of(acme, "live") == ({"active": 1}, 2)
    assert Totals.of(acme, "test") == ({"dropped": 1}, 1)
    assert Totals.of(other_account, "live") == ({"active": 1}, 1)
    record()
    tallies.keep_tally(**TABLES)
    assert Totals.of(acme, "live") == ({"active": 2}, 3)


def test_changes_of_many_are_counted_by_where_they_were_and_where_they_are(acme: Account, record: Record) -> None:
    for status in ("active", "active", "dropped"):
        record(status=status)
    record(environment="test")
    before = Totals.of(acme, "live").changes
    assert Conversation.objects.update(summary="S") == 4
    assert Totals.of(acme, "live") == ({"active": 2, "dropped": 1}, before + 3)
    closed = Case(When(status="active", then=Value("completed")), default=F("status"))
    assert acme.conversations.live().update(status=closed) == 3
    assert Totals.of(acme, "live").by_status == {"active": 0, "completed": 2, "dropped": 1}
    assert acme.conversations.filter(status="completed").update(environment="test") == 2
    assert Totals.of(acme, "live").by_status == {"active": 0, "completed": 0, "dropped": 1}
    assert Totals.of(acme, "test").number == 3
    assert acme.conversations.filter(status="handed_off").update(status="dropped") == 0
    assert Conversation.objects.all().delete()[0] == 4
    assert (Totals.of(acme, "live").number, Totals.of(acme, "test").number) == (0, 0)
    assert tallies.wrong_totals(**TABLES) == 0


def test_what_fails_is_not_counted(acme: Account, record: Record) -> None:
    conversation = record()
    before = Totals.of(acme, "live")

    @atomic
    def fail() -> None:
        conversation.change_status("dropped", by=None)
        record()
        assert Totals.of(acme, "live").by_status == {"active": 1, "dropped": 1}
        raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert Totals.of(acme, "live") == before
    with pytest.raises(IntegrityError), transaction.atomic():
        Conversation.objects.bulk_create([Conversation.objects.get()])
    assert Totals.of(acme, "live") == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fold_one_in", [2, 64])
def test_writers_at_the_same_time_lose_nothing_and_readers_see_no_wrong_total(
    acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch, fold_one_in: int
) -> None:
    if connection.vendor == "mongodb":
        for kind in ("tallies", "cells"):
            monkeypatch.setattr(f"config.storage.mongodb.{kind}.FOLD_ONE_IN", fold_one_in)
    shared = record()
    is_over = Event()

    def write(writer: int) -> None:
        for turn in range(10):
            mine = record(status="active" if turn % 2 else "completed")
            shared.append([message("Hi")], by=None)
            mine.change_status("dropped", by=None)
            if not turn % 5:
                mine.delete()

    def read() -> int:
        looks, last = 0, 0
        while not is_over.is_set() or not looks:
            with snapshot_of_all():
                totals = Totals.of(acme, "live")
                counted = Counter(acme.conversations.live().order_by().values_list("status", flat=True))
            assert {status: number for status, number in totals.by_status.items() if number} == counted
            alone = Totals.of(acme, "live")
            assert alone.changes >= totals.changes >= last
            looks, last = looks + 1, alone.changes
        return looks

    def closing(function: Callable[..., Any], *args: Any) -> Any:
        try:
            return function(*args)
        finally:
            connection.close()

    with ThreadPoolExecutor(9) as pool:
        reading = pool.submit(closing, read)
        writing = [pool.submit(closing, write, writer) for writer in range(8)]
        try:
            for each in writing:
                each.result()
        finally:
            is_over.set()
        assert reading.result() > 0
    moved = 2 if connection.vendor == "sqlite" else 1  # there in both statuses
    changes = 1 + 80 + 80 + 80 * moved + 16  # the shared one, recorded, appended, closed, deleted
    assert Totals.of(acme, "live") == ({"active": 1, "completed": 0, "dropped": 64}, changes)
    assert tallies.wrong_totals(**TABLES) == 0
    assert not any(map(wrong_cells, kept()))
    assert wrong_spans(kept_leads()) == 0


@pytest.mark.skipif(connection.vendor != "mongodb", reason="PostgreSQL skips the rows that others fold")
def test_who_folds_at_the_same_moment_gives_up(acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    from bson import ObjectId

    from config.storage.mongodb.tallies import fold

    monkeypatch.setattr("config.storage.mongodb.tallies.FOLD_ONE_IN", 10**9)  # none by chance, one of five changes
    for _ in range(5):
        record()
    store: Any = connection
    name, account = TABLES["tally"], ObjectId(acme.pk)
    with store.connection.start_session() as session, session.start_transaction():
        store.database[name].delete_many({"account_id": account}, session=session)
        fold(store, name, account)
        session.abort_transaction()
    assert (Totals.of(acme, "live"), Tally.objects.count()) == (({"active": 5}, 5), 5)
    fold(store, name, account)
    assert (Totals.of(acme, "live"), Tally.objects.count()) == (({"active": 5}, 5), 1)


@pytest.mark.skipif(connection.vendor != "mongodb", reason="of its transactions")
@pytest.mark.parametrize("acknowledged", ["majority", 1])
def test_a_reader_sees_one_moment_and_all_that_was_acknowledged(
    acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch, acknowledged: Any
) -> None:
    from pymongo import WriteConcern

    from config.storage.mongodb import transaction as mongodb

    store: Any = connection
    client = store.connection
    monkeypatch.setattr(type(client), "write_concern", WriteConcern(acknowledged))
    for number in range(1, 21):
        record()
        with mongodb.read_at_once(store):
            assert store.session.options.snapshot is (acknowledged == "majority")
        assert Totals.of(acme, "live").number == number
    assert store.session is None


@pytest.mark.parametrize("number", [1, 30])
def test_totals_are_one_statement(acme: Account, record: Record, number: int) -> None:
    for _ in range(number):
        record()
    with statements(1):
        assert Totals.of(acme, "live").number == number


def test_store_without_the_tables_is_left_alone(db: None) -> None:
    tallies.keep_tally(table="not_there_yet", tally="nor_this")
    assert not {"not_there_yet", "nor_this"} & set(connection.introspection.table_names())
