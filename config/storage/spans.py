"""From when to when there are rows of something, kept by the database itself: one row for each, first moment and last.

As with ``config.storage.cells``, triggers write in the transaction of the change, whatever changes a row. A moment that
is earlier or later widens a span; where a row goes or moves, its span's ends are looked up in an index. On PostgreSQL
changes of one span wait for each other, and a statement takes its spans in order. MongoDB has no triggers: there what
Django writes is followed (``config.storage.mongodb.spans``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection

from config.storage.counting import differing
from config.storage.triggers import NEW_ID, are_there, keep


@dataclass(frozen=True)
class Spans:
    """``source`` has ``account_id``, ``environment``, ``created_at`` and ``column``, and an index of them in the order
    account, environment, column, moment. ``table`` has ``first_at`` and ``last_at``, and the rest as its unique key.
    """

    source: str
    table: str
    column: str

    @property
    def keys(self) -> list[str]:
        return ["account_id", "environment", self.column]

    @property
    def names(self) -> str:
        return ", ".join(self.keys)

    def same(self, row: str) -> str:
        """The span is that of ``row``."""
        return " AND ".join(f"{self.table}.{key} = {row}.{key}" for key in self.keys)

    def counted(self, rows: str) -> str:
        """A SELECT of keys, first and last."""
        return f"SELECT {self.names}, min(created_at), max(created_at) FROM {rows} GROUP BY {self.names}"  # noqa: S608

    def looked_up(self, which: str) -> list[str]:
        """Statements that set the spans of the condition ``which`` to what there is."""
        mine = f"FROM {self.source} AS row WHERE {self.same('row')}"
        return [
            f"UPDATE {self.table} SET first_at = (SELECT min(row.created_at) {mine}), "  # noqa: S608
            f"last_at = (SELECT max(row.created_at) {mine}) WHERE {which} AND EXISTS (SELECT 1 {mine});",
            f"DELETE FROM {self.table} WHERE {which} AND NOT EXISTS (SELECT 1 {mine});",  # noqa: S608
        ]


def keep_spans(spans: Spans) -> None:
    """From now on they are those of their table's rows. Repeating it changes nothing."""
    if not are_there(spans.source, spans.table):
        return
    if connection.vendor == "mongodb":
        from config.storage.mongodb import spans as mongodb

        mongodb.keep_spans(connection, spans)
    else:
        statements = _sqlite(spans) if connection.vendor == "sqlite" else _postgresql(spans)
        keep(f"{spans.table}_insert", statements, partial(recount, spans))


def wrong_spans(spans: Spans) -> int:
    """How many are not what looking at all rows anew finds."""
    if connection.vendor == "mongodb":
        from config.storage.mongodb import spans as mongodb

        return mongodb.wrong_spans(connection, spans)
    kept = f"SELECT {spans.names}, first_at, last_at FROM {spans.table}"  # noqa: S608
    return differing(kept, spans.counted(spans.source), keys=spans.keys)


def recount(spans: Spans, cursor: Any) -> None:
    """Look at all that is there, anew. Nobody may change a row meanwhile."""
    cursor.execute(f"DELETE FROM {spans.table}")  # noqa: S608
    cursor.execute(
        f"INSERT INTO {spans.table} (_id, {spans.names}, first_at, last_at) "  # noqa: S608
        f"SELECT {NEW_ID[connection.vendor]}, found.* FROM ({spans.counted(spans.source)}) AS found"
    )


def _sqlite(spans: Spans) -> Iterable[str]:
    # Two statements for a span that may be new: an upsert is not safe in a trigger (see ``config.storage.cells``).
    table, moved = spans.table, [*spans.keys, "created_at"]
    more = (
        f"INSERT INTO {table} (_id, {spans.names}, first_at, last_at) "  # noqa: S608
        f"SELECT {NEW_ID['sqlite']}, {', '.join(f'NEW.{key}' for key in spans.keys)}, NEW.created_at, NEW.created_at "
        f"WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {spans.same('NEW')}); "
        f"UPDATE {table} SET first_at = min(first_at, NEW.created_at), last_at = max(last_at, NEW.created_at) "
        f"WHERE {spans.same('NEW')} AND (first_at > NEW.created_at OR last_at < NEW.created_at);"
    )
    less = " ".join(spans.looked_up(spans.same("OLD")))
    differs = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in moved)
    yield from (f"DROP TRIGGER IF EXISTS {table}_{event}" for event in ("insert", "update", "delete"))
    yield f"CREATE TRIGGER {table}_insert AFTER INSERT ON {spans.source} BEGIN {more} END"
    yield f"CREATE TRIGGER {table}_delete AFTER DELETE ON {spans.source} BEGIN {less} END"
    yield (
        f"CREATE TRIGGER {table}_update AFTER UPDATE OF {', '.join(moved)} ON {spans.source} "
        f"WHEN {differs} BEGIN {less} {more} END"
    )


def _postgresql(spans: Spans) -> Iterable[str]:
    table, moved = spans.table, [*spans.keys, "created_at"]
    into = f"INSERT INTO {table} (_id, {spans.names}, first_at, last_at)"
    widened = (
        f"ON CONFLICT ({spans.names}) DO UPDATE SET first_at = least({table}.first_at, EXCLUDED.first_at), "
        f"last_at = greatest({table}.last_at, EXCLUDED.last_at) "
        f"WHERE {table}.first_at > EXCLUDED.first_at OR {table}.last_at < EXCLUDED.last_at;"
    )
    gone = f"({spans.names}) IN (SELECT {spans.names} FROM old_rows)"  # noqa: S608
    # The lock first: the statements after it see what those did who had it.
    yield f"""
CREATE OR REPLACE FUNCTION {table}_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {into} SELECT {NEW_ID["postgresql"]}, found.* FROM ({spans.counted("new_rows")} ORDER BY {spans.names}) AS found
            {widened}
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM 1 FROM {table} WHERE {gone} ORDER BY {spans.names} FOR UPDATE;
        {" ".join(spans.looked_up(gone))}
    ELSE
        PERFORM 1 FROM {table} WHERE {spans.same("OLD")} FOR UPDATE;
        {" ".join(spans.looked_up(spans.same("OLD")))}
        {into} VALUES (
            {NEW_ID["postgresql"]}, {", ".join(f"NEW.{key}" for key in spans.keys)}, NEW.created_at, NEW.created_at
        ) {widened}
    END IF;
    RETURN NULL;
END $$"""  # noqa: S608
    differs = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in moved)
    yield (
        f"CREATE OR REPLACE TRIGGER {table}_insert AFTER INSERT ON {spans.source} "
        f"REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {table}_keep()"
    )
    yield (
        f"CREATE OR REPLACE TRIGGER {table}_delete AFTER DELETE ON {spans.source} "
        f"REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION {table}_keep()"
    )
    # Each row for itself: what moves none, like an append, calls nothing.
    yield (
        f"CREATE OR REPLACE TRIGGER {table}_update AFTER UPDATE ON {spans.source} "
        f"FOR EACH ROW WHEN ({differs}) EXECUTE FUNCTION {table}_keep()"
    )
