"""A pipeline that is written once and run many times, with other values in it each time."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from bson import ObjectId
from django.db import connection
from django.db.models import QuerySet
from django_mongodb_backend.query import wrap_database_errors

from config.storage.mongodb.hints import aggregate, reads_texts
from config.storage.mongodb.transaction import read_at_once

AT_ONCE = 1_000
"""Rows that the server sends at once; left to itself, 101, and the rest when asked again."""


class Pipeline:
    """Of a queryset of ``values_list`` that was built from ``markers``, which values take the place of."""

    def __init__(self, queryset: "QuerySet[Any, Any]", markers: Sequence[Any], *, at_once: bool, along: str) -> None:
        self.moment = read_at_once if at_once else nullcontext
        compiler: Any = queryset.query.get_compiler(using=queryset.db)
        compiler.pre_sql_setup()
        self.collection = compiler.collection_name
        self.stages = _plain(compiler.build_query(compiler.columns).get_pipeline())
        self.options: dict[str, Any] = {"batchSize": AT_ONCE, **({"hint": along} if along else {})}
        self.make = _maker(compiler)
        self.converters = compiler.get_converters([column for column, *_ in compiler.select[: compiler.col_count]])
        self.places = {marker: which for which, marker in enumerate(markers)}
        found = set(self._markers(self.stages))
        self.is_complete = found == set(self.places) and not reads_texts(self.stages[0])
        """Whether each value stands in it as it is; else it has to be written each time."""

    @wrap_database_errors
    def rows(self, values: Sequence[Any]) -> list[list[Any]]:
        """As the store has them."""
        connection.ensure_connection()
        store: Any = connection
        stages = self._filled(self.stages, values)
        with self.moment(store):
            found = aggregate(store.get_collection(self.collection), stages, session=store.session, **self.options)
            return list(map(self.make, found))

    def _filled(self, part: Any, values: Sequence[Any]) -> Any:
        if isinstance(part, dict):
            return {name: self._filled(each, values) for name, each in part.items()}
        if isinstance(part, list | tuple):
            return [self._filled(each, values) for each in part]
        which = self._which(part)
        if which is None:
            return part
        return ObjectId(values[which]) if isinstance(part, ObjectId) else values[which]

    def _which(self, part: Any) -> int | None:
        if isinstance(part, ObjectId):
            return self.places.get(str(part))
        return self.places.get(part) if isinstance(part, str | int | datetime) else None

    def _markers(self, part: Any) -> Any:
        if isinstance(part, dict | list | tuple):
            for each in part.values() if isinstance(part, dict) else part:
                yield from self._markers(each)
        elif (which := self._which(part)) is not None:
            yield list(self.places)[which]


def _plain(part: Any) -> Any:
    """Without ``is not null`` beside ``less than``, which says so too: asked for that, no index answers alone."""
    if isinstance(part, list):
        return [_plain(each) for each in part]
    if not isinstance(part, dict):
        return part
    match part:
        case {"$and": [{**compared}, {"$and": [{**there}, {**told}]}]} if len(compared) == 1:
            [(column, how)] = compared.items()
            is_told = there == {column: {"$exists": True}} and told == {column: {"$ne": None}}
            if is_told and isinstance(how, dict) and how.keys() <= {"$lt", "$lte"}:
                return compared
    return {name: _plain(each) for name, each in part.items()}


def _maker(compiler: Any) -> Callable[[dict[str, Any]], list[Any]]:
    """What makes a row of a document."""
    columns = compiler.columns
    if any(getattr(column, "alias", None) not in (None, compiler.collection_name) for _, column in columns):
        return lambda document: compiler._make_result(document, columns)  # some come from another collection
    names = [name for name, _ in columns]
    return lambda document: list(map(document.get, names))
