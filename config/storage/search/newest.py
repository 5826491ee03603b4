"""The first of what a search finds, without naming all of it: the index is read from the newest rows back.

Rows are numbered as they come, and lists are ordered by when they last changed. So what the highest numbers hold is
most of a first page, but for rows that have changed since: those are few, ``…_block`` tells where they are, and their
texts are asked too.
"""
# ruff: noqa: S608 - the names are the index's and the columns', which the models say

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Model

from config.storage.expressions import holding
from config.storage.search.fts5 import BLOCK, PART, ROW
from config.storage.search.index import SubstringIndex, columns_of

if TYPE_CHECKING:
    from config.storage.search.sqlite import SQLiteEngine

DOCUMENTS = 80
"""Documents that FTS5 is asked for first."""

TIMES = 6
"""So many times as many are asked for next, at most."""

ASKED = 64
"""Rows whose texts are asked at a time."""

MOST_ASKED = 3_000
"""Rows whose texts are asked for a page, ..."""

SPARSE = 50
"""... or of a large owner's one in so many: to go along the list would take longer yet."""

CHANGED = 300
"""Rows that have changed since, and are asked for a page."""

MANY = 150
"""More, by a page's estimate, are not counted for an answer: to name them and ask their texts takes longer than it."""

DENSE = 0.05
"""Of the rows at both ends: words that so many hold are walked to as fast."""


class Held(NamedTuple):
    """A row that holds the words; they sort as a list does, backwards."""

    moment: str
    pk: str
    number: int


