"""Queries that are asked many times a second: Django writes their SQL once for each connection, and not each time.

Writing it takes longer than the store needs to answer. What is asked is the same: one statement, the stored rows.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

LIMIT = 987_654_321
"""Stands for the limit while the SQL is written."""


class _Plan(NamedTuple):
    sql: str
    parameters: list[Any]
    places: list[tuple[int, int]]
    """Which parameter is which of the caller's values."""
    convert: Callable[[list[Any]], Any] | None


class Prepared:
    """``find = Prepared(lambda digest: ApiKey.objects.filter(digest=digest).values_list("id"), values=1)``

    ``build`` makes a queryset of ``values_list`` from as many texts as are given, and at the end perhaps a limit. Each
    text has to stand in the SQL as a parameter of its own, unchanged by its field.
    """

    def __init__(self, build: Callable[..., "QuerySet[Any, Any]"], *, values: int, has_limit: bool = False) -> None:
        self.build = build
        self.values = values
        self.has_limit = has_limit

    def __call__(self, *values: Any) -> list[Any]:
        """The rows for these values."""
        if connection.vendor == "mongodb":
            return list(self.build(*values))
        plans: dict[Prepared, _Plan] = connection.__dict__.setdefault("parley_prepared", {})
        plan = plans.get(self)
        if plan is None:
            plan = plans[self] = self._write()
        parameters = plan.parameters.copy()
        for position, which in plan.places:
            parameters[position] = values[which]
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, parameters)
            rows = cursor.fetchall()
        return list(plan.convert(rows)) if plan.convert else rows

    def _write(self) -> _Plan:
        markers: list[Any] = [f"{number + 1:x}".rjust(24, "f") for number in range(self.values)]
        queryset = self.build(*markers, *([LIMIT] if self.has_limit else []))
        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, given = compiler.as_sql()
        parameters = list(given)
        if self.has_limit:
            if sql.count(str(LIMIT)) != 1 or not sql.endswith(f"LIMIT {LIMIT}"):
                raise TypeError("The limit has to stand once, at the end of the statement.")
            sql = sql.replace(str(LIMIT), "%s")
            parameters.append(LIMIT)
            markers.append(LIMIT)
        places = [(place, markers.index(each)) for place, each in enumerate(parameters) if each in markers]
        if len({which for _, which in places}) != len(markers):
            raise TypeError("Each value has to be a parameter of the statement.")
        return _Plan(sql, parameters, places, _converter(compiler))


def _converter(compiler: Any) -> Callable[[list[Sequence[Any]]], Any] | None:
    """What turns the store's rows into Python's; None where they are that already."""
    converters = compiler.get_converters([column for column, *_ in compiler.select])
    if not converters:
        return None
    return lambda rows: map(tuple, compiler.apply_converters(rows, converters))
