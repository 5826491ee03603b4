"""SQLite's write-ahead log after kill -9, cut off or altered: the store opens, and holds all that came before."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.serving import ROOT

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="the others have logs of their own")

MESSAGES = 120
COMMITS = 30
"""In the log, at least: how often it is moved into the database depends on how much a message writes."""
WRITE = """
import django
django.setup()
from django.core.management import call_command
from django.db import connection
call_command("migrate", verbosity=0)
call_command("create_account", "Acme", owner="alice@example.com")
from accounts.models import Account
from tests.factories import message, record_conversation
account = Account.objects.get()
conversations = [record_conversation(account, messages=[]) for _ in range(3)]
connection.close()  # all of it into the database: the log begins with the messages
number = 0
while True:
    conversations[number % 3].append([message(str(number))], by=None)
    print(number, flush=True)
    number += 1
"""
HEADER, FRAME = 32, 24


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The files that a writer leaves which is killed, and how many messages it has acknowledged."""
    file = tmp_path_factory.mktemp("killed") / "parley.sqlite3"
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{file}", "DJANGO_SETTINGS_MODULE": "config.settings"}
    with subprocess.Popen([sys.executable, "-c", WRITE], cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout
        acknowledged = 0
        for line in process.stdout:  # to its end: the writer may be far ahead of who reads here
            acknowledged += line.strip().isdigit()
            if acknowledged >= MESSAGES and len(list(commits(Path(f"{file}-wal").read_bytes()))) >= COMMITS:
                process.kill()
    return file, acknowledged


def opened(file: Path, folder: Path, log: bytes) -> int:
    """How many messages a copy of the store holds whose log is ``log``: the first ones, and nothing else is amiss."""
    copy = folder / "copy.sqlite3"
    for old in folder.glob("copy*"):
        old.unlink()
    shutil.copy(file, copy)
    Path(f"{copy}-wal").write_bytes(log)
    store = sqlite3.connect(copy)
    try:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert store.execute("PRAGMA foreign_key_check").fetchall() == []
        found: list[int] = []
        for messages, count, text in store.execute(
            "SELECT messages, message_count, search_text FROM conversations_conversation"
        ):
            said = [each["content"] for each in json.loads(messages)]
            assert len(said) == count
            assert all(each in text for each in said)
            found += map(int, said)
        assert sorted(found) == list(range(len(found)))
        revisions = store.execute("SELECT sum(revision) FROM conversations_conversation").fetchone()
        assert store.execute("SELECT sum(changes) FROM conversations_tally").fetchone() == revisions
        store.execute("CREATE TABLE written_again (id integer)")
    finally:
        store.close()
    return len(found)


def commits(log: bytes) -> Iterator[int]:
    """Where each transaction of a log ends."""
    size = int.from_bytes(log[8:12], "big")
    place = HEADER
    while place + FRAME + size <= len(log) and log[place + 8 : place + 16] == log[16:24]:
        place_of_size = log[place + 4 : place + 8]
        place += FRAME + size
        if int.from_bytes(place_of_size, "big"):
            yield place


def damaged(log: bytes, how: str, place: int, chance: random.Random) -> bytes:
    if how == "cut off":
        return log[:place]
    if how == "zeroed":
        return log[:place] + bytes(len(log) - place)
    length = min(chance.choice([1, 8, 500, 5_000]), len(log) - place)
    altered = bytes(each ^ chance.randint(1, 255) for each in log[place : place + length])
    return log[:place] + altered + log[place + length :]


def test_nothing_acknowledged_is_missing_after_kill_9(killed: tuple[Path, int], tmp_path: Path) -> None:
    file, acknowledged = killed
    assert opened(file, tmp_path, Path(f"{file}-wal").read_bytes()) in (acknowledged, acknowledged + 1)


@pytest.mark.parametrize("how", ["cut off", "zeroed", "altered"])
def test_a_damaged_log_keeps_all_that_stands_before_the_damage(
    killed: tuple[Path, int], tmp_path: Path, how: str
) -> None:
    file, acknowledged = killed
    log = Path(f"{file}-wal").read_bytes()
    ends = list(commits(log))
    before = opened(file, tmp_path, b"")  # what the database holds without its log
    assert before + len(ends) in (acknowledged, acknowledged + 1)
    assert len(ends) >= COMMITS
    chance = random.Random(how)  # noqa: S311
    for place in [0, HEADER, *(chance.randrange(len(log)) for _ in range(18)), ends[-1] - 1]:
        hurt = damaged(log, how, place, chance)
        # Zeros that become zeros hurt nothing.
        begins = next((at for at, (was, now) in enumerate(zip(log, hurt, strict=False)) if was != now), len(hurt))
        kept = opened(file, tmp_path, hurt)
        # One transaction is one message.
        assert kept == before + sum(end <= begins for end in ends), (how, place, kept)
