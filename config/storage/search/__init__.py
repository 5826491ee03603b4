"""Looking for a literal substring in the texts of one owner: the decision between an index and a walk.

Two ways give the same rows. The *walk* goes along the list and reads each text until the page is full: nothing beats it
where the words are common, and it reads everything where they are not. The *index* (``SubstringIndex``) names the rows
that hold the words, however rare they are: cheap for few rows, a long list of names for common words.
``Search.narrow`` is where one of the two is taken; ``docs/search.md`` has the reasons and the figures.
"""

import sys
from collections.abc import Sequence
from typing import Any, TypeVar, cast

from django.db import connections
from django.db.models import CharField, QuerySet, Value
from django.db.models.expressions import Col, RawSQL
from django.db.models.functions import Coalesce
from django.db.models.lookups import In
from django.db.models.sql.where import OR

from config.storage.expressions import HasSubstring
from config.storage.search.found import (
    AmongFew,
    Owned,
    Walked,
    conditions_of,
    found_in,
    is_counted,
    is_few,
    is_none,
    is_searched,
    looked_up,
    number_of,
    pins,
)
from config.storage.search.index import Engine, SubstringIndex, engine_of, index_of, named_by
from config.storage.search.looks import looks, reaches

__all__ = [
    "FEW",
    "Search",
    "SubstringIndex",
    "engine_of",
    "index_of",
    "is_counted",
    "is_few",
    "is_none",
    "is_searched",
    "looked_up",
    "number_of",
    "some_of",
]

R = TypeVar("R", bound=QuerySet[Any])

FEW = 2_000
"""So many rows are looked up by their primary keys, and counted exactly."""

MANY = 20_000
"""So many are named in one go, and met along the list."""

GLANCE = 3_000
"""Rows that are looked at to say how many there are at least, of words that many hold."""

LIKELY = 1_000
"""Rows that an index takes for likely, and whose texts are asked then."""

SAMPLE = 100
"""Rows that are looked at, at either end of the list, to tell whether words are common."""

COMMON = 2
"""Of ``SAMPLE``, at both ends: a page is then full after some 2,500 rows, wherever it begins."""

PAGE = 50
"""Rows of a page, about."""

SHORT = 700
"""Texts that are read without asking whether the index would take less."""

SMALL = 1_000
"""Rows of an owner that are read in any case: however large the others are, that takes no longer."""


