"""Queries that are asked many times a second: Django writes their SQL, or their pipeline, once, and not each time.

Writing it takes longer than the store needs to answer. What is asked is the same: one statement, the stored rows.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

_PARAMETER = re.compile(r"(?<!%)%s")

LIMIT = 987_654_321
"""Stands for the limit while the SQL is written, numbers before it for numbers."""

MOMENT = datetime(9000, 1, 1, tzinfo=UTC)
"""Stands for a moment, the seconds after it for more."""


class _Plan(NamedTuple):
    sql: str
    """Its parameters have names: Django's SQLite puts those in by ``%``, and looks for ``%s`` by a slow pattern."""
    parameters: dict[str, Any]
    places: list[tuple[str, int]]
    """Which parameter is which of the caller's values."""
    converters: Any
    """As Django's compiler names what turns the store's values into Python's."""


class Prepared:
    """``find = Prepared(lambda digest: ApiKey.objects.filter(digest=digest).values_list("id"), values=1)``

    ``build`` makes a queryset of ``values_list`` from so many texts (``values``), whole numbers and moments as are
    given, in that order, and at the end perhaps a limit. Each has to stand in the SQL as a parameter of its own,
    unchanged by its field.

    ``at_once``: all rows are of one moment, as those of a statement always are but on MongoDB. ``along`` is the index
    that MongoDB is told to read; left to itself it takes the one that was best for other values.
    """

    def __init__(
        self,
        build: Callable[..., "QuerySet[Any, Any]"],
        *,
        values: int,
        numbers: int = 0,
        moments: int = 0,
        has_limit: bool = False,
        at_once: bool = False,
        along: str = "",
    ) -> None:
        self.build = build
        self.values = values
        self.numbers = numbers
        self.moments = moments
        self.has_limit = has_limit
        self.at_once = at_once
        self.along = along
        self._plans: dict[str, Any] = {}

    def __call__(self, *values: Any) -> list[Any]:
        """The rows for these values."""
        if connection.vendor == "mongodb":
            plan = self._plan
            if not plan.is_complete:
                return list(self.build(*values))
            return [tuple(_converted(row, plan.converters)) for row in plan.rows(self._as_stored(values))]
        rows = self.raw(*values)
        return [self.converted(row) for row in rows] if self._plan.converters else rows

    def raw(self, *values: Any) -> list[Any]:
        """The same as the store has them, hashable: enough to tell whether they are still what they were."""
        plan = self._plan
        if connection.vendor == "mongodb":
            return [_frozen(row) for row in plan.rows(self._as_stored(values))]
        parameters = plan.parameters.copy()
        given = self._as_stored(values)
        for name, which in plan.places:
            parameters[name] = given[which]
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, parameters)
            return cursor.fetchall()

    def converted(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A row of ``raw`` in Python's values."""
        return tuple(_converted(row, self._plan.converters))

    @property
    def _plan(self) -> Any:
        """A ``_Plan``, or a ``Pipeline``."""
        plan = self._plans.get(connection.vendor)
        if plan is None:
            plan = self._plans[connection.vendor] = self._write()
        return plan

    def _markers(self) -> list[Any]:
        """Values that are found again in what is written."""
        texts = [f"{number + 1:x}".rjust(24, "f") for number in range(self.values)]
        numbers = [LIMIT - 1 - number for number in range(self.numbers)]
        moments = [MOMENT + timedelta(seconds=number) for number in range(self.moments)]
        return [*texts, *numbers, *moments, *([LIMIT] if self.has_limit else [])]

    def _as_stored(self, values: Sequence[Any]) -> Sequence[Any]:
        """Moments as the store's driver takes them; the rest it takes as it is."""
        if not self.moments:
            return values
        adapted = connection.ops.adapt_datetimefield_value
        return [adapted(value) if isinstance(value, datetime) else value for value in values]

    def _write(self) -> Any:
        markers = self._markers()
        queryset = self.build(*markers)
        if connection.vendor == "mongodb":
            from config.storage.mongodb.prepared import Pipeline

            return Pipeline(queryset, self._as_stored(markers), at_once=self.at_once, along=self.along)
        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, given = compiler.as_sql()
        parameters = list(given)
        if self.has_limit:
            if sql.count(str(LIMIT)) != 1 or not sql.endswith(f"LIMIT {LIMIT}"):
                raise TypeError("The limit has to stand once, at the end of the statement.")
            sql = sql.replace(str(LIMIT), "%s")
            parameters.append(LIMIT)
        named = {f"p{number}": each for number, each in enumerate(parameters)}
        markers = list(self._as_stored(markers))
        places = [(name, markers.index(each)) for name, each in named.items() if each in markers]
        if len({which for _, which in places}) != len(markers):
            raise TypeError("Each value has to be a parameter of the statement.")
        marks = iter(named)
        sql = _PARAMETER.sub(lambda found: f"%({next(marks)})s", sql)
        return _Plan(sql, named, places, compiler.get_converters([column for column, *_ in compiler.select]))


def _converted(row: Sequence[Any], converters: Any) -> list[Any]:
    values = list(row)
    for place, (functions, expression) in converters.items():
        for function in functions:
            values[place] = function(values[place], expression, connection)
    return values


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
