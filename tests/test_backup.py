"""Backup and restore: from store to store and back, while others write, and files that are not what was written."""

import gzip
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Account, ApiKey, User
from config.storage import backup
from config.storage.backup.tables import LEFT_OUT
from config.storage.transaction import snapshot_of_all
from conversations.models import Conversation
from tests.factories import message

pytestmark = pytest.mark.django_db(transaction=True)

Record = Callable[..., Conversation]
ROOT = Path(__file__).resolve().parent.parent
HOSTILE = "a b \u2028 \U0001f600 é \u202e \"quoted\" \\ {'a': 1}"


def manage(store: Path, *arguments: str) -> str:
    """A command on a SQLite store of its own, as an operator types it."""
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{store}"}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def full(acme: Account, other_account: Account, alice: User, record: Record) -> None:
    """A store that holds something of everything that is easily lost."""
    conversation = record(leadPhone="", channel="email", leadEmail="ana@example.com", summary=HOSTILE)
    record(messages=[message(HOSTILE), message("", role="agent")], environment="test")
    record(account=other_account, qualificationResult={"qualified": False, "reason": "İ ß"}, messages=[])
    conversation.change_status("dropped", by=alice, reason=HOSTILE)
    conversation.notes.write(conversation, HOSTILE, by=alice)
    alice.read_marks.mark(conversation, by=alice)
    ApiKey.objects.issue(account=acme, name="Zapier", environment="live", scopes=("audit:view",), by=alice)


def emptied() -> None:
    call_command("flush", interactive=False, verbosity=0)


def test_what_is_restored_is_what_was_there(full: None, tmp_path: Path) -> None:
    written = backup.write(tmp_path / "a")
    emptied()
    asked, held = backup.restore(tmp_path / "a")
    assert asked == held == written
    assert {table.name: table.rows for table in held}["conversations.Conversation"] == 3
    backup.write(tmp_path / "b")
    assert backup.differing(backup.check(tmp_path / "b"), written) == []
    assert Conversation.objects.get(lead_email="ana@example.com").summary == HOSTILE
    Conversation.objects.get(environment="test").append([message("More")], by=None)
    assert User.objects.get(email="alice@example.com").check_password("correct horse battery")


def test_one_file_moves_from_store_to_store_and_back(tmp_path: Path) -> None:
    """From SQLite into the store of this run and into SQLite again: rows and hashes stay the same."""
    first, second = tmp_path / "first.sqlite3", tmp_path / "second.sqlite3"
    manage(first, "migrate", "-v0")
    manage(first, "load_demo")
    told = manage(first, "backup", str(tmp_path / "there"))
    restored = StringIO()
    call_command("restore", tmp_path / "there", stdout=restored)
    call_command("backup", tmp_path / "back", stdout=StringIO())
    manage(second, "migrate", "-v0")
    again = manage(second, "restore", str(tmp_path / "back"))

    def rows(text: str) -> list[tuple[str, ...]]:
        lines = (line.split() for line in text.splitlines())
        return [(line[0], line[1], line[-1]) for line in lines if len(line) in (3, 4) and len(line[1]) == 16]

    assert rows(told) == rows(restored.getvalue()) == rows(again)
    assert len(rows(told)) == len(backup.tables()) >= 14
    assert "DIFFERS" not in again


def test_every_table_is_backed_up_or_said_to_be_left_out() -> None:
    labels = {model._meta.label for model in apps.get_models() if not getattr(model, "is_derived", False)}
    assert {model._meta.label for model in backup.tables()} == labels - LEFT_OUT.keys()


def test_a_backup_is_of_one_moment(record: Record, acme: Account) -> None:
    record()

    def write() -> None:
        try:
            record()
            Conversation.objects.order_by("created_at").first().append([message("Later")], by=None)  # type: ignore[union-attr]
        finally:
            connection.close()

    with snapshot_of_all():
        before = list(Conversation.objects.values_list("pk", "message_count"))
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(timeout=20)
        assert not writer.is_alive()  # it has not waited for the reader
        assert list(Conversation.objects.values_list("pk", "message_count")) == before
        assert [event.action for event in acme.audit_events.all()].count("conversation.recorded") <= 1
    assert Conversation.objects.count() == 2


def test_a_store_that_holds_something_is_not_restored_into(full: None, tmp_path: Path) -> None:
    backup.write(tmp_path / "a")
    before = Conversation.objects.count()
    with pytest.raises(CommandError, match=r"not empty: it has accounts\.Account\. Nothing was restored"):
        call_command("restore", tmp_path / "a")
    assert Conversation.objects.count() == before


def test_a_file_is_its_writers_alone_and_never_replaced(full: None, tmp_path: Path) -> None:
    backup.write(tmp_path / "a")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    before = (tmp_path / "a").read_bytes()
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == before
    with pytest.raises(CommandError, match="cannot be written: No such file"):
        call_command("backup", tmp_path / "nowhere" / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def altered(lines: list[bytes], how: str) -> bytes:
    """A backup's lines with something wrong in them."""
    if how == "a row less":
        del lines[next(number for number, line in enumerate(lines) if line.startswith(b"["))]
    elif how == "another row":
        number = next(number for number, line in enumerate(lines) if b"Acme" in line)
        lines[number] = lines[number].replace(b"Acme", b"Evil")
    elif how == "no end":
        lines.pop()
    elif how == "a table less":
        start = next(number for number, line in enumerate(lines) if b'"conversations.Note"' in line)
        end = next(number for number in range(start + 1, len(lines)) if lines[number].startswith(b'{"rows"'))
        del lines[start : end + 1]
    elif how == "another release":
        header = orjson.loads(lines[0])
        lines[0] = orjson.dumps({**header, "parley": "9.9", "migrations": {"accounts": ["0099_later"]}}) + b"\n"
    elif how == "another format":
        lines[0] = b'{"format": 99}\n'
    return gzip.compress(b"".join(lines))


DAMAGES = {
    "a row less": "not what was written",
    "another row": "not what was written",
    "no end": "ends too early",
    "a table less": "has no conversations.Note",
    "another release": "made by Parley 9.9",
    "another format": "not a backup that this release can read",
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_file_that_is_not_what_was_written_is_refused(full: None, tmp_path: Path, how: str) -> None:
    backup.write(tmp_path / "a")
    (tmp_path / "b").write_bytes(altered(gzip.decompress((tmp_path / "a").read_bytes()).splitlines(True), how))
    emptied()
    with pytest.raises(CommandError, match=DAMAGES[how]):
        call_command("restore", tmp_path / "b")
    assert not User.objects.exists()
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_cut_off_is_refused(full: None, tmp_path: Path, share: float) -> None:
    backup.write(tmp_path / "a")
    whole = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(whole[: int(len(whole) * share)])
    emptied()
    with pytest.raises(backup.BadBackup, match="damaged"):
        backup.restore(tmp_path / "a")
    assert not User.objects.exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"zip:", b"zip:[]\n", b"zip:\n"])
def test_what_is_no_backup_is_refused(db: Any, tmp_path: Path, content: bytes) -> None:
    is_zipped = content.startswith(b"zip:")
    (tmp_path / "a").write_bytes(gzip.compress(content[4:]) if is_zipped else content)
    with pytest.raises(CommandError, match="Nothing was restored"):
        call_command("restore", tmp_path / "a")
