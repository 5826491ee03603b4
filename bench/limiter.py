"""``python -m bench.limiter [REQUESTS]``: what the rate limits add to a request, on the store that DATABASE_URL names.

It runs the limiter itself, middleware and key, around an answer that costs nothing, and in turn with it, so that all
see the same machine: the same with all limits off, and one acknowledged insert into the main store. On SQLite it fails
where the limiter adds more than 0.3 ms. What it writes, it removes; the counters of the running minute go with it.
"""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django

TARGET = 0.3  # ms, on SQLite
BATCH = 20
TABLE = "bench_limiter"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["DEBUG"] = "0"  # in development Django remembers each statement
    os.environ.setdefault("SECRET_KEY", "0123456789abcdefghijklmnopqrstuvwxyz-of-a-bench")
    django.setup()
    from django.conf import settings

    from config.storage.counters import counters

    request = request_with_key()
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    limits = {name: getattr(settings, name) for name in dir(settings) if name.startswith("RATE_LIMIT_")}

    def limited() -> None:
        for name in limits:
            setattr(settings, name, 1_000_000)
        request()

    def unlimited() -> None:
        for name in limits:
            setattr(settings, name, 0)
        request()

    with main_store_insert() as insert:
        medians = measure(requests, limited, unlimited, insert)
    counters().clear()
    report(requests, *medians)


def request_with_key() -> Callable[[], None]:
    """Everything that the limiter does for one request with a key: address, key, account, headers."""
    from django.http import HttpResponse
    from django.test import RequestFactory

    from accounts.models import Account, ApiKey
    from accounts.throttling import ThrottlingMiddleware, count_key
    from config.storage.fields import new_object_id

    key = ApiKey(pk=new_object_id(), account=Account(pk=new_object_id()))

    def answer(request: Any) -> HttpResponse:
        count_key(request, key)
        return HttpResponse()

    limiter = ThrottlingMiddleware(answer)
    request = RequestFactory().get("/api/conversations", headers={"X-API-Key": f"nl_live_{64 * '0'}"})

    def once() -> None:
        response = limiter(request)
        if response.status_code != 200:
            raise SystemExit("The limiter refused: it is not measured under its limits.")

    return once


@contextmanager
def main_store_insert() -> Iterator[Callable[[], None]]:
    """One small insert that the main store acknowledges as it does a client's: synced to the disk."""
    from django.db import connection

    if connection.vendor == "mongodb":
        connection.ensure_connection()
        store: Any = connection
        collection = store.database[TABLE]
        yield lambda: collection.insert_one({"n": 1}) and None
        collection.drop()
        return
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {TABLE} (n integer)")
        try:
            yield lambda: cursor.execute(f"INSERT INTO {TABLE} VALUES (1)") and None  # noqa: S608
        finally:
            cursor.execute(f"DROP TABLE {TABLE}")


def measure(requests: int, *works: Callable[[], None]) -> list[float]:
    """The median of each, in milliseconds. They run in turn, some at a time: each pays for its own cold start."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(requests // BATCH):
        for times, work in zip(taken, works, strict=True):
            for _ in range(BATCH):
                start = time.perf_counter()
                work()
                times.append((time.perf_counter() - start) * 1_000)
    return [statistics.median(times) for times in taken]


def report(requests: int, limited: float, unlimited: float, insert: float) -> None:
    from django.conf import settings

    cost = limited - unlimited
    print(f"{settings.STORE.name} {version()}, Python {platform.python_version()}, Django {django.get_version()}")
    print(
        f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}, median of {requests} requests"
    )
    print(f"limiter (address, key, account)   {cost:.3f} ms")
    print(f"the same with all limits off      {unlimited:.3f} ms")
    print(f"one insert into the main store    {insert:.3f} ms, {insert / cost:.1f} times the limiter")
    if settings.STORE.name == "sqlite" and cost > TARGET:
        sys.exit(f"More than {TARGET} ms.")


def version() -> str:
    from django.db import connection

    found = connection.get_database_version()
    return ".".join(map(str, found)) if isinstance(found, tuple) else str(found)


if __name__ == "__main__":
    main()
