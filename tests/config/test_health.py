"""What load balancers ask."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from config import health


@pytest.fixture(autouse=True)
def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)


ASK = """
import django
django.setup()
from django.test import Client
for path in ("/readyz", "/healthz"):
    answer = Client().get(path, headers={"Host": "127.0.0.1"})
    print(answer.status_code, answer.content.decode())
"""


def test_a_process_that_answers_is_alive(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert client.head("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405


def test_being_alive_asks_nothing_of_the_store(client: Client) -> None:
    # Without the database fixture a query is an error.
    assert client.get("/healthz").status_code == 200
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        client.get("/readyz")


def test_a_store_with_every_migration_is_ready(client: Client, db: Any) -> None:
    for _ in range(2):
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "store": "ok", "migrations": "ok"})


def test_a_missing_migration_is_named(client: Client, db: Any) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("conversations", "0001_initial")
    try:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["migrations"]) == (503, "missing")
    finally:  # MongoDB takes nothing back that is not a model's
        recorder.record_applied("conversations", "0001_initial")


@pytest.mark.parametrize("address", ["postgresql://nobody@127.0.0.1:1/parley", "mongodb://127.0.0.1:1/parley"])
def test_a_store_that_does_not_answer_is_not_ready(address: str) -> None:
    environment = {**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        '503 {"status": "unavailable", "store": "unreachable", "migrations": "unknown"}',
        '200 {"status": "ok"}',
    ]
    assert "Not ready" in done.stderr
