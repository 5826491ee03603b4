"""Totals that the database keeps: whatever happens to conversations, in whichever way, is counted."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.models import Account
from conversations.models import Conversation, Tally, Totals
from tests.conftest import statements
from tests.factories import message

Record = Callable[..., Conversation]


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


@pytest.mark.skipif(connection.vendor == "mongodb", reason="counted there, where nothing is deleted")
def test_deleting_is_a_change_and_statements_of_others_are_too(acme: Account, record: Record) -> None:
    kept, gone = record(), record()
    before = Totals.of(acme, "live").changes
    gone.delete()
    assert Totals.of(acme, "live").number == 1
    assert Totals.of(acme, "live").changes > before
    with connection.cursor() as cursor:
        cursor.execute("UPDATE conversations_conversation SET status = 'dropped', summary = 'by hand'")
    assert Totals.of(acme, "live").by_status["dropped"] == 1
    assert Totals.of(acme, "live").by_status["active"] == 0
    kept.delete()
    assert Totals.of(acme, "live").number == 0


@pytest.mark.skipif(connection.vendor == "mongodb", reason="no tally is kept there")
def test_an_account_goes_with_its_tally(acme: Account, record: Record) -> None:
    record()
    account = Account.objects.create(name="Gone")
    record(account=account)
    pk = account.pk
    Conversation.objects.filter(account=account).delete()
    account.delete()
    assert not Tally.objects.filter(account_id=pk).exists()
    assert Totals.of(acme, "live").number == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only there changes are folded")
def test_folded_changes_add_up_to_the_same(acme: Account, record: Record) -> None:
    conversation = record()
    for number in range(400):
        Conversation.objects.filter(pk=conversation.pk).update(summary=str(number))
    assert Totals.of(acme, "live") == ({"active": 1}, 401)
    assert Tally.objects.filter(account=acme).count() < 401


@pytest.mark.skipif(connection.vendor == "mongodb", reason="no tally is kept there")
def test_what_was_there_before_is_counted_and_no_total_comes_back(acme: Account, record: Record) -> None:
    from config.storage.tallies import keep_tally

    names: dict[str, Any] = {"table": Conversation._meta.db_table, "tally": Tally._meta.db_table}
    record()
    before = Totals.of(acme, "live")
    on = "" if connection.vendor == "sqlite" else f" ON {names['table']}"
    with connection.cursor() as cursor:
        for event in ("insert", "update", "delete", "move"):
            cursor.execute(f"DROP TRIGGER IF EXISTS {names['table']}_{event}{on}")
    record()
    assert Totals.of(acme, "live") == before
    keep_tally(**names)
    assert Totals.of(acme, "live").number == 2
    assert Totals.of(acme, "live").changes > before.changes
    known = Totals.of(acme, "live")
    keep_tally(**names)
    assert Totals.of(acme, "live") == known
    record()
    assert Totals.of(acme, "live").number == 3


@pytest.mark.parametrize("number", [1, 30])
def test_totals_are_one_statement(acme: Account, record: Record, number: int) -> None:
    for _ in range(number):
        record()
    with statements(1):
        assert Totals.of(acme, "live").number == number


def test_store_without_the_tables_is_left_alone(db: None) -> None:
    from config.storage.tallies import keep_tally

    keep_tally(table="not_there_yet", tally="nor_this")
    assert not {"not_there_yet", "nor_this"} & set(connection.introspection.table_names())
