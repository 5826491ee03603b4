"""One ``atomic`` for three stores.

Django's own is a no-op on MongoDB, where two writers on one document conflict instead of waiting for each other: there
the whole function runs in a transaction that the driver repeats on a passing conflict. So it decorates a function whose
effects lie in the store alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import connection, transaction

P = ParamSpec("P")
R = TypeVar("R")


def atomic(function: Callable[P, R]) -> Callable[P, R]:
    """All that ``function`` writes, or nothing. Nested calls join the outer one."""

    @wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.vendor == "mongodb":
            from config.storage.mongodb.transaction import run_in_transaction

            return run_in_transaction(connection, lambda: function(*args, **kwargs))
        with transaction.atomic():
            return function(*args, **kwargs)

    return inner


@contextmanager
def snapshot() -> Iterator[None]:
    """Reads inside see the store as it was at the first one, however long they take."""
    if connection.vendor == "mongodb":
        from config.storage.mongodb.transaction import snapshot_session

        with snapshot_session(connection):
            yield
    elif connection.vendor == "postgresql":
        # In a transaction the cursor stays on the server; outside, WITH HOLD would copy its whole result first.
        with transaction.atomic():
            yield
    else:
        yield  # a SQLite statement reads one snapshot from its first row to its last


@contextmanager
def snapshot_of_all() -> Iterator[None]:
    """All statements inside see the store as it was at the first one, while others go on writing.

    Inside of ``atomic`` they see what it does.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "mongodb":
        with snapshot():
            yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # Not Django's, which would begin as a writer. In WAL mode a reader keeps its moment, and nobody waits for it.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
