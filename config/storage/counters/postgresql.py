"""Counters in an UNLOGGED table of PostgreSQL, over one connection a process that is not Django's.

A commit that only touched such a table waits for no disk. After a crash of the server the table is empty, which is what
counters of a minute may be.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import Any

import psycopg
from django.db import connection

from config.storage.counters.base import PATIENCE, TABLE, Counters
from config.storage.counters.window import Use, Window

NOT_PREPARED = (psycopg.errors.InvalidSqlStatementName, psycopg.errors.DuplicatePreparedStatement)

COLUMNS = """(
    name text PRIMARY KEY,
    started bigint NOT NULL,
    counted bigint NOT NULL,
    before bigint NOT NULL,
    admitted boolean NOT NULL
)"""

# Inside out: the window as it is at the moment (0 windows later the same, 1 later the next, else a new one), whether
# the request fits in, and the count. The division is that of integers, towards 0: a clock that is a little behind the
# one that opened the window still counts in it.
_TAKE = f"""
INSERT INTO {TABLE} AS c (name, started, counted, before, admitted) {{row}}
ON CONFLICT (name) DO UPDATE SET (started, counted, before, admitted) = (
    SELECT started, counted + CASE WHEN fits THEN 1 ELSE 0 END, before, fits
    FROM (
        SELECT
            started, counted, before,
            before * ({{span}} - 1 - CASE WHEN {{moment}} > started THEN {{moment}} - started ELSE 0 END)
                + counted * {{span}} < {{allowance}} AS fits
        FROM (
            SELECT
                CASE ({{moment}} - c.started) / {{span}}
                    WHEN 0 THEN c.started WHEN 1 THEN c.started + {{span}} ELSE {{moment}} END AS started,
                CASE ({{moment}} - c.started) / {{span}}
                    WHEN 0 THEN c.counted ELSE 0 END AS counted,
                CASE ({{moment}} - c.started) / {{span}}
                    WHEN 0 THEN c.before WHEN 1 THEN c.counted ELSE 0 END AS before
        ) AS slid
    ) AS judged
)
RETURNING started, counted, before, admitted
"""  # noqa: S608  built from the constants of this file

CREATE = f"CREATE UNLOGGED TABLE IF NOT EXISTS {TABLE} {COLUMNS} WITH (fillfactor = 50)"
GIVE_BACK = f"""
UPDATE {TABLE} SET counted = counted - 1 WHERE name = %s AND started = %s AND counted > 0
"""  # noqa: S608
# Skipping what is locked, it waits for nobody and nobody deadlocks with it.
PURGE = f"""
DELETE FROM {TABLE} WHERE name IN (SELECT name FROM {TABLE} WHERE started <= %s FOR UPDATE SKIP LOCKED)
"""  # noqa: S608


def take(row: str, moment: str, allowance: str, span: str) -> str:
    """The upsert that counts a request where it fits; ``row`` is the row of a name that was not there."""
    return _TAKE.format(row=row, moment=moment, allowance=allowance, span=span)


@cache
def take_all(number: int) -> str:
    """One statement for ``number`` windows: each is taken where the one before it was."""
    takes, answers = [], []
    for index in range(number):
        row = f"SELECT %(name{index})s::text, %(moment)s::bigint, 1, 0, true"
        row += f" FROM take{index - 1} WHERE admitted" if index else ""
        numbers = ("%(moment)s::bigint", f"%(allowance{index})s::bigint", f"%(span{index})s::bigint")
        takes.append(f"take{index} AS ({take(row, *numbers)})")
        answers.append(f"SELECT {index} AS place, * FROM take{index}")  # noqa: S608
    return f"WITH {', '.join(takes)} {' UNION ALL '.join(answers)} ORDER BY place"


class PostgreSQLCounters(Counters):
    errors = (psycopg.Error,)

    def __init__(self) -> None:
        super().__init__(Lock())
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._prepare_after: int | None = 5

    def _open(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is None:
            given = connection.get_connection_params()
            own = {name: value for name, value in given.items() if name not in ("context", "cursor_factory")}
            patience = {"connect_timeout": PATIENCE, "tcp_user_timeout": PATIENCE * 1000}
            self._connection = psycopg.connect(**{**own, **patience}, autocommit=True)
            self._connection.prepare_threshold = self._prepare_after  # planning is most of the work
        return self._connection

    def _take(self, windows: Sequence[Window], moment: int, firm: int) -> list[Use]:
        given: dict[str, Any] = {"moment": moment}
        for index, window in enumerate(windows):
            given |= {f"name{index}": window.name, f"allowance{index}": window.allowance, f"span{index}": window.span}
        rows = self._open().execute(take_all(len(windows)), given).fetchall()
        uses = [Use(window, moment, *row[1:]) for window, row in zip(windows, rows, strict=False)]
        if not uses[-1].admitted:
            for use in uses[firm:-1]:
                self._give_back(use)
        return uses

    def _give_back(self, use: Use) -> None:
        self._open().execute(GIVE_BACK, (use.window.name, use.started))

    def _purge(self, moment: int) -> None:
        self._open().execute(PURGE, (moment,))

    def _mend(self, error: Exception) -> bool:
        if isinstance(error, psycopg.errors.UndefinedTable):
            # Another process may make it at the same moment.
            with suppress(psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable):
                self._open().execute(CREATE)
            return True
        is_pooled = isinstance(error, NOT_PREPARED)
        if is_pooled:  # a pooler in between gives each statement another connection of the server
            self._prepare_after = None
        was_lost = self._connection is not None and self._connection.closed  # restarted, or closed when idle
        if is_pooled or was_lost:
            self._close()
        return is_pooled or was_lost

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def _clear(self) -> None:
        if self._connection:
            with suppress(psycopg.Error):  # there is no table yet, or no server any more
                self._connection.execute(f"DELETE FROM {TABLE}")  # noqa: S608
            self._close()
