"""The index on SQLite: FTS5's trigrams, without the text itself, kept by triggers.

A document of the index is a part of a row's text: first the whole text, then each piece that is appended to it, so
that an append costs what it adds. ``…_part`` has the row of each document and where in its text the part lies, for FTS5
wants the same text again to forget it. The documents of one owner (``…_owner``) are numbered in a range of their own: a
search reads that range alone, however large the others are.

A phrase of trigrams is exactly a substring of three characters or more. One or two characters are the beginnings of
trigrams, which FTS5 lists in order (``…_gram``): two separators at the end of each part let its last ones begin some.
"""
# ruff: noqa: S608 - the names are the index's and the columns', which the models say

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.db.models.expressions import RawSQL

from config.storage.search.grams import PAGES, RAREST, grams_of, near_of, quoted
from config.storage.search.index import SubstringIndex, columns_of

TRIGGERS = ("insert", "append", "replace", "delete")
MOST_GRAMS = 100_000
"""Occurrences of one or two characters that are looked through, of all owners; of more, no list is made."""

LONG = 40
"""Characters; of a longer term the ends alone are matched, and the texts are asked for the whole."""

END = 16

FEW_PAGES = 400
"""Of a term whose trigrams lie on so few pages, the phrase is found as fast."""

LAST = "\U0010ffff" * 3
"""What no trigram's rest comes after."""


