"""Killing servers while others write to them."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.durability.load import Load, empty_conversations
from tests.servers import Server, mongod_server, postgresql_server
from tests.serving import Parley

CONVERSATIONS = 24
UNLIMITED = {"RATE_LIMIT_ADDRESS": "0", "RATE_LIMIT_KEY": "0", "RATE_LIMIT_ACCOUNT": "0"}


@dataclass
class Kill:
    what: str
    seconds: float
    """Until ``/readyz`` answered 200 again, the start of what was killed included."""


@contextmanager
def database(store: str, folder: Path) -> Iterator[tuple[str, Server | None]]:
    """A new store as it is in earnest, by its DATABASE_URL, and the server that may be killed."""
    if store == "sqlite":
        yield f"sqlite:///{folder}/parley.sqlite3", None
    else:
        start = postgresql_server if store == "postgresql" else mongod_server
        with start(durable=True) as server:
            yield server.url, server


@contextmanager
def parley_over(url: str, folder: Path, conversations: list[Any], **variables: str) -> Iterator[tuple[Parley, str]]:
    """Two workers over a store, and a key."""
    parley = Parley(folder, {"DATABASE_URL": url, "WORKERS": "2", **UNLIMITED, **variables})
    token = parley.prepare(conversations)
    try:
        parley.start("/readyz")
        yield parley, token
    finally:
        parley.stop()


def shake(store: str, folder: Path, *, kills: int, least: int = 0, seed: int = 1) -> tuple[Load, list[Kill]]:
    """Kill Parley, and in turn with it the store's server, ``kills`` times under eight writers.

    Goes on until ``least`` requests are acknowledged. What was acknowledged is then compared with what is stored, and
    totals with what they count.
    """
    chance = random.Random(seed)  # noqa: S311
    done: list[Kill] = []
    with (
        database(store, folder) as (url, server),
        parley_over(url, folder, empty_conversations(CONVERSATIONS)) as (parley, token),
    ):
        load = Load(parley.address, token, conversations=CONVERSATIONS)
        with load.running():
            while len(done) < kills:
                time.sleep(chance.uniform(0.2, 1.5))
                done.append(kill(parley, server if len(done) % 2 else None))
            while load.acknowledged < least:
                time.sleep(0.1)
        check(load)
        parley.manage("check_figures")  # which fails where totals are not those of what is stored
    return load, done


def kill(parley: Parley, server: Server | None) -> Kill:
    """Kill one of them, and start it again."""
    began = time.monotonic()
    if server:
        server.kill()
        server.start()
    else:
        parley.kill()
        parley.launch()
    parley.wait("/readyz")
    return Kill(server.name if server else "Parley", time.monotonic() - began)


def check(load: Load) -> None:
    missing, doubled = load.missing_and_doubled()
    assert not missing, f"{len(missing)} acknowledged and lost: {missing[:5]}"
    assert not doubled, f"{len(doubled)} doubled: {doubled[:5]}"
    assert not load.tally.surprises, load.tally.surprises[:5]
