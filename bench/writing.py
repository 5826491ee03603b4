"""``python -m bench.writing``: appending beside one bare UPDATE by the driver, and recording 1,000 in one request.

On a copy of the file, in this process: the verb as the API calls it, and the driver with the same pragmas on the same
row, in turn; each is committed to the disk. Recording goes through the whole API. Last, what a client that reads lists
notices of one that writes without a pause, over HTTP, with two workers.
"""

import http.client
import itertools
import os
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any

from bench import data, results
from bench.load import Server, generator, load, repeating, running
from bench.rivals import PARLEY, PATH

ROUNDS = 200
LEAST_APPEND = 0.6  # of the bare UPDATE's speed
LEAST_RECORDED = 3_000  # conversations a minute
MOST_SLOWER = 2.0  # times the reader's own median while nobody writes
READING = 3  # seconds at a time
TURNS = 3
HEADERS = {"X-API-Key": data.TOKEN, "Content-Type": "application/json"}


def main() -> None:
    generator()
    made = data.file_of(10_000)
    if not made.exists():
        sys.exit("First: python -m bench.lists 10000")
    copied = made.with_name("writing.sqlite3")
    with closing(sqlite3.connect(made)) as source, closing(sqlite3.connect(copied)) as target:
        source.backup(target)
    os.environ["RATE_LIMIT_KEY"] = os.environ["RATE_LIMIT_ADDRESS"] = os.environ["RATE_LIMIT_ACCOUNT"] = "0"
    data.setup_file(copied)
    verb, bare = appending(copied)
    shown = records()
    recorded = recording(shown)
    idle, *busy = reading(copied, shown)
    rows = [
        ["append one message (the verb)", f"{verb * 1000:.2f} ms", ""],
        ["one bare committed UPDATE of the same row", f"{bare * 1000:.2f} ms", ""],
        ["appending by the bare UPDATE's speed", f"{bare / verb:.2f} ×", f"≥ {LEAST_APPEND} ×"],
        ["recorded, 1,000 in a request", f"{recorded:,.0f} a minute", f"≥ {LEAST_RECORDED:,}"],
        ["a list of 50 for a client that reads alone", f"{idle:.1f} ms", ""],
    ]
    for name, found in zip(("appends", "records 1,000 at a time"), busy, strict=True):
        slower = f"{found:.1f} ms, {found / idle:.2f} ×"
        rows.append([f"the same while another one {name}", slower, f"≤ {MOST_SLOWER:.0f} ×"])
    results.publish("writing", results.table(("", "measured", "target"), rows))
    copied.unlink(missing_ok=True)
    if bare / verb < LEAST_APPEND or recorded < LEAST_RECORDED or max(busy) > MOST_SLOWER * idle:
        sys.exit("Beyond a target.")


def appending(file: Any) -> tuple[float, float]:
    """Medians in seconds: the verb, and the statement alone."""
    from conversations.models import Conversation

    conversation = Conversation.objects.without_messages().newest_first()[0]
    new = '{"role":"lead","content":"Is it still free on Friday?","timestamp":"2026-11-01T00:00:00.000Z"}'
    sql = (
        "UPDATE conversations_conversation "
        "SET messages = substr(messages, 1, length(messages) - 1) || ',' || ? || ']', "
        "message_count = message_count + 1, search_text = search_text || ?, revision = revision + 1, updated_at = ? "
        "WHERE _id = ?"
    )
    with closing(sqlite3.connect(file, isolation_level=None, timeout=20)) as driver:
        driver.execute("PRAGMA synchronous = FULL")

        def bare() -> None:
            moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
            driver.execute(sql, (new, "is it still free on friday?", moment, conversation.pk))

        def verb() -> None:
            conversation.append([{"role": "lead", "content": "Is it still free on Friday?"}], by=None)

        return tuple(statistics.median(times) for times in in_turn(verb, bare))  # type: ignore[return-value]


def in_turn(*works: Callable[[], None]) -> list[list[float]]:
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for times, work in zip(taken, works, strict=True):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    return taken


def records() -> list[dict[str, Any]]:
    """1,000 conversations of 20 messages, as a client sends them."""
    import orjson

    from conversations import wire
    from conversations.models import Conversation

    shown = [orjson.loads(wire.text_of(row)) for row in wire.written(Conversation.objects.newest_first())[:1000]]
    for one in shown:
        del one["_id"]
    return shown


def recording(shown: list[dict[str, Any]]) -> float:
    """Conversations a minute of computing, 20 messages each, 1,000 in one request."""
    import orjson
    from django.test import Client

    client = Client(headers={"X-API-Key": data.TOKEN})
    spent = []
    for _ in range(3):
        start = time.process_time()
        response = client.post("/api/conversations", orjson.dumps(shown), content_type="application/json")
        spent.append(time.process_time() - start)
        if response.status_code != 200 or any(each["result"] != "recorded" for each in response.json()):
            sys.exit(f"{response.status_code}: {response.content[:300]!r}")
    return 60 * len(shown) / statistics.median(spent)


def reading(file: Any, shown: list[dict[str, Any]]) -> list[float]:
    """Medians in milliseconds of what a list takes: while nobody writes, while one appends, while one records."""
    import orjson

    from conversations.models import Conversation

    ids = itertools.cycle(Conversation.objects.newest_first().values_list("pk", flat=True)[100:600])
    message = orjson.dumps({"role": "lead", "content": "Is it still free on Friday?"})
    many = orjson.dumps(shown)
    found: list[list[float]] = [[], [], []]
    with running(PARLEY.command(), {**PARLEY.environment(file, 0), "WORKERS": "2"}) as server:
        for _ in range(20):
            server.get(PATH, HEADERS)
        while_somebody: tuple[Callable[[], AbstractContextManager[None]], ...] = (
            nullcontext,
            lambda: repeating(lambda: posted(server, f"/api/conversations/{next(ids)}/messages", message)),
            lambda: repeating(lambda: posted(server, "/api/conversations", many)),
        )
        for _ in range(TURNS):
            for times, writes in zip(found, while_somebody, strict=True):
                with writes():
                    times.append(load(server, PATH, HEADERS, READING, connections=1, each_new=True).median)
    return [statistics.median(times) for times in found]


def posted(server: Server, path: str, content: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    with closing(connection):
        connection.request("POST", path, content, HEADERS)
        response = connection.getresponse()
        answer = response.read()
    if response.status not in (200, 201):
        sys.exit(f"{path}: {response.status} {answer[:300]!r}")


if __name__ == "__main__":
    main()
