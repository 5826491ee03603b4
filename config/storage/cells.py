"""Figures of a table, kept by the database itself: so many rows of a day, or an hour, that are alike.

A row of the table is counted in several *cells*: those of its bin of time, for each of what figures are narrowed to
(``narrowed``: nothing, or one value), by each of what they are told apart by (``divided``: nothing, or one value). What
a cell holds are counters. So figures of any time are the sum of a few cells, however many rows there are.

As with ``config.storage.tallies``, triggers write in the transaction of the change, whatever changes a row. On SQLite
a cell is one row. On PostgreSQL each statement adds rows with its differences, so that changes do not wait for each
other, and now and then one folds them: a cell is always a sum. MongoDB has no triggers: there what Django writes is
counted, in the same way (``config.storage.mongodb.cells``).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import connection

from config.storage.counting import differing
from config.storage.pieces import Condition, Limits, Number, condition_sql, number_sql, text_sql
from config.storage.triggers import NEW_ID, are_there, keep

FOLD_ONE_IN = 64
"""Of so many statements one folds the cells of the bins that it changed."""


@dataclass(frozen=True)
class Cells:
    """``source`` has ``account_id`` and ``environment``. Texts and numbers are those of ``config.storage.pieces``.

    A ``narrowed`` or ``divided`` that is null is no cell. ``columns`` are those of ``source`` that any piece reads, and
    ``only`` says of some for which rows they do: else a change of them changes no cell.
    """

    source: str
    table: str
    seconds: int
    """Of a bin of ``moment``: a cell's ``bin`` is how many of them went by since 1970."""
    narrowed: Sequence[str]
    divided: Sequence[str]
    counters: Mapping[str, Number]
    """Column → how much a row counts for."""
    columns: Sequence[str]
    only: Mapping[str, Condition] = field(default_factory=dict)
    limits: Limits = field(default_factory=dict)
    moment: str = "created_at"

    @property
    def keys(self) -> list[str]:
        return ["account_id", "environment", "bin", "narrowed", "divided"]

    def read(self, row: str) -> list[str]:
        """What of a row a change has to change, to change any cell."""
        return [
            f"CASE WHEN {condition_sql(self.only[name], row)} THEN {row}.{name} END" if name in self.only
            else f"{row}.{name}"
            for name in self.columns
        ]  # fmt: skip

    def bin_of(self, row: str) -> str:
        if connection.vendor == "sqlite":
            return f"COALESCE(CAST(strftime('%s', {row}.{self.moment}) AS INTEGER), 0) / {self.seconds}"
        return f"floor(extract(epoch FROM {row}.{self.moment}) / {self.seconds})::int"

    def values_of(self, row: str) -> list[str]:
        """What the keys are, for the places ``n`` and ``d`` of ``narrowed`` and ``divided``."""
        cases = [
            f"CASE {place}.i {' '.join(f'WHEN {i} THEN {sql}' for i, sql in enumerate(self.texts(texts, row)))} END"
            for place, texts in (("n", self.narrowed), ("d", self.divided))
        ]
        return [f"{row}.account_id", f"{row}.environment", self.bin_of(row), *cases]

    def texts(self, texts: Sequence[str], row: str) -> list[str]:
        return [text_sql(text, row, self.limits) for text in texts]

    @property
    def places(self) -> str:
        parts = (("n", self.narrowed), ("d", self.divided))
        return ", ".join(
            f"({' UNION ALL '.join(f'SELECT {i} AS i' for i in range(len(texts)))}) AS {place}"
            for place, texts in parts
        )

    def counted(self, row: str, *, of: str = "", sign: int = 1) -> str:
        """A SELECT of a cell's keys and counters for each row ``row`` (of ``of``), times ``sign``."""
        counts = [f"{sign} * ({number_sql(number, row)}) AS {name}" for name, number in self.counters.items()]
        keys = [f"{value} AS {name}" for name, value in zip(self.keys, self.values_of(row), strict=True)]
        source = f"{of} AS {row}, " if of else ""
        return f"SELECT {', '.join([*keys, *counts])} FROM {source}{self.places}"  # noqa: S608

    def sums(self, rows: str, *before: str) -> str:
        """A SELECT of ``before``, keys and counters: what ``rows`` (statements that ``counted`` made) add up to, where
        that is anything.
        """
        sums = [f"sum({name})" for name in self.counters]
        keys = ", ".join(self.keys)
        return (
            f"SELECT {', '.join([*before, keys, *sums])} FROM ({rows}) AS counted "  # noqa: S608
            f"WHERE narrowed IS NOT NULL AND divided IS NOT NULL GROUP BY {keys} "
            f"HAVING {' OR '.join(f'{each} <> 0' for each in sums)}"
        )

    def summed(self, rows: str, *, new_id: str) -> str:
        """An INSERT of these sums."""
        return f"INSERT INTO {self.table} (_id, {', '.join([*self.keys, *self.counters])}) {self.sums(rows, new_id)}"


