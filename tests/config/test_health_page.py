"""``/admin/health/``: how the installation is, on every store."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from accounts.models import Account, User
from config import health_page
from conversations.models import Conversation
from tests.accounts.test_admin import admin, olga
from tests.conftest import Api, client_of

__all__ = ["admin", "olga"]

PAGE = "/admin/health/"


def lines(admin: Client) -> dict[str, str]:
    page = admin.get(PAGE).content.decode()
    rows = re.findall(r'(?s)<th scope="row">([^<]*)</th>\s*<td ?([^>]*)>(.*?)</td>', page)
    return {name: " ".join(text.split()) for name, _attributes, text in rows}


def test_only_superusers_see_it(client: Client, acme: Account, alice: User) -> None:
    assert client.get(PAGE)["Location"] == f"/login/?next={PAGE}"
    assert "/admin/login/" in client_of(alice).get(PAGE)["Location"]
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert client_of(alice).get(PAGE).status_code == 403
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    assert client_of(alice).get(PAGE).status_code == 200


def test_it_tells_of_the_store_and_of_what_was_done(
    admin: Client, acme: Account, api: Api, record: Callable[..., Conversation], tmp_path: Path
) -> None:
    record()
    told = lines(admin)
    assert re.match(rf"{settings.STORE.name} \d+\.\d+", told["Store"])
    assert told["Migrations"] == "all applied"
    assert told["Lists and searches"] == "each read from its index"
    assert told["Last backup"].startswith("⚠ none yet")
    assert told["Last import"] == "none yet"
    assert "free" in told["Disk"]
    file = tmp_path / "one.jsonl"
    file.write_text("[]")
    call_command("import_conversations", str(file), account=acme.pk, verbosity=0)
    assert "0 conversations, 0 refused" in lines(admin)["Last import"]
    api.get()
    page = admin.get(PAGE).content.decode()
    assert api.key.masked in page
    assert "127.0.0.1" in page
    assert api.token not in page
    assert api.key.digest not in page


@pytest.mark.django_db(transaction=True)
def test_it_tells_of_the_last_backup(tmp_path: Path) -> None:
    admin = client_of(User.objects.create_superuser("olga@example.com", "correct horse battery"))
    call_command("backup", str(tmp_path / "b.bak"))
    assert re.search(r"ago: [\d,]+ bytes, \d+ rows", lines(admin)["Last backup"])


def test_what_is_missing_is_a_fault(admin: Client) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("conversations", "0001_initial")
    try:
        assert lines(admin)["Migrations"].startswith("⚠ missing: conversations.0001_initial")
    finally:  # MongoDB takes nothing back that is not a model's
        recorder.record_applied("conversations", "0001_initial")


def test_a_line_that_cannot_be_told_leaves_the_others(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_space() -> Any:
        raise OSError("/srv/secret")

    monkeypatch.setattr(
        health_page, "ASKED", {health_page.store: "Store", disk_space: "Disk", health_page.migrations: "Migrations"}
    )
    told = lines(admin)
    assert told["Disk"] == "⚠ OSError: cannot be told"
    assert told["Migrations"] == "all applied"
