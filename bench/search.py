"""``python -m bench.search [CONVERSATIONS] [STORE]``: searches, each beside the same request without one, in one run.

On a store of its own: a SQLite file under ``var/bench`` that is made once, a server of ``tests.servers`` that is made,
filled and thrown away (``postgresql``, ``mongodb``), or that of a ``DATABASE_URL``, which is filled if need be. Its
conversations are those of ``bench.talk`` and not of ``bench.data``, whose forty words stand in nearly every one: there
nothing is rare, and every search a walk. Beside the large account stand one of 5,000 and one of 50.

In this process, without a network; medians, of what the process computed (SQLite), or of the clock where a server does
the work. It fails where a first page of the API takes more than three times one without a search, a page of the
dashboard more than five times (on MongoDB more than 300 ms, for it walks). What the index takes on disk, and how fast
conversations are recorded and appended to with it and without, comes last.
"""

import itertools
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

import django

from bench import results, stores
from bench.data import FOLDER

ROUNDS = 3
MOST = {"API": 3.0, "one status": 3.0, "page": 5.0}
MOST_MONGODB = 300.0
RECORDED = 300
LISTS = {
    "API": "/api/conversations?limit=50",
    "one status": "/api/conversations?limit=50&status=active",
    "page": "/conversations/?",
}
OTHERS = {"of 5,000": 5_000, "of 50": 50}
"""Accounts beside the large one, and how many conversations they have."""


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    store = sys.argv[2] if len(sys.argv) > 2 else "sqlite"
    stores.on(store, FOLDER / f"search-{number}.sqlite3", partial(run, number))


def run(number: int, url: str) -> None:
    os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "1"}
    os.environ["RATE_LIMIT_ADDRESS"] = "1000000"  # it counts, and refuses nothing
    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.DEBUG = False  # in development Django remembers each statement
    settings.ALLOWED_HOSTS = ["*"]
    logging.disable(logging.CRITICAL)
    accounts = {name: prepare(name, size) for name, size in {"Bench": number, **OTHERS}.items()}
    found = {name: Asked(account).searches(name) for name, account in accounts.items()}
    parts = [f"{number:,} conversations; medians of {ROUNDS}."]
    titles = {"Bench": f"In the account of {number:,}"} | {name: f"In one {name} beside it" for name in OTHERS}
    header = ("", "API", "without", "×", "one status ×", "page", "without", "×")
    parts += [f"{titles[name]}:\n\n{results.table(header, rows)}" for name, (rows, _) in found.items()]
    if connection.vendor != "mongodb":
        parts.append(results.table(("the index", ""), writing(accounts["Bench"])))
    results.publish(f"search-{connection.vendor}-{number}", "\n\n".join(parts))
    if slow := [told for _, each in found.values() for told in each]:
        sys.exit(f"Slower than it may be: {', '.join(slow)}")


def prepare(name: str, number: int) -> Any:
    """An account with its conversations, made only once."""
    from django.core.management import call_command

    from accounts.models import Account, User
    from bench.data import know_tables, save
    from bench.talk import Talk
    from conversations.models import Conversation
    from conversations.models.naming import notice_names

    call_command("migrate", verbosity=0)
    account = Account.objects.filter(name=name).first()
    if account and account.conversations.live().count() >= number:
        return account
    if account is None:
        owner = User.objects.create_user(f"bench{number}@example.com", "correct horse battery")
        account = Account.objects.open(name=name, owner=owner, by=None)
        account.limit_rate(1_000_000, by=None)
    Conversation.objects.filter(account=account).delete()
    print(f"Making {number:,} conversations …", flush=True)
    save(Talk().conversations(account, number))
    notice_names(account, "live", list(account.conversations.live().without_messages()[:200]))
    know_tables()
    return account


def terms() -> dict[str, str]:
    """What is looked for, from what everybody says to what nobody does."""
    from bench.talk import Talk

    latin, cyrillic, chinese = (Talk().words[script] for script in ("latin", "cyrillic", "chinese"))
    return {
        "very common": latin[0],
        "common": latin[30],
        "medium": latin[600],
        "rare": latin[9_000],
        "absent": "xylophone",
        "two common words": f"{latin[2]} {latin[7]}",
        "two words nobody joins": f"{latin[5]} {latin[15_000]}",
        "100 characters, absent": " ".join(latin[40:60])[:100],
        "1 character": "e",
        "1 character, absent": "j",
        "2 characters": latin[0][:2],
        "2 characters, absent": "qj",
        "3 characters": latin[3][:3],
        "Cyrillic, common": cyrillic[0],
        "Cyrillic, rare": cyrillic[9_000],
        "Chinese, common": chinese[0],
        "Chinese, rare": chinese[9_000],
        "Chinese, one sign": chinese[300][0],
        "Chinese, absent": "龘",
        "emoji": "👩‍💻",
        "phone": "+44 20 000 0001",
        "phone, its digits": "44200000001",
        "phone, as people type": "(000) 555-00",
        "phone, digits of its middle": "2000000",
        "phone, from abroad": "0044 20 000",
        "phone, absent": "+49 30 1234567",
        "common words nobody joins": f"{latin[0]} {latin[1]} {latin[0]} {latin[2]} {latin[1]}",
        "common ends nobody joins": f"{latin[2][1:]} {latin[0]} {latin[3][:2]}",
        "what FTS, LIKE and regex mean": '"a*" OR NEAR(b% _) .+',
        "mixed case, accents": latin[600].upper().replace("O", "Ó"),
    }