class Newest:
    def __init__(
        self,
        engine: "SQLiteEngine",
        index: SubstringIndex,
        model: type[Model],
        owner: Sequence[str],
        terms: Sequence[str],
    ) -> None:
        self.engine, self.index, self.model, self.owner, self.terms = engine, index, model, owner, terms
        self.number, self.last = engine.numbers_of(index, owner)
        self.wanted = engine.wanted(index, owner, terms)
        self.numbers: list[int] = []
        """Rows that are likely, the last that came first."""
        self.is_complete = False
        """Whether these are all."""
        self.is_known = self._more(DOCUMENTS)
        """Whether the index can tell."""
        self.estimate = 0
        """How many hold the words, if those that no page has asked for are like those that it has; 0 of no page."""
        self._asked = DOCUMENTS

    def _more(self, documents: int) -> bool:
        if self.wanted is None:
            return False
        match, named = self.wanted
        below = self.numbers[-1] if self.numbers else (self.number + 1) << ROW
        found = [number for number in named if number < below]
        self.is_complete = True
        if match:
            sql = (
                f"SELECT rowid >> {PART} FROM {self.index.name} WHERE {self.index.name} MATCH %s"
                f" AND rowid BETWEEN %s AND %s ORDER BY rowid DESC LIMIT {documents:d}"
            )
            matched = [
                number for (number,) in self.engine.rows(sql, (match, self.number << ROW + PART, (below << PART) - 1))
            ]
            self.is_complete = len(matched) < documents
            lowest = 0 if self.is_complete else matched[-1]
            found = sorted({*matched, *(number for number in found if number >= lowest)}, reverse=True)
        self.numbers += found
        return True

    def _ask_more(self, times: float) -> None:
        """So many times what was asked for, within bounds."""
        self._asked = max(DOCUMENTS, int(self._asked * min(times * 1.3, TIMES)))
        self._more(self._asked)

    def named(self, most: int) -> list[str]:
        """The primary keys of at most so many rows that are likely."""
        while len(self.numbers) < most and not self.is_complete:
            self._ask_more(TIMES)
        sql = f"SELECT row FROM json_each(%s) CROSS JOIN {self.index.name}_row ON number = value"
        return [pk for (pk,) in self.engine.rows(sql, (json.dumps(self.numbers[:most]),))]

    @property
    def is_few(self) -> bool:
        """Whether so few rows are likely that the texts of all can be asked."""
        return self.is_complete and len(self.numbers) <= DOCUMENTS

    @property
    def is_many(self) -> bool:
        return self.estimate > MANY

    @cached_property
    def held(self) -> list[Held]:
        """Those that hold the words, of ``numbers``."""
        return self._that_hold(self.numbers, {}, self.terms)

    @cached_property
    def is_dense(self) -> bool:
        """Whether so many at both ends of the list hold the words that a page is soon full, wherever it begins."""
        if self.is_complete:
            return False
        spans = [self.last - self.numbers[-1]]
        matched = [len(self.numbers)]
        if self.wanted and self.wanted[0]:
            sql = (
                f"SELECT rowid >> {PART} FROM {self.index.name} WHERE {self.index.name} MATCH %s"
                f" AND rowid BETWEEN %s AND %s ORDER BY rowid LIMIT {DOCUMENTS}"
            )
            least, most = self.number << ROW + PART, (self.number + 1 << ROW + PART) - 1
            first = [each for (each,) in self.engine.rows(sql, (self.wanted[0], least, most))]
            spans.append(first[-1] - (self.number << ROW))
            matched.append(len(set(first)))
        return all(each >= DENSE * span for each, span in zip(matched, spans, strict=True))

    def page(self, conditions: Mapping[str, Any], most: int) -> list[str] | None:
        """The primary keys of the ``most`` that come first in the list; None where that takes longer than to name all.

        ``conditions`` are columns and their values, the owner's among them.
        """
        if self.is_few:
            held = self.held
            if conditions:
                held = self._that_hold([each.number for each in held], conditions, ())
            return [each.pk for each in sorted(held, reverse=True)[:most]]
        held, done, at_once = [], 0, ASKED
        rows = self.last - (self.number << ROW)
        while len(held) < most:
            if done == len(self.numbers):
                if self.is_complete:
                    break
                self._ask_more((most - len(held)) / max(1, len(held)))
                continue
            if done >= max(MOST_ASKED, rows // SPARSE):
                return None
            next_ = self.numbers[done : done + at_once]
            found = self._that_hold(next_, conditions, self.terms)
            held += found
            done += len(next_)
            at_once *= 1 if found else 2
        if done:
            seen = self.last - self.numbers[done - 1] + 1
            self.estimate = len(held) * rows // seen
        held.sort(reverse=True)
        if done < len(self.numbers) or not self.is_complete:
            changed = self._changed(held[most - 1].moment, self.numbers[done - 1])
            if len(changed) > CHANGED:
                return None
            held = sorted([*held, *self._that_hold(changed, conditions, self.terms)], reverse=True)
        return [each.pk for each in held[:most]]

    def _that_hold(self, numbers: Sequence[int], conditions: Mapping[str, Any], terms: Sequence[str]) -> list[Held]:
        if not numbers:
            return []
        sql, values = self._holding(numbers, conditions, terms)
        return [Held(*row) for row in self.engine.rows(sql, values)]

    def _holding(
        self, numbers: Sequence[int], conditions: Mapping[str, Any], terms: Sequence[str]
    ) -> tuple[str, tuple[Any, ...]]:
        columns = columns_of(self.model, (self.index.along, "id", self.index.fields[-1]))
        asked = [f"it.{column} = %s" for column in conditions]
        if terms:
            holds = holding(f"it.{columns[self.index.fields[-1]]}")
            asked.append(f"({' OR '.join([holds] * len(terms))})")
        # CROSS: in this order
        sql = (
            f"SELECT +it.{columns[self.index.along]}, it.{columns['id']}, r.number FROM json_each(%s) asked"
            f" CROSS JOIN {self.index.name}_row r ON r.number = asked.value"
            f" CROSS JOIN {self.model._meta.db_table} it ON it.{columns['id']} = r.row"
            f" WHERE {' AND '.join(asked) or 1}"
        )
        return sql, (json.dumps(numbers), *conditions.values(), *terms)

    def _changed(self, since: str, below: int) -> list[int]:
        """Rows of the owner with lower numbers, which have changed since that moment: some more than ``CHANGED``."""
        sql, values = self._changes(since, below)
        return [number for (number,) in self.engine.rows(sql, values)]

    def _changes(self, since: str, below: int) -> tuple[str, tuple[Any, ...]]:
        name = self.index.name
        # CROSS: in this order
        sql = (
            f"SELECT r.number FROM {name}_block block CROSS JOIN {name}_row r"
            f" ON r.number BETWEEN block.number << {BLOCK} AND (block.number + 1 << {BLOCK}) - 1"
            f" WHERE block.number BETWEEN %s AND %s AND newest >= %s AND moment >= %s AND r.number < %s"
            f" LIMIT {CHANGED + 1}"
        )
        return sql, (self.number << ROW - BLOCK, below >> BLOCK, since, since, below)

    def asked(self) -> list[tuple[str, tuple[Any, ...]]]:
        """The statements of a page, to be explained."""
        return [self._holding([0], {}, self.terms), self._changes("", 0)]
