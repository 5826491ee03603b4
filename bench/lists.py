"""``python -m bench.lists [CONVERSATIONS] [STORE] [--seconds 3] [--rounds 5] [--only abcdemz]``: beside its rivals.

50 conversations of 20 messages over HTTP, 16 connections, one process each, all from one SQLite file; or from a server
of ``tests.servers`` that is made, filled and thrown away (``postgresql``, ``mongodb``). The rounds of all go in turn,
so that they see the same machine; what counts is the ratio of the medians of what each answers in a second of processor
time, its own and that of all that it started, without that of a database server. Each answer is compared before. Parley
keeps answers ready (``conversations.ready``); so it is measured with an address of its own for each request too, where
none is.
"""

import argparse
import statistics
import sys
from contextlib import ExitStack

from bench import data, results
from bench.limiter import version
from bench.load import Load, Server, generator, load, running
from bench.rivals import (
    BARE,
    CONSTANT,
    DATASETTE,
    FASTAPI,
    FASTIFY,
    PARLEY,
    PATH,
    SPLICED,
    USUAL,
    Missing,
    Rival,
    Store,
)

HEADERS = {"X-API-Key": data.TOKEN, "Accept": "application/json"}
RIVALS = (USUAL, FASTAPI, FASTIFY, SPLICED, DATASETTE, BARE, CONSTANT)
NAMES = {"postgresql": "PostgreSQL", "mongodb": "MongoDB"}
OURS, AGAIN = "Parley, made each time", "Parley, the same page again"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.lists", description=__doc__)
    parser.add_argument("conversations", nargs="?", type=int, default=100_000)
    parser.add_argument("store", nargs="?", choices=("sqlite", "postgresql", "mongodb"), default="sqlite")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="abcdemz", help="letters of the rivals")
    given = parser.parse_args()
    generator()
    if given.store == "sqlite":
        compare(given, data.setup(given.conversations))
        return
    from tests.servers import SERVERS, ServerUnavailable

    try:
        with SERVERS[given.store]() as url:
            data.setup_server(url, given.conversations)
            compare(given, url)
    except ServerUnavailable as error:
        print(f"Skipped: {error}")


def compare(given: argparse.Namespace, store: Store) -> None:
    with ExitStack() as servers:
        ours = servers.enter_context(running(PARLEY.command(), PARLEY.environment(store, 0)))
        status, headers, content = ours.get(PATH, HEADERS)
        if status != 200:
            sys.exit(f"Parley answered {status}: {content[:200]!r}")
        runs = [(OURS, ours, PATH, HEADERS), (AGAIN, ours, PATH, HEADERS)]
        runs.append(("Parley, 304", ours, PATH, {**HEADERS, "If-None-Match": headers["etag"]}))
        runs.append(("Parley, gzip", ours, PATH, {**HEADERS, "Accept-Encoding": "gzip"}))
        for rival in RIVALS:
            is_asked = rival.letter in given.only and given.store in rival.stores.split()
            if is_asked and (server := start(rival, store, content, servers)):
                runs.append((rival.title, server, rival.path(store), HEADERS))
        rates: dict[str, list[Load]] = {name: [] for name, *_ in runs}
        for turn in range(given.rounds + 1):
            for name, server, path, sent in runs:
                found = load(server, path, sent, given.seconds if turn else 1, each_new=name == OURS)
                if found.failed:
                    sys.exit(f"{name}: {found.failed} requests failed.")
                if turn:  # the first is a warm-up
                    rates[name].append(found)
                    shown = f"{found.per_second:8.1f}/s {found.per_processor_second:8.1f}/s of processor time"
                    print(f"{turn} {name:60} {shown} {found.median:7.1f} ms", flush=True)
    report(given.store, given.conversations, len(content), rates)


def start(rival: Rival, store: Store, content: bytes, servers: ExitStack) -> Server | None:
    """The rival, if it can run here, after a look at what it answers."""
    try:
        words = [word.replace("{file}", str(store)) for word in rival.command()]
        server = servers.enter_context(running(words, rival.environment(store, len(content))))
    except Missing as missing:
        print(f"{rival.title} is left out: {missing}.", flush=True)
        return None
    status, _, answered = server.get(rival.path(store), HEADERS)
    is_same = answered == content or not rival.same_bytes
    if status != 200 or not is_same or (rival.same_length and len(answered) != len(content)):
        sys.exit(f"{rival.title} does not answer the same: {status}, {answered[:300]!r}")
    return server


def report(store: str, number: int, length: int, rates: dict[str, list[Load]]) -> None:
    by_clock = {name: statistics.median(each.per_second for each in found) for name, found in rates.items()}
    rate = {name: statistics.median(each.per_processor_second for each in found) for name, found in rates.items()}
    rows = [
        [
            name,
            f"{by_clock[name]:,.0f}",
            f"{rate[name]:,.0f}",
            f"{rate[OURS] / rate[name]:.2f}",
            f"{rate[AGAIN] / rate[name]:.2f}",
        ]
        for name in rate
    ]
    on = "" if store == "sqlite" else f" On {NAMES[store]} {version()}."
    text = f"{number:,} conversations in the account, answers of {length:,} bytes; medians.{on}\n\n"
    header = ("", "requests/s", "per second of processor", "Parley, making it, is × as fast", "the same page again")
    results.publish("lists" if store == "sqlite" else f"lists-{store}", text + results.table(header, rows))


if __name__ == "__main__":
    main()
