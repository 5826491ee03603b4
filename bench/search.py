"""``python -m bench.search [CONVERSATIONS] [STORE]``: searches, each beside the same request without one, in one run.

On a store of its own: a SQLite file under ``var/bench`` that is made once, or a server of ``tests.servers`` that is
made, filled and thrown away (``postgresql``, ``mongodb``). In this process, without a network. It prints medians and
ratios, what the index takes on disk, and how fast conversations are recorded and appended to with it and without; and
fails where a first page of the API takes more than three times one without a search, a page of the dashboard more than
five times (on MongoDB more than 300 ms, for it walks).
"""

import itertools
import logging
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django

FOLDER = Path(__file__).resolve().parent.parent / "var" / "bench"
ROUNDS = 5
MOST = {"API": 3.0, "page": 5.0}
MOST_MONGODB = 300.0
RECORDED = 300
LISTS = {"API": "/api/conversations?limit=50", "page": "/conversations/?"}


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    store = sys.argv[2] if len(sys.argv) > 2 else "sqlite"
    FOLDER.mkdir(parents=True, exist_ok=True)
    if store == "sqlite":
        run(number, f"sqlite:///{FOLDER / f'search-{number}.sqlite3'}")
        return
    from tests.servers import SERVERS, ServerUnavailable

    try:
        with SERVERS[store]() as url:
            run(number, url)
    except ServerUnavailable as error:
        print(f"Skipped: {error}")


def run(number: int, url: str) -> None:
    os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "1"}
    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.DEBUG = False  # in development Django remembers each statement
    settings.ALLOWED_HOSTS = ["*"]
    logging.disable(logging.CRITICAL)
    account = prepare(number)
    print(f"{connection.vendor}, {number:,} conversations, Python {platform.python_version()}")
    print(f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}, medians of {ROUNDS}")
    slow = searches(account)
    writing(account)
    if slow:
        sys.exit(f"Slower than it may be: {', '.join(slow)}")


def prepare(number: int) -> Any:
    """The account with its conversations, made only once."""
    from django.core.management import call_command

    from accounts.models import Account, User
    from bench.talk import Talk
    from conversations.models import Conversation
    from conversations.models.naming import notice_names

    call_command("migrate", verbosity=0)
    if Conversation.objects.count() >= number:
        return Account.objects.get(name="Bench")
    call_command("flush", interactive=False, verbosity=0)
    print(f"Making {number:,} conversations …", flush=True)
    owner = User.objects.create_user("bench@example.com", "correct horse battery")
    account = Account.objects.open(name="Bench", owner=owner, by=None)
    account.limit_rate(1_000_000, by=None)
    batch: list[Any] = []
    for conversation in Talk().conversations(account, number):
        batch.append(conversation)
        if len(batch) == 500:
            Conversation.objects.bulk_create(batch)
            batch.clear()
    Conversation.objects.bulk_create(batch)
    notice_names(account, "live", list(Conversation.objects.without_messages()[:200]))
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
        "phone, absent": "+49 30 1234567",
    }


def searches(account: Any) -> list[str]:
    from django.db import connection
    from django.test import Client

    from accounts.models import ApiKey
    from accounts.scopes import Scope

    key, token = ApiKey.objects.issue(account=account, name="Bench", environment="live", scopes=tuple(Scope), by=None)
    key.limit_rate(1_000_000, by=None)
    client = Client()
    client.force_login(account.memberships.get().user)

    numbers = itertools.count()

    def fetch(address: str) -> None:
        # At another address each time, so that no answer is ready.
        response = client.get(
            f"{address}&number={next(numbers)}", headers={"X-API-Key": token} if "/api/" in address else {}
        )
        if response.status_code != 200 or not response.content:
            sys.exit(f"{address}: {response.status_code}")

    slow = []
    for kind, address in LISTS.items():
        for name, term in terms().items():
            plain, searched = in_turn(lambda: fetch(address), lambda: fetch(f"{address}&search={quote(term)}"))  # noqa: B023
            print(f"{kind:5}{name:26}{searched:8.1f} ms {searched / plain:6.2f} × without a search", flush=True)
            is_slow = searched > MOST_MONGODB if connection.vendor == "mongodb" else searched > MOST[kind] * plain
            slow += [f"{kind}: {name}"] if is_slow else []
    return slow


def in_turn(*calls: Callable[[], object]) -> list[float]:
    """The medians of ``calls``, in milliseconds; in turn, so that all see the same machine."""
    taken: list[list[float]] = [[] for _ in calls]
    for turn in range(ROUNDS + 1):
        for times, call in zip(taken, calls, strict=True):
            start = time.perf_counter()
            call()
            if turn:  # the first is a warm-up
                times.append((time.perf_counter() - start) * 1_000)
    return [statistics.median(times) for times in taken]


def writing(account: Any) -> None:
    """Recording and appending with the index and without it, on an account's second environment."""
    from django.db import connection

    from config.storage.search import engine_of, index_of
    from conversations.models import Conversation

    engine, index = engine_of(connection), index_of(Conversation, "search_text")
    if engine is None:
        return
    print(f"index: {size(connection, index.name) / 1e6:,.0f} MB of {size(connection, '') / 1e6:,.0f} MB")
    with_index = written(account)
    drop = [statement % {"table": Conversation._meta.db_table} for statement in engine.drop(index)]
    with connection.cursor() as cursor:
        for statement in drop:
            if "TRIGGER" in statement:  # its tables stay: what is dropped is what a write costs
                cursor.execute(statement)
    without = written(account)
    for name, taken in with_index.items():
        print(f"{name:31}{taken:8.2f} ms {without[name] / taken:6.2f} × the speed without the index")
    Conversation.objects.filter(account=account, environment="test").delete()
    with connection.schema_editor() as editor:
        for statement in engine.create(index, Conversation):
            if "TRIGGER" in statement:
                editor.execute(statement % {"table": Conversation._meta.db_table}, params=None)


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