class Search:
    """Rows whose ``field`` holds at least one of ``terms``. What is found out about them is found out once."""

    def __init__(self, rows: "QuerySet[Any]", field: str, terms: Sequence[str]) -> None:
        connection = connections[rows.db]
        self.terms = terms
        self.all = rows.model._default_manager.using(rows.db)
        self.field = rows.model._meta.get_field(field)
        self.pk = Col(rows.model._meta.db_table, rows.model._meta.pk)
        self.index = index_of(rows.model, field)
        self.owner = _owner(rows, self.index)
        engine = engine_of(connection)
        self.engine = engine if engine and self.owner and engine.exists(self.index) else None
        self._named: list[str] | None = None
        self._most = 0
        self._is_verified = False
        self._is_walked: bool | None = None
        self._held: dict[str, int] = {}

    def narrow(self, rows: R) -> R:
        """Those of ``rows`` that it finds, by the way that is the cheaper one."""
        found = None if self.is_walked() else self.named(MANY)
        if self.engine is None or found is None:
            return self.walk(rows)
        if len(found) <= FEW:
            return self.among(rows, found)
        rows = self._verified(rows)
        if len(found) < MANY:
            return self._with(rows, In(self.pk, named_by(self.engine, found)))
        sql, values = self.engine.statement(self.index, list(self.owner.values()), self.terms)
        return self._with(rows, In(self.pk, RawSQL(sql, values)))  # noqa: S611 - the values are parameters

    def is_walked(self) -> bool:
        """Whether to walk takes less than to name the rows."""
        if self._is_walked is None:
            self._is_walked = self.engine is None or self._is_small() or self._is_common(self.engine)
        return self._is_walked

    def _is_common(self, engine: Engine) -> bool:
        """Whether the words stand in so many rows at both ends of the list that a page is soon full.

        Both ends: what only the newest hold fills no second page, and what only old ones hold is far away.
        """
        if any(self._held_at(end) < COMMON for end in ("-", "")):
            return False
        share = sum(self._held.values()) / SAMPLE / 2
        read = PAGE / share
        return read <= SHORT or read <= engine.effort(self.index, list(self.owner.values()), self.terms, share)

    def _is_small(self) -> bool:
        *names, _ = self.index.fields
        return not reaches(self.all.model, tuple(names), self.index.along, SMALL).raw(*self.owner.values())

    def named(self, most: int) -> list[str] | None:
        """The primary keys of at most ``most`` rows, by the index; None where it does not tell."""
        if self.engine and self._most < most and (self._named is None or len(self._named) == self._most):
            owner = list(self.owner.values())
            few = self.engine.likely(self.index, owner, self.terms, LIKELY) if self._named is None else None
            self._named = self.engine.find(self.index, owner, self.terms, most) if few is None else self._that_hold(few)
            self._most = most if few is None else sys.maxsize
        return self._named

    def _that_hold(self, pks: Sequence[str]) -> list[str]:
        """Those of these rows that hold the words."""
        assert self.engine is not None  # noqa: S101 - it has named them
        self._is_verified = True
        rows = self._with(self._with(self.all.all(), In(self.pk, named_by(self.engine, pks))), self._holding())
        return list(rows.order_by().values_list("pk", flat=True)) if pks else []

    @property
    def is_named(self) -> bool:
        return bool(self._named)

    def among(self, rows: R, pks: Sequence[str]) -> R:
        """Those of ``rows`` with these primary keys, each looked up: an owner's index would be walked for them.

        The owner's conditions stay, in a form that no index answers.
        """
        assert self.engine is not None  # noqa: S101 - it has named them
        among = AmongFew(self.pk, named_by(self.engine, pks))
        among.number = len(pks)
        rows = self._with(self._verified(rows), among)
        children = conditions_of(rows)
        for position, condition in enumerate(children):
            if pins(condition, self.index.fields):
                hidden = Coalesce(condition.lhs, Value(""), output_field=CharField())
                children[position] = Owned(hidden, condition.rhs)
        return rows

    def _held_at(self, end: str) -> int:
        """In how many of the ``SAMPLE`` newest (``-``) or oldest rows the words stand. The store looks itself: a text
        that is read here is decoded first.
        """
        if end not in self._held:
            look = looks(self.all.model, tuple(self.index.fields), f"{end}{self.index.along}", len(self.terms), SAMPLE)
            self._held[end] = sum(holds for (holds,) in look.raw(*self.owner.values(), *self.terms))
        return self._held[end]

    def walk(self, rows: R) -> R:
        return self._with(rows, self._holding())

    def _holding(self) -> "Walked":
        text = Col(self.all.model._meta.db_table, self.field)
        return Walked(cast(Any, [HasSubstring(text, term) for term in self.terms]), connector=OR)

    def _verified(self, rows: R) -> R:
        """Those of ``rows`` that hold the words, where the index may have named others too."""
        if self.engine is None or self._is_verified or all(map(self.engine.is_exact, self.terms)):
            return rows
        rows = rows.all()
        rows.query.where = rows.query.where.clone()
        conditions_of(rows).append(self._holding())
        return rows

    def _with(self, rows: R, condition: Any) -> R:
        condition.search = self
        rows = rows.all()
        rows.query.where = rows.query.where.clone()
        conditions_of(rows).append(condition)
        return rows


def some_of(rows: R) -> R | None:
    """Some of those that a search found, in the time of a page; None where it named all there are."""
    found = found_in(rows)
    if found is None or isinstance(found, AmongFew):
        return None
    search: Search = found.search
    if search.is_named:
        rows = rows.all()
        rows.query.where = rows.query.where.clone()
        conditions_of(rows).remove(found)
        return search.among(rows, (search.named(FEW) or [])[:FEW])
    along, owned = search.index.along, search.all.filter(**search.owner)
    horizon = owned.order_by(f"-{along}", "-pk").values_list(along, flat=True)[GLANCE : GLANCE + 1]
    return next((rows.filter(**{f"{along}__gte": moment}) for moment in horizon), None)


def _owner(rows: "QuerySet[Any]", index: SubstringIndex) -> dict[str, Any]:
    """Whose rows they are, where they are narrowed to one owner: the index's first fields → values."""
    names = index.fields[:-1]
    found = {condition.lhs.target.name: condition.rhs for condition in conditions_of(rows) if pins(condition, names)}
    return {name: found[name] for name in names} if len(found) == len(names) else {}