def sums_of_spans(
    table: str, place: Mapping[str, str], spans: Sequence[tuple[int, int]], counters: Sequence[str]
) -> list[list[int]]:
    """What ``counters`` add up to within each of ``spans``: bins from the first to the last, of the cells at ``place``
    (column → value). One look into the index for each, however far apart they are.
    """
    if connection.vendor == "mongodb":
        from config.storage.mongodb import cells as mongodb

        return mongodb.sums_of_spans(connection, table, place, spans, counters)
    if connection.vendor == "sqlite":
        asked, given = "json_each(%s) AS asked", [json.dumps(spans)]
        number, first, last = "asked.key", "json_extract(asked.value, '$[0]')", "json_extract(asked.value, '$[1]')"
    else:
        asked = "unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY AS asked (first, last, place)"
        given = [list(each) for each in zip(*spans, strict=True)]  # type: ignore[misc]
        number, first, last = "asked.place - 1", "asked.first", "asked.last"
    sums = ", ".join(f"sum(cell.{name})" for name in counters)
    mine = " AND ".join(f"cell.{column} = %s" for column in place)
    # CROSS: in this order
    sql = (
        f"SELECT {number}, {sums} FROM {asked} CROSS JOIN {table} AS cell"  # noqa: S608
        f" WHERE {mine} AND cell.bin BETWEEN {first} AND {last} GROUP BY 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*given, *place.values()])
        found = {position: list(map(int, numbers)) for position, *numbers in cursor.fetchall()}
    return [found.get(position, [0] * len(counters)) for position in range(len(spans))]


def keep_cells(cells: Cells) -> None:
    """From now on they count the rows of their table. Repeating it changes nothing."""
    if not are_there(cells.source, cells.table):
        return
    if connection.vendor == "mongodb":
        from config.storage.mongodb import cells as mongodb

        mongodb.keep_cells(connection, cells)
    else:
        statements = _sqlite(cells) if connection.vendor == "sqlite" else _postgresql(cells)
        keep(f"{cells.table}_update", statements, partial(recount, cells))


def wrong_cells(cells: Cells) -> int:
    """How many cells are not what counting all rows anew finds."""
    if connection.vendor == "mongodb":
        from config.storage.mongodb import cells as mongodb

        return mongodb.wrong_cells(connection, cells)
    kept = f"SELECT {', '.join([*cells.keys, *cells.counters])} FROM {cells.table}"  # noqa: S608
    return differing(cells.sums(kept), cells.sums(cells.counted("row", of=cells.source)), keys=cells.keys)


def recount(cells: Cells, cursor: Any) -> None:
    """Count all that is there, anew. Nobody may change a row meanwhile."""
    cursor.execute(f"DELETE FROM {cells.table}")  # noqa: S608
    cursor.execute(cells.summed(cells.counted("row", of=cells.source), new_id=NEW_ID[connection.vendor]))


def _sqlite(cells: Cells) -> list[str]:
    # Two statements for a cell that may be new: an upsert is not safe in a trigger, where the conflict clause of the
    # statement outside would take the place of its own. IN is one look into the index for each cell.
    def mine(row: str) -> str:
        account, environment, bin_, *_ = cells.values_of(row)
        narrowed, divided = (", ".join(cells.texts(texts, row)) for texts in (cells.narrowed, cells.divided))
        return (
            f"account_id = {account} AND environment = {environment} AND narrowed IN ({narrowed}) "
            f"AND bin = {bin_} AND divided IN ({divided})"
        )

    def add(row: str, sign: str) -> str:
        counts = cells.counters.items()
        sets = ", ".join(f"{name} = {name} {sign} ({number_sql(number, row)})" for name, number in counts)
        return f"UPDATE {cells.table} SET {sets} WHERE {mine(row)};"  # noqa: S608

    keys, zeros = ", ".join(cells.keys), ", ".join("0" for _ in cells.counters)
    same = " AND ".join(f"known.{key} = new.{key}" for key in cells.keys)
    make = (
        f"INSERT INTO {cells.table} (_id, {keys}, {', '.join(cells.counters)}) "  # noqa: S608
        f"SELECT {NEW_ID['sqlite']}, {keys}, {zeros} FROM ({cells.counted('NEW')}) AS new "
        f"WHERE narrowed IS NOT NULL AND divided IS NOT NULL "
        f"AND NOT EXISTS (SELECT 1 FROM {cells.table} AS known WHERE {same});"
    )
    differs = " OR ".join(f"{old} IS NOT {new}" for old, new in zip(cells.read("OLD"), cells.read("NEW"), strict=True))
    return [
        f"DROP TRIGGER IF EXISTS {cells.table}_{event}" for event in ("insert", "update", "delete")
    ] + [
        f"CREATE TRIGGER {cells.table}_insert AFTER INSERT ON {cells.source} BEGIN {make} {add('NEW', '+')} END",
        f"CREATE TRIGGER {cells.table}_delete AFTER DELETE ON {cells.source} BEGIN {add('OLD', '-')} END",
        f"CREATE TRIGGER {cells.table}_update AFTER UPDATE OF {', '.join(cells.columns)} ON {cells.source} "
        f"WHEN {differs} BEGIN {add('OLD', '-')} {make} {add('NEW', '+')} END",
    ]  # fmt: skip


def _postgresql(cells: Cells) -> list[str]:
    keys = ", ".join(cells.keys)
    new_read, old_read = (", ".join(cells.read(rows)) for rows in ("new_rows", "old_rows"))
    new_id = NEW_ID["postgresql"]
    more, less = cells.counted("added", of="new_rows"), cells.counted("gone", of="old_rows", sign=-1)
    folded = cells.summed("SELECT * FROM folded", new_id=new_id)
    function = f"""
CREATE OR REPLACE FUNCTION {cells.table}_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- Where the account is being deleted, its cells may have gone first.
        {
        cells.summed(
            f"{less} WHERE EXISTS (SELECT 1 FROM {cells.table} AS known WHERE known.account_id = gone.account_id)",
            new_id=new_id,
        )
    };
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        {cells.summed(more, new_id=new_id)};
    ELSE
        IF NOT EXISTS (SELECT _id, {new_read} FROM new_rows EXCEPT SELECT _id, {old_read} FROM old_rows) THEN
            RETURN NULL;
        END IF;
        {cells.summed(f"{more} UNION ALL {less}", new_id=new_id)};
    END IF;
    IF random() * {FOLD_ONE_IN} < 1 THEN
        -- Whoever folds at the same moment takes other rows: nobody waits.
        WITH folded AS (
            DELETE FROM {cells.table} WHERE _id IN (
                SELECT _id FROM {cells.table} WHERE (account_id, environment, bin) IN (
                    SELECT account_id, environment, {cells.bin_of("new_rows")} FROM new_rows
                ) FOR UPDATE SKIP LOCKED
            ) RETURNING {keys}, {", ".join(cells.counters)}
        ) {folded};
    END IF;
    RETURN NULL;
END $$"""  # noqa: S608
    tables = {"insert": "NEW TABLE AS new_rows", "delete": "OLD TABLE AS old_rows"}
    tables["update"] = f"{tables['delete']} {tables['insert']}"
    return [function] + [
        f"CREATE OR REPLACE TRIGGER {cells.table}_{event} AFTER {event.upper()} ON {cells.source} "
        f"REFERENCING {transition} FOR EACH STATEMENT EXECUTE FUNCTION {cells.table}_keep()"
        for event, transition in tables.items()
    ]
