"""The index on SQLite: FTS5's trigrams, without the text itself and without their places, kept by triggers.

A document of the index is a part of a row's text (a message), so that an append costs what it adds, and what stands in
one message is told from what stands in several. ``…_row`` numbers the rows of each owner (``…_owner``) within a range
of its own: a search reads that range alone, however large the others are. A document's number is its row's, and the
part's place: nothing has to say whose it is.

Beside what a part says stands its skeleton, without vowels and spaces: its trigrams span words, and tell phrases of
common words apart. The rarest trigrams of either name rows that are likely to hold a term; the texts decide. One or two
characters are the beginnings of trigrams, which FTS5 lists in order (``…_gram``). Digits of a number are looked for
among what such numbers end with (``…_digits``).
"""
# ruff: noqa: S608 - the names are the index's and the columns', which the models say

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from config.storage.search.fts5 import PART, ROW, TABLES, TRIGGERS, digits_of, is_number, tables, triggers
from config.storage.search.grams import LAST, TRIGRAM, Weight, quoted, weigh
from config.storage.search.index import SubstringIndex, columns_of
from config.storage.search.joints import DIGITS
from config.storage.search.newest import Newest

FEW_GRAMS = 5_000
"""Occurrences of one or two characters that are looked through, of all owners, whatever else could be done."""

MOST_GRAMS = 100_000
"""So many at most; of more, no list is made."""

BEGUN = 200
"""Trigrams that begin with the same one or two characters and are looked for one by one, within the owner's."""

GRAM_PAGE = 90
"""Texts that are read in the time in which a page is gone through for one or two characters."""

NAMED = 4
"""Rows that are named in the time in which a text is read."""

RAREST = 4
"""Trigrams of a term that are looked for: FTS5 goes through what stands of each."""

NUMBERS = 3_000
"""Rows whose phones hold some digits: of more, no list is made."""

_existing: dict[tuple[str, int, str], bool] = {}
"""Of a database's schema, which has a number for each change: whether it has the index."""


