"""A MongoDB replica set of three whose primary is killed under load: what a majority has written is not lost."""

import random
import time
from pathlib import Path
from typing import Any

from tests.durability.load import Load, empty_conversations
from tests.durability.shaking import CONVERSATIONS, Kill, check, parley_over
from tests.servers import Server, mongod_set

PATIENCE = 60  # seconds for the others to elect a primary


def fail_over(folder: Path, *, kills: int, least: int = 0, seed: int = 1) -> tuple[Load, list[Kill]]:
    """Kill the primary ``kills`` times under eight writers. Each comes back as a secondary before the next."""
    chance = random.Random(seed)  # noqa: S311
    done: list[Kill] = []
    with (
        mongod_set() as (url, members),
        parley_over(url, folder, empty_conversations(CONVERSATIONS)) as (parley, token),
    ):
        load = Load(parley.address, token, conversations=CONVERSATIONS)
        with load.running():
            while len(done) < kills:
                time.sleep(chance.uniform(0.5, 2))
                old = primary_of(members)
                began, so_far = time.monotonic(), load.acknowledged
                old.kill()
                primary_of([each for each in members if each is not old])
                while load.acknowledged < so_far + 10:
                    time.sleep(0.02)
                done.append(Kill("the primary", time.monotonic() - began))
                old.start()
                wait_until_healthy(members)
            while load.acknowledged < least:
                time.sleep(0.1)
        check(load)
        parley.manage("check_figures")
    return load, done


def primary_of(members: list[Server]) -> Server:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for member in members:
            if asked(member, "hello").get("isWritablePrimary"):
                return member
        time.sleep(0.05)
    raise AssertionError("no primary was elected")


def wait_until_healthy(members: list[Server]) -> None:
    """Until each is the primary or follows it: else the next kill could take the majority away."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if all(hello.get("isWritablePrimary") or hello.get("secondary") for hello in map(hello_of, members)):
            return
        time.sleep(0.1)
    raise AssertionError("a member has not come back")


def hello_of(member: Server) -> dict[str, Any]:
    return asked(member, "hello")


def asked(member: Server, command: str) -> dict[str, Any]:
    """What a member answers; nothing where it does not."""
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    port = int(member.command[member.command.index("--port") + 1])
    with MongoClient[dict[str, Any]](port=port, directConnection=True, serverSelectionTimeoutMS=300) as client:
        try:
            return client.admin.command(command)
        except PyMongoError:
            return {}
