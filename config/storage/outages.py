"""Telling apart what a store cannot do now (it is away, full, read-only, damaged) from what is wrong with a request."""

import logging
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

log = logging.getLogger(__name__)

SQLITE = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)

POSTGRESQL = ("08", "40", "53", "57", "58", "25006", "55P03", "XX001", "XX002")
"""How its codes begin: connection, rolled back by the server, resources, operator, system; read-only, lock, damage."""

MONGODB = frozenset({91, 189, 10107, 11600, 11602, 13435, 13436, 14031})
"""Shutting down, stepping down, not the primary, interrupted, no space on the disk."""


def is_outage(error: BaseException | None) -> bool:
    """Whether the store itself failed. What was asked then had no effect, or its effect is not known."""
    while error is not None:
        if _is_outage(error):
            return True
        error = error.__cause__
    return False


def _is_outage(error: Any) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in SQLITE
    postgresql, mongodb = sys.modules.get("psycopg"), sys.modules.get("pymongo.errors")
    if postgresql and isinstance(error, postgresql.Error):
        if error.sqlstate is None:  # the driver's own words: no connection, or one that broke
            return isinstance(error, postgresql.OperationalError | postgresql.InterfaceError)
        return str(error.sqlstate).startswith(POSTGRESQL)
    if mongodb and isinstance(error, mongodb.PyMongoError):
        return (
            isinstance(error, mongodb.ConnectionFailure | mongodb.WriteConcernError)
            or getattr(error, "code", None) in MONGODB
            or error.has_error_label("TransientTransactionError")
            or error.has_error_label("RetryableWriteError")
        )
    return False


def told(error: BaseException) -> str:
    """The first of what the store said, on one line."""
    said = str(error) or str(error.__cause__)
    return said.strip().partition("\n")[0].partition(", Topology Description")[0][:300]


@contextmanager
def by_the_way(what: str) -> Iterator[None]:
    """For what a request writes besides its purpose: where the store takes no writes, it is left out, and logged."""
    try:
        yield
    except Exception as error:
        if not is_outage(error):
            raise
        log.warning("%s was left out: %s", what, told(error))