class SQLiteEngine:
    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self._weighed: dict[tuple[str, str], Weight] = {}
        self._numbers: dict[tuple[str, ...], tuple[int, int]] = {}

    def create(self, index: SubstringIndex, model: type[Model]) -> list[str]:
        if not self._has_trigrams():
            return []
        columns = columns_of(model, (*index.fields, index.along, "id"))
        return [*tables(index, columns), *triggers(index, columns)]

    def drop(self, index: SubstringIndex) -> list[str]:
        return [
            *(f"DROP TRIGGER IF EXISTS {index.name}_{event}" for event in TRIGGERS),
            *(f"DROP TABLE IF EXISTS {index.name}{table}" for table in TABLES),
        ]

    def exists(self, index: SubstringIndex) -> bool:
        [[version]] = self.rows("PRAGMA schema_version", None)
        key = (str(self.connection.settings_dict["NAME"]), version, index.name)
        if not _existing.get(key):
            names = [index.name, *(f"{index.name}_{event}" for event in TRIGGERS)]
            marks = ", ".join(["%s"] * len(names))
            [[found]] = self.rows(f"SELECT count(*) FROM sqlite_master WHERE name IN ({marks})", names)
            _existing[key] = found == len(names)
        return _existing[key]

    def is_small(self, index: SubstringIndex, owner: Sequence[str], most: int) -> bool:
        number, last = self.numbers_of(index, owner)
        return last - (number << ROW) <= most

    def numbers_of(self, index: SubstringIndex, owner: Sequence[str]) -> tuple[int, int]:
        """The owner's number, and that of its last row."""
        key = (index.name, *owner)
        if key not in self._numbers:
            sql = (
                f"SELECT number, (SELECT max(number) FROM {index.name}_row WHERE number <= last >> {PART})"
                f" FROM {index.name}_owner WHERE owner = %s"
            )
            number, last = next(iter(self.rows(sql, ("/".join(owner),))), (0, 0))
            self._numbers[key] = (number, last or 0)
        return self._numbers[key]

    def effort(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], share: float) -> int:
        number, last = self.numbers_of(index, owner)
        rows = max(0, last - (number << ROW))
        weights = self._weights(index, terms)
        return int(rows * share) // NAMED + sum(weight.whole * GRAM_PAGE for weight in weights if weight.is_short)

    is_exact = False

    def newest(
        self, index: SubstringIndex, model: type[Model], owner: Sequence[str], terms: Sequence[str]
    ) -> Newest | None:
        newest = Newest(self, index, model, owner, terms)
        return newest if newest.is_known else None

    def is_asked_first(self, terms: Sequence[str]) -> bool:
        return all(len(term) >= TRIGRAM or term[0] in DIGITS for term in terms)

    def find(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], limit: int) -> None:
        """What is newest tells more."""

    def statement(
        self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str]
    ) -> tuple[str, tuple[Any, ...]]:
        """Where ``newest`` could tell."""
        match, numbers = self.wanted(index, owner, terms) or ("", [])
        name = index.name
        found, values = ["SELECT value AS number FROM json_each(%s)"], [json.dumps(numbers)]
        if match:
            found.append(
                f"SELECT rowid >> {PART} AS number FROM {name} WHERE {name} MATCH %s"
                f" AND rowid BETWEEN (SELECT first FROM {name}_owner WHERE owner = %s)"
                f" AND (SELECT last FROM {name}_owner WHERE owner = %s)"
            )
            values += [match, "/".join(owner), "/".join(owner)]
        # CROSS: in this order
        sql = f"SELECT row FROM ({' UNION '.join(found)}) named CROSS JOIN {name}_row r ON r.number = named.number"
        return sql, tuple(values)

    def wanted(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str]) -> tuple[str, list[int]] | None:
        """What FTS5 is to match, and the numbers of rows that it need not be asked for; None of too many of these."""
        matches: list[str] = []
        numbers: list[int] = []
        for term in terms:
            is_digits = term[0] in DIGITS
            if is_digits or is_number(term):
                named = self._ending(index, owner, digits_of(term))
                if named is None:
                    return None
                numbers += named
            if is_digits:
                continue
            if len(term) < TRIGRAM:
                short = self._short(index, owner, term)
                if short is None:
                    return None
                matches += map(quoted, short[0])
                numbers += short[1]
            else:
                [weight] = self._weights(index, [term])
                matches.append(f"({weight.rarest(RAREST)})")
        return " OR ".join(matches), sorted(set(numbers), reverse=True)

    def _short(self, index: SubstringIndex, owner: Sequence[str], term: str) -> tuple[list[str], list[int]] | None:
        """Trigrams that begin with one or two characters, or else the rows that have one; None of too many."""
        rows = self._beginning(index, owner, term, FEW_GRAMS)
        begun = self._begun(index, term) if rows is None else []
        if begun is None:
            rows = self._beginning(index, owner, term, MOST_GRAMS)
        return None if begun is None and rows is None else (begun or [], rows or [])

    def _ending(self, index: SubstringIndex, owner: Sequence[str], digits: str) -> list[int] | None:
        """Rows with a number that holds these digits; None of too many, and of none."""
        if not digits:
            return None
        sql = f"SELECT number FROM {index.name}_digits WHERE owner = %s AND digits >= %s AND digits < %s LIMIT %s"
        owned, _ = self.numbers_of(index, owner)
        found = [number for (number,) in self.rows(sql, (owned, digits, f"{digits}:", NUMBERS + 1))]
        return found if len(found) <= NUMBERS else None

    def _beginning(self, index: SubstringIndex, owner: Sequence[str], term: str, most: int) -> list[int] | None:
        """Rows with a trigram that begins so; None where it stands more often, in texts of all owners."""
        sql = f"SELECT doc >> {PART} FROM {index.name}_gram WHERE term >= %s AND term < %s LIMIT %s"
        found = self.rows(sql, (term, term + LAST, most))
        owned, _ = self.numbers_of(index, owner)
        return list({number for (number,) in found if number >> ROW == owned}) if len(found) < most else None

    def _begun(self, index: SubstringIndex, term: str) -> list[str] | None:
        """The trigrams that begin with these one or two characters; None of too many."""
        gram, values = f"{index.name}_gram", (term, term + LAST)
        after = f"(SELECT term FROM {gram} WHERE term >= {{}} AND term < %s LIMIT 1)"
        sql = (
            f"WITH RECURSIVE begun(gram) AS (SELECT {after.format('%s')} UNION ALL"
            f" SELECT {after.format('gram || char(1)')} FROM begun WHERE gram IS NOT NULL LIMIT {BEGUN + 1})"
            " SELECT gram FROM begun WHERE gram IS NOT NULL"
        )
        begun = [found for (found,) in self.rows(sql, (*values, values[1]))]
        return begun if len(begun) <= BEGUN else None

    def _weights(self, index: SubstringIndex, terms: Sequence[str]) -> list[Weight]:
        missing = [term for term in terms if (index.name, term) not in self._weighed]
        for weight in weigh(self.rows, index.name, missing) if missing else ():
            self._weighed[index.name, weight.term] = weight
        return [self._weighed[index.name, term] for term in terms]

    def faults(self, index: SubstringIndex, model: type[Model]) -> list[str]:
        if not self.exists(index):
            missing = (
                "its tables or triggers are missing" if self._has_trigrams() else "this SQLite has no FTS5 trigrams"
            )
            return [f"There is no index {index.name}: {missing}. Searches read every text."]
        table, name = model._meta.db_table, index.name
        pk = columns_of(model, ["id"])["id"]
        sql = f"SELECT count(*) FROM {table} it WHERE NOT EXISTS (SELECT 1 FROM {name}_row WHERE row = it.{pk})"
        [[number]] = self.rows(sql, None)
        faults = [f"{number:,} rows are not in {name}."] if number else []
        asked = [self.statement(index, ["owner", "live"], ["words"])]
        asked += Newest(self, index, model, ["owner", "live"], ["words"]).asked()
        for sql, values in asked:
            plan = " ".join(str(row[-1]) for row in self.rows(f"EXPLAIN QUERY PLAN {sql}", values))
            if any(f"SCAN {each}" in plan for each in ("it", "r", table, f"{name}_row", f"{name}_digits")):
                faults.append(f"{name} is not asked as it should be: {plan}")
        return faults

    keys = "SELECT value FROM json_each(%s)"

    def packed(self, pks: Sequence[str]) -> str:
        return json.dumps(pks)

    def _has_trigrams(self) -> bool:
        """FTS5 may be left out of a SQLite, and knows trigrams from 3.34 on."""
        options = {option for (option,) in self.rows("PRAGMA compile_options", None)}
        return "ENABLE_FTS5" in options and sqlite3.sqlite_version_info >= (3, 34)

    def rows(self, sql: str, values: Sequence[Any] | None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()
