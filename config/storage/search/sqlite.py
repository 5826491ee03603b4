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

from config.storage.search.fts5 import TRIGGERS, tables, triggers
from config.storage.search.grams import LAST, Weight, quoted, weigh
from config.storage.search.index import SubstringIndex, columns_of

FEW_GRAMS = 5_000
"""Occurrences of one or two characters that are looked through, of all owners, whatever else could be done."""

MOST_GRAMS = 100_000
"""So many at most; of more, no list is made."""

BEGUN = 200
"""Trigrams that begin with the same one or two characters and are looked for one by one, within the owner's."""

PAGE = 5
"""Texts that are read in the time in which FTS5 reads a page."""

GRAM_PAGE = 90
"""The same of a page that is gone through for one or two characters."""

NAMED = 4
"""Rows that are named in the time in which a text is read."""

LONG = 40
"""Characters; of a longer term the ends alone are matched, and the texts are asked for the whole."""

END = 16

FEW_FOUND = 500
"""Rows that are few enough to be looked for by what is likely."""

FEW_PAGES = 400
"""Of a term whose trigrams lie on so few pages, the phrase is found as fast."""


class SQLiteEngine:
    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self._weighed: dict[tuple[str, ...], list[Weight]] = {}

    def create(self, index: SubstringIndex, model: type[Model]) -> list[str]:
        if not self._has_trigrams():
            return []
        columns = columns_of(model, (*index.fields, index.along, "id"))
        return [*tables(index, columns), *triggers(index, columns)]

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

    def effort(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], share: float) -> int:
        last = f"SELECT max(docid) FROM {index.name}_part WHERE docid <= last"
        sql = f"SELECT ({last}) - first FROM {index.name}_owner WHERE owner = %s"
        documents = sum(max(0, number or 0) for (number,) in self._rows(sql, ("/".join(owner),)))
        found = int(documents * share)
        taken = found // NAMED
        for weight in self._weights(index, terms):
            if weight.is_short:
                taken += weight.whole * GRAM_PAGE
            else:
                stages = self._stages(weight) if found < FEW_FOUND else []
                taken += (weight.read_for(stages[0]) if stages else weight.whole) * PAGE
        return taken

    def find(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], limit: int) -> list[str] | None:
        wanted = []
        for term in terms:
            begun = [term] if len(term) > 2 else self._begun(index, term)
            if begun is None:
                return None
            wanted.append((term, " OR ".join(map(_phrases, begun))))
        sql, values = self._matching(index, owner, wanted)
        return [pk for (pk,) in self._rows(f"{sql} LIMIT {limit:d}", values)]

    def _begun(self, index: SubstringIndex, term: str) -> list[str] | None:
        """The trigrams that begin with these one or two characters; none where they are gone through faster one by
        one, and None where there are too many of either.
        """
        gram, values = f"{index.name}_gram", (term, term + LAST)
        most = f"SELECT count(*) FROM (SELECT 1 FROM {gram} WHERE term >= %s AND term < %s LIMIT {{}})"
        if self._rows(most.format(FEW_GRAMS), values)[0][0] < FEW_GRAMS:
            return []
        after = f"(SELECT term FROM {gram} WHERE term >= {{}} AND term < %s LIMIT 1)"
        sql = (
            f"WITH RECURSIVE begun(gram) AS (SELECT {after.format('%s')} UNION ALL"
            f" SELECT {after.format('gram || char(1)')} FROM begun WHERE gram IS NOT NULL LIMIT {BEGUN + 1})"
            " SELECT gram FROM begun WHERE gram IS NOT NULL"
        )
        begun = [found for (found,) in self._rows(sql, (*values, values[1]))]
        if len(begun) <= BEGUN:
            return begun
        return [] if self._rows(most.format(MOST_GRAMS), values)[0][0] < MOST_GRAMS else None

    def likely(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], limit: int) -> list[str] | None:
        """By some trigrams of each term, near each other: a whole phrase reads the common ones too."""
        weights = self._weights(index, terms)
        if any(weight.is_short for weight in weights):
            return None
        stages = [self._stages(weight) for weight in weights]
        for stage in range(max(map(len, stages))):
            wanted = [
                (weight.term, weight.near(each[min(stage, len(each) - 1)]) if each else _phrases(weight.term))
                for weight, each in zip(weights, stages, strict=True)
            ]
            sql, values = self._matching(index, owner, wanted)
            found = [pk for (pk,) in self._rows(f"{sql} LIMIT {limit:d}", values)]
            if len(found) < limit:
                return found
        return None

    def _stages(self, weight: Weight) -> list[list[str]]:
        """Trigrams that tell likely rows much faster than the whole phrase the right ones."""
        return weight.stages if weight.whole >= FEW_PAGES else []

    def _weights(self, index: SubstringIndex, terms: Sequence[str]) -> list[Weight]:
        key = (index.name, *terms)
        if key not in self._weighed:
            self._weighed[key] = weigh(self._rows, index.name, terms)
        return self._weighed[key]

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

    keys = "SELECT value FROM json_each(%s)"

    def packed(self, pks: Sequence[str]) -> str:
        return json.dumps(pks)

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