class SQLiteEngine:
    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def create(self, index: SubstringIndex, model: type[Model]) -> list[str]:
        if not self._has_trigrams():
            return []
        columns = columns_of(model, (*index.fields, index.along, "id"))
        return [*_tables(index, columns), *_triggers(index, columns)]

    def drop(self, index: SubstringIndex) -> list[str]:
        name = index.name
        return [
            *(f"DROP TRIGGER IF EXISTS {name}_{event}" for event in TRIGGERS),
            *(f"DROP TABLE IF EXISTS {name}{table}" for table in ("_gram", "", "_part", "_owner")),
        ]

    def exists(self, index: SubstringIndex) -> bool:
        names = [index.name, *(f"{index.name}_{event}" for event in TRIGGERS)]
        marks = ", ".join(["%s"] * len(names))
        [[found]] = self._rows(f"SELECT count(*) FROM sqlite_master WHERE name IN ({marks})", names)
        return bool(found == len(names))

    def find(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], limit: int) -> list[str] | None:
        for term in terms:
            if len(term) < 3:
                most = f"SELECT 1 FROM {index.name}_gram WHERE term >= %s AND term < %s LIMIT {MOST_GRAMS:d}"
                [[number]] = self._rows(f"SELECT count(*) FROM ({most})", (term, term + LAST))
                if number == MOST_GRAMS:
                    return None
        sql, values = self.statement(index, owner, terms)
        return [pk for (pk,) in self._rows(f"{sql} LIMIT {limit:d}", values)]

    def likely(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], limit: int) -> list[str] | None:
        """By the rarest trigrams of each term, near each other: a whole phrase reads the common ones too."""
        grams = [grams_of(term) for term in terms]
        if any(len(each) <= RAREST for each in grams):
            return None
        pages = [self._pages(index, each) for each in grams]
        if sum(sum(each.values()) for each in pages) < FEW_PAGES:
            return None
        near = [near_of(term, each) for term, each in zip(terms, pages, strict=True)]
        sql, values = self._matching(index, owner, [("", match) for match in near])
        found = [pk for (pk,) in self._rows(f"{sql} LIMIT {limit:d}", values)]
        return found if len(found) < limit else None

    def _pages(self, index: SubstringIndex, grams: Sequence[str]) -> dict[str, int]:
        """How many pages FTS5 has written of each trigram, of all owners; about: few are told apart least.

        Its ``…_idx`` names the first trigram of each page. What is read of it decides what is looked for first, and
        never what is found.
        """
        sql = PAGES.replace("{idx}", f"{index.name}_idx")
        return dict(self._rows(sql, (json.dumps(grams),)))

    def is_exact(self, term: str) -> bool:
        return len(term) <= LONG

    def statement(
        self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str]
    ) -> tuple[str, tuple[str, ...]]:
        return self._matching(index, owner, [(term, "" if len(term) < 3 else _phrases(term)) for term in terms])

    def _matching(
        self, index: SubstringIndex, owner: Sequence[str], wanted: Sequence[tuple[str, str]]
    ) -> tuple[str, tuple[str, ...]]:
        """``statement`` of what FTS5 is to match, or else of the beginnings of trigrams."""
        name, found, values = index.name, [], []
        for beginning, match in wanted:
            if not match:
                found.append(f"SELECT doc AS docid FROM {name}_gram WHERE term >= %s AND term < %s")
                values += [beginning, beginning + LAST]
            else:
                found.append(
                    f"SELECT rowid AS docid FROM {name} WHERE {name} MATCH %s"
                    f" AND rowid BETWEEN (SELECT first FROM {name}_owner WHERE owner = %s)"
                    f" AND (SELECT last FROM {name}_owner WHERE owner = %s)"
                )
                values += [match, "/".join(owner), "/".join(owner)]
        # CROSS: in this order
        sql = (
            f"SELECT DISTINCT row FROM ({' UNION '.join(found)}) it CROSS JOIN {name}_part part"
            f" ON part.docid = it.docid AND part.docid BETWEEN (SELECT first FROM {name}_owner WHERE owner = %s)"
            f" AND (SELECT last FROM {name}_owner WHERE owner = %s)"
        )
        return sql, (*values, "/".join(owner), "/".join(owner))

    def faults(self, index: SubstringIndex, model: type[Model]) -> list[str]:
        if not self.exists(index):
            missing = (
                "its tables or triggers are missing" if self._has_trigrams() else "this SQLite has no FTS5 trigrams"
            )
            return [f"There is no index {index.name}: {missing}. Searches read every text."]
        table, name = model._meta.db_table, index.name
        pk = columns_of(model, ["id"])["id"]
        sql = f"SELECT count(*) FROM {table} it WHERE NOT EXISTS (SELECT 1 FROM {name}_part WHERE row = it.{pk})"
        [[number]] = self._rows(sql, None)
        faults = [f"{number:,} rows are not in {name}."] if number else []
        sql, values = self.statement(index, ["owner", "live"], ["words"])
        plan = " ".join(str(row[-1]) for row in self._rows(f"EXPLAIN QUERY PLAN {sql}", values))
        if "VIRTUAL TABLE INDEX" not in plan or "part USING INTEGER PRIMARY KEY" not in plan:
            faults.append(f"{name} is not asked as it should be: {plan}")
        return faults

    def literal(self, pks: Sequence[str]) -> RawSQL:
        return RawSQL("SELECT value FROM json_each(%s)", (json.dumps(pks),))

    def _has_trigrams(self) -> bool:
        """FTS5 may be left out of a SQLite, and knows trigrams from 3.34 on."""
        options = {option for (option,) in self._rows("PRAGMA compile_options", None)}
        return "ENABLE_FTS5" in options and sqlite3.sqlite_version_info >= (3, 34)

    def _rows(self, sql: str, values: Sequence[Any] | None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()


def _phrases(term: str) -> str:
    """What FTS5 looks for: all positions of all trigrams of a phrase are read, so of a long term only its ends'."""
    pieces = [term] if len(term) <= LONG else [term[:END], term[-END:]]
    return " AND ".join(map(quoted, pieces))


def _tables(index: SubstringIndex, columns: dict[str, str]) -> list[str]:
    """The tables, with what is there already."""
    name, text, pk, owner = index.name, columns[index.fields[-1]], columns["id"], _owner(index, columns, "it")
    return [
        # 2^40 documents an owner
        f"CREATE TABLE IF NOT EXISTS {name}_owner (number integer PRIMARY KEY, owner text NOT NULL UNIQUE,"
        " first integer AS (number << 40), last integer AS ((number + 1 << 40) - 1))",
        f"CREATE TABLE IF NOT EXISTS {name}_part (docid integer PRIMARY KEY, row varchar(24) NOT NULL,"
        " start integer NOT NULL, length integer NOT NULL)",
        f"CREATE INDEX IF NOT EXISTS {name}_part_row ON {name}_part (row)",
        # No column sizes: they serve a ranking that nobody asks for.
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {name} USING fts5"
        "(text, content='', columnsize=0, tokenize='trigram case_sensitive 1')",
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {name}_gram USING fts5vocab('{name}', 'instance')",
        # What is there already, where the index is new
        f"INSERT OR IGNORE INTO {name}_owner (owner) SELECT DISTINCT {owner} FROM %(table)s it",
        f"INSERT INTO {name}_part (docid, row, start, length) SELECT"
        f" first + row_number() OVER (PARTITION BY number ORDER BY it.{columns[index.along]}),"
        f" it.{pk}, 1, length(it.{text}) FROM %(table)s it JOIN {name}_owner ON owner = {owner}"
        f" WHERE NOT EXISTS (SELECT 1 FROM {name}_part)",
        f"INSERT INTO {name} (rowid, text) SELECT docid, it.{text} || char(31, 31) FROM {name}_part"
        f" JOIN %(table)s it ON it.{pk} = row WHERE NOT EXISTS (SELECT 1 FROM {name}_gram) ORDER BY docid",
    ]


def _triggers(index: SubstringIndex, columns: dict[str, str]) -> list[str]:
    """They keep it in the transaction of each change."""
    name, text, pk, owner = index.name, columns[index.fields[-1]], columns["id"], _owner(index, columns, "NEW")

    def add(start: str, length: str, added: str) -> str:
        return (
            f"INSERT INTO {name}_part (docid, row, start, length) SELECT 1 + coalesce((SELECT max(docid)"
            f" FROM {name}_part WHERE docid BETWEEN first AND last), first), NEW.{pk}, {start}, {length}"
            f" FROM {name}_owner WHERE owner = {owner};"
            f" INSERT INTO {name} (rowid, text) SELECT max(docid), {added} || char(31, 31)"
            f" FROM {name}_part WHERE row = NEW.{pk};"
        )

    add_whole = f"INSERT OR IGNORE INTO {name}_owner (owner) VALUES ({owner}); " + add(
        "1", f"length(NEW.{text})", f"NEW.{text}"
    )
    add_rest = add(
        f"length(OLD.{text}) + 1",
        f"length(NEW.{text}) - length(OLD.{text})",
        f"substr(NEW.{text}, length(OLD.{text}) + 1)",
    )
    forget = (
        f"INSERT INTO {name} ({name}, rowid, text) SELECT 'delete', docid,"
        f" substr(OLD.{text}, start, length) || char(31, 31) FROM {name}_part WHERE row = OLD.{pk};"
        f" DELETE FROM {name}_part WHERE row = OLD.{pk};"
    )
    is_append = (
        f"substr(NEW.{text}, length(OLD.{text}) + 1, 1) = char(31)"
        f" AND substr(NEW.{text}, 1, length(OLD.{text})) = OLD.{text}"
    )
    update = f"AFTER UPDATE OF {text} ON %(table)s WHEN NEW.{text} <> OLD.{text}"
    return [
        f"CREATE TRIGGER {name}_insert AFTER INSERT ON %(table)s BEGIN {add_whole} END",
        f"CREATE TRIGGER {name}_append {update} AND {is_append} BEGIN {add_rest} END",
        f"CREATE TRIGGER {name}_replace {update} AND NOT ({is_append}) BEGIN {forget} {add_whole} END",
        f"CREATE TRIGGER {name}_delete AFTER DELETE ON %(table)s BEGIN {forget} END",
    ]


def _owner(index: SubstringIndex, columns: dict[str, str], row: str) -> str:
    return " || '/' || ".join(f"{row}.{columns[field]}" for field in index.fields[:-1])
