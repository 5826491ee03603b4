"""Looking for a literal substring in the texts of one owner: the decision between an index and a walk.

Two ways give the same rows. The *walk* goes along the list and reads each text until the page is full: nothing beats it
where the words are common, and it reads everything where they are not. The *index* (``SubstringIndex``) names the rows
that hold the words, however rare they are: cheap for few rows, a long list of names for common words.
``Search.narrow`` is where one of the two is taken; ``docs/search.md`` has the reasons and the figures.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

from django.db import connections
from django.db.models import QuerySet
from django.db.models.expressions import Col, RawSQL
from django.db.models.lookups import In
from django.db.models.sql.where import OR

from config.storage.expressions import HasSubstring
from config.storage.search.found import (
    AmongFew,
    Told,
    Walked,
    among,
    conditions_of,
    equals_of,
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
from config.storage.search.joints import DIGITS
from config.storage.search.looks import looks, reaches
from config.storage.search.newest import Newest

__all__ = [
    "DIGITS",
    "FEW",
    "Search",
    "SubstringIndex",
    "among",
    "engine_of",
    "index_of",
    "is_counted",
    "is_few",
    "is_none",
    "is_searched",
    "looked_up",
    "number_of",
    "page_of",
    "some_of",
]

R = TypeVar("R", bound=QuerySet[Any])

FEW = 2_000
"""So many rows are looked up by their primary keys, and counted exactly."""

MANY = 20_000
"""So many are named in one go, and met along the list."""

GLANCE = 3_000
"""Rows that are looked at to say how many there are at least, of words that many hold."""

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
        self._is_walked: bool | None = None
        self._held: dict[str, int] = {}

    def narrow(self, rows: R) -> R:
        """Those of ``rows`` that it finds, by the way that is the cheaper one."""
        if self.engine is None or self.is_walked():
            return self.walk(rows)
        if self.newest:
            if self.newest.is_few:
                return self._looked_up(rows, [each.pk for each in self.newest.held])
            return self._with(rows, self._holding(Told))
        found = self.named(MANY)
        if found is None:
            return self.walk(rows)
        if len(found) <= FEW:
            return self.among(rows, found)
        named = In(self.pk, named_by(self.engine, found)) if len(found) < MANY else self.all_named()
        return self._with(self._verified(rows), named)

    def all_named(self) -> In:
        """All that the index names."""
        assert self.engine is not None  # noqa: S101 - it names them
        sql, values = self.engine.statement(self.index, list(self.owner.values()), self.terms)
        return In(self.pk, RawSQL(sql, values))  # noqa: S611 - the values are parameters

    def is_walked(self) -> bool:
        """Whether to walk takes less than to name the rows."""
        if self._is_walked is None:
            self._is_walked = self.engine is None or self._is_small() or self._is_common(self.engine)
        return self._is_walked

    @cached_property
    def newest(self) -> Newest | None:
        owner = list(self.owner.values())
        return self.engine.newest(self.index, self.all.model, owner, self.terms) if self.engine else None

    def page(self, rows: "QuerySet[Any]", most: int) -> list[str] | None:
        """Those of ``page_of``: known are one order, and what has to equal something beside the search."""
        newest: Newest | None = self.__dict__.get("newest")
        along = f"-{self.index.along}"
        if not newest or rows.query.is_sliced or rows.query.order_by not in ((along, "-id"), (along, "-pk")):
            return None
        conditions = equals_of(rows)
        return None if conditions is None else newest.page(conditions, most)

    def _is_common(self, engine: Engine) -> bool:
        """Whether the words stand in so many rows at both ends of the list that a page is soon full.

        Both ends: what only the newest hold fills no second page, and what only old ones hold is far away.
        """
        if engine.is_asked_first(self.terms):
            return self.newest is None
        if any(self._held_at(end) < COMMON for end in ("-", "")):
            return False
        share = sum(self._held.values()) / SAMPLE / 2
        read = PAGE / share
        return read <= SHORT or read <= engine.effort(self.index, list(self.owner.values()), self.terms, share)

    def _is_small(self) -> bool:
        owner = list(self.owner.values())
        is_small = self.engine.is_small(self.index, owner, SMALL) if self.engine else None
        if is_small is None:
            *names, _ = self.index.fields
            is_small = not reaches(self.all.model, tuple(names), self.index.along, SMALL).raw(*owner)
        return is_small

    def named(self, most: int) -> list[str] | None:
        """The primary keys of at most ``most`` rows, by the index; None where it does not tell."""
        if self.engine and self._most < most and (self._named is None or len(self._named) == self._most):
            owner = list(self.owner.values())
            named = self.newest.named(most) if self.newest else None
            self._named = named or self.engine.find(self.index, owner, self.terms, most)
            self._most = most
        return self._named

    @property
    def is_named(self) -> bool:
        """Whether it has named some, or can at once."""
        return bool(self._named or self.__dict__.get("newest"))

    def among(self, rows: R, pks: Sequence[str]) -> R:
        """Those of ``rows`` with these primary keys, which the index has named."""
        return self._looked_up(self._verified(rows), pks)

    def _looked_up(self, rows: R, pks: Sequence[str]) -> R:
        """Each by its primary key, and by no index of the owner's, which would be walked."""
        assert self.engine is not None  # noqa: S101 - it has named them
        rows = among(rows, pks, self.index.fields[:-1])
        conditions_of(rows)[-1].search = self
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

    def _holding(self, kind: type[Walked] = Walked) -> Walked:
        text = Col(self.all.model._meta.db_table, self.field)
        return kind(cast(Any, [HasSubstring(text, term) for term in self.terms]), connector=OR)

    def _verified(self, rows: R) -> R:
        """Those of ``rows`` that hold the words, where the index may have named others too."""
        if self.engine is None or self.engine.is_exact:
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


def page_of(rows: "QuerySet[Any]", most: int) -> list[str] | None:
    """The primary keys of the first ``most``; None where no search has named its rows, or can tell these at once."""
    found = found_in(rows)
    keys = found.search.page(rows, most) if found else None
    return list(rows.values_list("pk", flat=True)[:most]) if keys is None and is_few(rows) else keys


def some_of(rows: R) -> tuple[R, bool]:
    """Some of those that a search found, in the time of a page, and whether these are all."""
    found = found_in(rows)
    if found is None or isinstance(found, AmongFew):
        return rows, True
    search: Search = found.search
    if search.is_named:
        rows = rows.all()
        rows.query.where = rows.query.where.clone()
        conditions_of(rows).remove(found)
        named = search.named(FEW + 1) or []
        return search.among(rows, named[:FEW]), len(named) <= FEW
    along, owned = search.index.along, search.all.filter(**search.owner)
    horizon = owned.order_by(f"-{along}", "-pk").values_list(along, flat=True)[GLANCE : GLANCE + 1]
    newest = next((rows.filter(**{f"{along}__gte": moment}) for moment in horizon), None)
    return (rows, True) if newest is None else (newest, False)


def _owner(rows: "QuerySet[Any]", index: SubstringIndex) -> dict[str, Any]:
    """Whose rows they are, where they are narrowed to one owner: the index's first fields → values."""
    names = index.fields[:-1]
    found = {condition.lhs.target.name: condition.rhs for condition in conditions_of(rows) if pins(condition, names)}
    return {name: found[name] for name in names} if len(found) == len(names) else {}
