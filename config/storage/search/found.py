"""What a search has set on a queryset, and what can be told from it."""

from collections.abc import Sequence
from typing import Any, TypeVar, cast

from django.db import connections
from django.db.models import CharField, QuerySet, Value
from django.db.models.expressions import Col, RawSQL
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, In
from django.db.models.sql.where import WhereNode

from config.storage.search.index import engine_of, named_by

R = TypeVar("R", bound=QuerySet[Any])


class AmongFew(In):
    """A primary key among all those that the index named."""

    number = 0


class Owned(Exact):
    """The owner's, which all that the index named are."""


class Walked(WhereNode):
    """The text holds one of the terms."""

    search: Any = None

    def clone(self) -> "Walked":
        copy = cast(Walked, super().clone())
        copy.search = self.search
        return copy


class Told(Walked):
    """The same; whether the index names the rows first is decided when the store is asked for more than a page."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        sql, params = super().as_sql(compiler, connection)
        if self.search.newest.is_dense:
            return sql, params
        named, values = compiler.compile(self.search.all_named())
        return f"({named} AND ({sql}))", [*values, *params]


def is_few(rows: "QuerySet[Any]") -> bool:
    """Whether a search has named its rows one by one: they are counted fastest by reading them."""
    return any(isinstance(condition, AmongFew) for condition in conditions_of(rows))


def is_none(rows: "QuerySet[Any]") -> bool:
    """Whether a search has found nothing."""
    return any(isinstance(condition, AmongFew) and not condition.number for condition in conditions_of(rows))


def is_searched(rows: "QuerySet[Any]") -> bool:
    """Whether they are what a search found: a row takes more than a look."""
    return found_in(rows) is not None


def is_counted(rows: "QuerySet[Any]") -> bool:
    """Whether they can be counted in the time of a page: no search found them, or it named all there are."""
    return isinstance(found_in(rows), AmongFew | None)


def is_many(rows: "QuerySet[Any]") -> bool:
    """Whether a page that was read of them tells that a search found many more than are counted."""
    found = found_in(rows)
    newest = found.search.__dict__.get("newest") if found else None
    return bool(newest and newest.is_many)


def number_of(rows: "QuerySet[Any]") -> int | None:
    """How many a search found, where it has named them all and nothing else narrows them."""
    found, conditions = found_in(rows), conditions_of(rows)
    is_all = isinstance(found, AmongFew) and all(each is found or isinstance(each, Owned) for each in conditions)
    return found.number if is_all else None


def found_in(rows: "QuerySet[Any]") -> Any:
    """The condition that a search has set, if one has."""
    return next((each for each in conditions_of(rows) if getattr(each, "search", None)), None)


def conditions_of(rows: QuerySet[Any]) -> list[Any]:
    """What all hold for a row to be among ``rows``."""
    return rows.query.where.children


def equals_of(rows: QuerySet[Any]) -> dict[str, Any] | None:
    """Columns → what they have to equal, beside what a search has set; None where rows have to meet anything else."""
    found, equals = found_in(rows), {}
    for condition in conditions_of(rows):
        if condition is found or isinstance(condition, Owned | Walked):
            continue
        if not isinstance(condition, Exact) or not isinstance(condition.lhs, Col):
            return None
        if not isinstance(condition.rhs, str | int):
            return None
        equals[f'"{condition.lhs.target.column}"'] = condition.rhs
    return equals


def pins(condition: Any, names: Sequence[str]) -> bool:
    return isinstance(condition, Exact) and isinstance(condition.lhs, Col) and condition.lhs.target.name in names


def among(rows: R, pks: Sequence[str], owner: Sequence[str]) -> R:
    """Those of ``rows`` with these primary keys, a few: each looked up by it, and by no index of the ``owner``'s,
    which would be walked.
    """
    engine = engine_of(connections[rows.db])
    if engine is None:
        return rows.filter(pk__in=pks)
    rows = rows.all()
    rows.query.where = rows.query.where.clone()
    children = conditions_of(rows)
    for position, condition in enumerate(children):
        if pins(condition, owner):
            hidden = Coalesce(condition.lhs, Value(""), output_field=CharField())
            children[position] = Owned(hidden, condition.rhs)
    few = AmongFew(Col(rows.model._meta.db_table, rows.model._meta.pk), named_by(engine, pks))
    few.number = len(pks)
    children.append(few)
    return rows


def looked_up(rows: "QuerySet[Any]", keys: Any) -> Any:
    """Those of ``rows`` with these primary keys, which an engine has ``packed``."""
    engine = engine_of(connections[rows.db])
    assert engine is not None  # noqa: S101 - it has packed them
    return rows.filter(pk__in=RawSQL(engine.keys, (keys,)))  # noqa: S611 - the value is a parameter
