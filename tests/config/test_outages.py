"""A store that is away, full, read-only or damaged: 503, a line in the log, and nothing changed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.backends.signals import connection_created
from django.test import Client

from accounts.models import ApiKey
from config.errors import UNAVAILABLE
from config.storage.outages import is_outage
from conversations.models import Conversation
from tests.conftest import Api, json_of
from tests.factories import WireConversation, message
from tests.servers import mongod_server

Record = Callable[..., Conversation]
PATH = "/api/conversations"

ASK = """
import django
from django.conf import settings
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # none collected
django.setup()
from django.test import Client
client = Client(raise_request_exception=False)
GIVEN = {"Host": "127.0.0.1", "X-API-Key": "nl_live_" + 64 * "0", "Cookie": "sessionid=" + 32 * "a"}
for path in ("/api/conversations", "/conversations/"):
    answer = client.get(path, headers=GIVEN)
    print(answer.status_code, answer.headers["Content-Type"], "X-Request-Id" in answer.headers, answer.content.decode())
"""


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:////proc/parley.sqlite3",
        "postgresql://a@127.0.0.1:1/b",
        "mongodb://127.0.0.1:1/b?serverSelectionTimeoutMS=500",
    ],
)
def test_a_store_that_is_away_is_503_everywhere(address: str) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": address,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "0",
        "SECRET_KEY": "correct horse battery staple, with some salt",
    }
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    api, page = done.stdout.splitlines()[0], done.stdout.partition("\n")[2]
    assert api == f'503 application/json True {{"error":"{UNAVAILABLE}"}}'
    assert page.startswith("503 text/html; charset=utf-8 True")
    assert "What was saved is safe" in page
    assert done.stderr.count("The store is unavailable: ") == 2
    assert "Traceback" not in done.stderr


@contextmanager
def told_to(on: str, off: str) -> Iterator[None]:
    """Each connection is told ``on``, those that are made meanwhile too."""

    def tell(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    def connected(**kwargs: Any) -> None:
        tell(on)

    tell(on)
    connection_created.connect(connected)
    try:
        yield
    finally:
        connection_created.disconnect(connected)
        tell(off)


def full() -> AbstractContextManager[None]:
    """No page more than the database has: 1 counts as that. First it gives back those that it has and does not use."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
    return told_to("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000")


def read_only() -> AbstractContextManager[None]:
    if connection.vendor == "sqlite":
        return told_to("PRAGMA query_only = 1", "PRAGMA query_only = 0")
    return told_to("SET default_transaction_read_only = on", "SET default_transaction_read_only = off")


@pytest.mark.skipif(connection.vendor == "mongodb", reason="it is the server that would be told")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trouble", [full, read_only] if connection.vendor == "sqlite" else [read_only])
def test_what_cannot_be_written_is_503_and_what_can_be_read_is_read(
    api: Api, record: Record, caplog: pytest.LogCaptureFixture, trouble: Any
) -> None:
    pk = record().pk
    large = message("x" * 15_000)
    with trouble():
        refused = [
            api.post(PATH, WireConversation(messages=[large])),
            api.post(f"{PATH}/{pk}/messages", large, headers={"Idempotency-Key": "a"}),
            api.post(f"{PATH}/{pk}/messages", large),
        ]
        assert [(each.status_code, json_of(each)) for each in refused] == [(503, {"error": UNAVAILABLE})] * 3
        assert [each["_id"] for each in json_of(api.get(PATH, limit=5))] == [pk]
    lines = [entry.getMessage() for entry in caplog.records if entry.name == "config.errors"]
    assert len(lines) == 3
    assert all(line.startswith("The store is unavailable: ") and "\n" not in line for line in lines)
    assert Conversation.objects.get().message_count == 2
    assert api.post(f"{PATH}/{pk}/messages", large, headers={"Idempotency-Key": "a"}).status_code == 200
    assert api.post(PATH, WireConversation(messages=[large])).status_code == 201


@pytest.mark.skipif(connection.vendor == "mongodb", reason="it is the server that would be told")
@pytest.mark.django_db(transaction=True)
def test_a_key_that_was_not_used_for_long_reads_a_store_that_takes_no_writes(
    api: Api, record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    record()
    ApiKey.objects.update(last_used_at=None)
    with read_only():
        assert len(api.listed(limit=5)) == 1
    assert "The last use of an API key was left out" in caplog.text
    assert api.listed(limit=5)
    assert ApiKey.objects.get().last_used_at is not None


@pytest.mark.skipif(connection.vendor == "mongodb", reason="a collection that is not there is an empty one")
@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_not_there_is_a_fault_of_ours(api: Api, client: Client) -> None:
    client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_account RENAME TO gone")
        try:
            assert api.get(PATH, status="active").status_code == 500
        finally:
            cursor.execute("ALTER TABLE gone RENAME TO accounts_account")
    assert api.get(PATH, status="active").status_code == 200


@pytest.mark.skipif(connection.vendor != "mongodb", reason="there a transaction is tried again")
def test_a_transaction_does_not_wait_for_a_server_again_and_again(db: None) -> None:
    from config.storage.mongodb.base import DatabaseWrapper
    from config.storage.mongodb.transaction import run_in_transaction

    tried = []
    with mongod_server() as server:
        address = {"HOST": server.url, "NAME": "parley", "OPTIONS": {"serverSelectionTimeoutMS": 500}}
        own = DatabaseWrapper({**connection.settings_dict, **address}, "own")

        def write() -> None:
            tried.append(1)
            own.database["anything"].insert_one({}, session=own.session)

        run_in_transaction(own, write)
        server.kill()
        with pytest.raises(DatabaseError) as refused:
            run_in_transaction(own, write)
        own.close_pool()
    assert is_outage(refused.value)
    assert len(tried) <= 1 + 2  # over the connection that broke, and where none is
