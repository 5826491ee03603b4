"""Queries that are asked many times a second: Django writes their SQL, or their pipeline, once, and not each time.

Writing it takes longer than the store needs to answer. What is asked is the same: one statement, the stored rows.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

_PARAMETER = re.compile(r"(?<!%)%s")

LIMIT = 987_654_321
"""Stands for the limit while the SQL is written."""


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

    ``build`` makes a queryset of ``values_list`` from as many texts as are given, and at the end perhaps a limit. Each
    text has to stand in the SQL as a parameter of its own, unchanged by its field.
    """

    def __init__(self, build: Callable[..., "QuerySet[Any, Any]"], *, values: int, has_limit: bool = False) -> None:
        self.build = build
        self.values = values
        self.has_limit = has_limit
        self._plans: dict[str, Any] = {}

    def __call__(self, *values: Any) -> list[Any]:
        """The rows for these values."""
        if connection.vendor == "mongodb":
            return self._from_mongodb(values)
        rows = self.raw(*values)
        return [self.converted(row) for row in rows] if self._plan.converters else rows

    def raw(self, *values: Any) -> list[Any]:
        """The same as the store has them: enough to tell whether they are still what they were. Not on MongoDB."""
        plan = self._plan
        parameters = plan.parameters.copy()
        for name, which in plan.places:
            parameters[name] = values[which]
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, parameters)
            return cursor.fetchall()

    def _from_mongodb(self, values: tuple[Any, ...]) -> list[Any]:
        pipeline = self._plans.get("mongodb")
        if pipeline is None:
            from config.storage.mongodb.prepared import Pipeline

            markers = self._markers()
            pipeline = self._plans["mongodb"] = Pipeline(self.build(*markers), markers)
        if not pipeline.is_complete:
            return list(self.build(*values))
        return [tuple(_converted(row, pipeline.converters)) for row in pipeline.rows(values)]

    def converted(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A row of ``raw`` in Python's values."""
        return tuple(_converted(row, self._plan.converters))

    @property
    def _plan(self) -> _Plan:
        plan = self._plans.get(connection.vendor)
        if plan is None:
            plan = self._plans[connection.vendor] = self._write()
        return plan

    def _markers(self) -> list[Any]:
        """Values that are found again in what is written."""
        texts: list[Any] = [f"{number + 1:x}".rjust(24, "f") for number in range(self.values)]
        return [*texts, LIMIT] if self.has_limit else texts

    def _write(self) -> _Plan:
        markers = self._markers()
        queryset = self.build(*markers)
        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, given = compiler.as_sql()
        parameters = list(given)
        if self.has_limit:
            if sql.count(str(LIMIT)) != 1 or not sql.endswith(f"LIMIT {LIMIT}"):
                raise TypeError("The limit has to stand once, at the end of the statement.")
            sql = sql.replace(str(LIMIT), "%s")
            parameters.append(LIMIT)
        named = {f"p{number}": each for number, each in enumerate(parameters)}
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