class Asked:
    """Requests of an account's owner and of its key."""

    def __init__(self, account: Any) -> None:
        from django.test import Client

        from accounts.models import ApiKey
        from accounts.scopes import Scope

        key, self.token = ApiKey.objects.issue(
            account=account, name="Bench", environment="live", scopes=tuple(Scope), by=None
        )
        key.limit_rate(1_000_000, by=None)
        self.client = Client()
        self.client.force_login(account.memberships.get().user)
        self.numbers = itertools.count()

    def fetch(self, address: str) -> None:
        """At another address each time, so that no answer is ready."""
        headers = {"X-API-Key": self.token} if "/api/" in address else {}
        response = self.client.get(f"{address}&number={next(self.numbers)}", headers=headers)
        if response.status_code != 200 or not response.content:
            sys.exit(f"{address}: {response.status_code}")

    def searches(self, account: str) -> tuple[list[list[str]], list[str]]:
        """A row for each term, and what is slower than it may be."""
        from django.db import connection

        clock = time.process_time if connection.vendor == "sqlite" else time.perf_counter
        rows, slow = [], []
        for name, term in terms().items():
            row = [name]
            for kind, address in LISTS.items():
                asked = [address, f"{address}&search={quote(term)}"]
                plain, searched = in_turn([lambda at=each: self.fetch(at) for each in asked], clock)  # type: ignore[misc]
                times = f"{searched / plain:.1f}"
                row += [times] if kind == "one status" else [f"{searched:.1f} ms", f"{plain:.1f} ms", times]
                is_slow = searched > MOST_MONGODB if connection.vendor == "mongodb" else searched > MOST[kind] * plain
                slow += [f"{account}: {kind}: {name}"] if is_slow else []
            print(f"{account:10}{' '.join(f'{cell:>10}' for cell in row)}", flush=True)
            rows.append(row)
        return rows, slow


def in_turn(calls: Sequence[Callable[[], object]], clock: Callable[[], float]) -> list[float]:
    """The medians of ``calls``, in milliseconds; in turn, so that all see the same machine."""
    taken: list[list[float]] = [[] for _ in calls]
    for turn in range(ROUNDS + 1):
        for times, call in zip(taken, calls, strict=True):
            start = clock()
            call()
            if turn:  # the first is a warm-up
                times.append((clock() - start) * 1_000)
    return [statistics.median(times) for times in taken]


def writing(account: Any) -> list[tuple[str, str]]:
    """Recording and appending with the index and without it, on an account's second environment."""
    from django.db import connection

    from config.storage.search import engine_of, index_of
    from conversations.models import Conversation

    engine, index = engine_of(connection), index_of(Conversation, "search_text")
    assert engine is not None  # noqa: S101 - MongoDB alone has none
    rows = [("on disk", f"{size(connection, index.name) / 1e6:,.0f} of {size(connection, '') / 1e6:,.0f} MB")]
    with_index = written(account)
    drop = [statement % {"table": Conversation._meta.db_table} for statement in engine.drop(index)]
    with connection.cursor() as cursor:
        for statement in drop:
            if "TRIGGER" in statement:  # its tables stay: what is dropped is what a write costs
                cursor.execute(statement)
    without = written(account)
    for name, taken in with_index.items():
        rows.append((name, f"{taken:.2f} ms, {without[name] / taken:.2f} × the speed without it (wanted ≥ 0.5)"))
    Conversation.objects.filter(account=account, environment="test").delete()
    with connection.schema_editor() as editor:
        for statement in engine.create(index, Conversation):
            if "TRIGGER" in statement:
                editor.execute(statement % {"table": Conversation._meta.db_table}, params=None)
    return rows


def written(account: Any) -> dict[str, float]:
    """Milliseconds a conversation recorded, and a message appended."""
    from bench.talk import Talk
    from conversations.models import Conversation

    Conversation.objects.filter(account=account, environment="test").delete()
    names = ("lead_id", "agent_config_id", "channel", "lead_phone", "status", "messages", "created_at", "updated_at")
    made = list(Talk(2).conversations(account, RECORDED, environment="test"))
    records = [{name: getattr(one, name) for name in names} for one in made]
    start = time.perf_counter()
    for first in range(0, RECORDED, 100):
        Conversation.objects.record(account, records[first : first + 100], environment="test", by=None)
    recorded = time.perf_counter() - start
    stored = list(Conversation.objects.filter(account=account, environment="test")[:100])
    start = time.perf_counter()
    for one in stored:
        one.append([{"role": "lead", "content": "And what would that be in all, with the parking?"}], by=None)
    appended = time.perf_counter() - start
    return {"recording": recorded * 1_000 / RECORDED, "appending": appended * 1_000 / len(stored)}


def size(connection: Any, name: str) -> int:
    """Bytes of the tables and indexes whose names begin so."""
    sql = {
        "sqlite": "SELECT sum(pgsize) FROM dbstat WHERE name LIKE %s",
        "postgresql": "SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relname LIKE %s",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(sql, (f"{name}%",))
        return int(cursor.fetchone()[0] or 0)


if __name__ == "__main__":
    main()
