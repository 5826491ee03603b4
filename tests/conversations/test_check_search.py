"""``manage.py check_search``: silent where all is answered from indexes, loud where something is missing."""

from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import Account
from config.storage.search import engine_of, index_of
from conversations.models import Conversation
from tests.conftest import Api, json_of
from tests.factories import message

Record = Callable[..., Conversation]

is_mongodb = connection.vendor == "mongodb"


def check(**options: Any) -> str:
    output = StringIO()
    call_command("check_search", stdout=output, **options)
    return output.getvalue()


def test_each_list_and_search_is_answered_from_its_index(record: Record) -> None:
    for _ in range(3):
        record()
    told = check()
    assert told.count("from its index") == (6 if is_mongodb else 7)
    assert ("searches walk along the list" if is_mongodb else "made and complete") in told


def test_empty_store_is_checked_too(db: None) -> None:
    assert "from its index" in check()


def without(name: str) -> Any:
    return next(index for index in Conversation._meta.indexes if index.name == name)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param(
            "conversation_search",
            "There is no index conversation_search",
            marks=pytest.mark.skipif(is_mongodb, reason="MongoDB has no such index"),
        ),
        ("conversation_newest", "sorts what it finds"),
        ("conversation_longest", "list by length: sorts what it finds"),
    ],
)
def test_a_dropped_index_is_told(transactional_db: None, name: str, told: str) -> None:
    index = without(name)
    with connection.schema_editor() as editor:
        editor.remove_index(Conversation, index)
    try:
        with pytest.raises(CommandError, match=told):
            check()
    finally:
        with connection.schema_editor() as editor:
            editor.add_index(Conversation, index)
    assert check()


@pytest.mark.skipif(is_mongodb, reason="MongoDB has no such index")
def test_an_index_that_lacks_rows_is_told_and_made_anew(transactional_db: None, acme: Account, record: Record) -> None:
    found = record(messages=[message("a rarity")])
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM conversation_search_row"
            if connection.vendor == "sqlite"
            else "DELETE FROM conversation_search_part"
        )
    with pytest.raises(CommandError, match="1 rows are not in conversation_search"):
        check()
    assert "made and complete" in check(rebuild=True)
    assert [one.pk for one in acme.conversations.live().search("rarity")] == [found.pk]
    engine = engine_of(connection)
    assert engine is not None
    assert engine.exists(index_of(Conversation, "search_text"))


@pytest.fixture
def impatient(db: None) -> Iterator[None]:
    """mongod looks at the time after each document, else after 1,000 of them or 10 ms."""
    store: Any = connection
    store.ensure_connection()
    ask = partial(store.connection.admin.command, "setParameter", 1)
    was = ask(internalQueryExecYieldIterations=1)["was"]
    yield
    ask(internalQueryExecYieldIterations=was)


@pytest.mark.usefixtures("impatient")
@pytest.mark.skipif(not is_mongodb, reason="the others have an index")
def test_a_search_that_takes_too_long_says_so(
    api: Api, client: Client, acme: Account, alice: Any, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    from config.storage.mongodb import compiler

    record()
    text = "what is said over and over " * 20_000
    for _ in range(2):  # each a transaction, which has its limits
        Conversation.objects.bulk_create(
            Conversation(account=acme, lead_id=str(number), agent_config_id="a" * 24, channel="email", search_text=text)
            for number in range(60)
        )
    monkeypatch.setattr(compiler, "SEARCH_MILLISECONDS", 1)
    answer = api.get(search="nowhere to be found", limit=10)
    assert answer.status_code == 503
    assert json_of(answer) == {"error": "The search took too long; narrow it by other filters"}
    client.force_login(alice)
    page = client.get("/conversations/", {"search": "nowhere to be found"})
    assert page.status_code == 503
    assert b"That search took too long" in page.content
    assert api.get(limit=10).status_code == 200
