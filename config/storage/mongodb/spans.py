"""Spans (``config.storage.spans``) on MongoDB.

Who changes rows of a span writes to its document, even where that stays as it was: of two who do so at the same moment,
one conflicts and does it again, so whoever looks up where a span ends has seen what the other did.
"""

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from bson import ObjectId
from django_mongodb_backend.query import wrap_database_errors
from pymongo import DeleteOne, InsertOne, UpdateOne

from config.storage.chunks import chunks_of
from config.storage.mongodb.marks import once
from config.storage.mongodb.transaction import run_in_transaction, snapshot_session
from config.storage.pieces import Row
from config.storage.spans import Spans

AT_ONCE = 10_000
"""Spans that one transaction counts anew."""

Key = tuple[Any, ...]
Ends = tuple[Any, Any]
"""The first moment and the last, as the store has them: naive, of UTC, to the millisecond."""
Change = tuple[Row | None, Row | None]


def widen(connection: Any, spans: Spans, changes: Iterable[Change]) -> list[Change]:
    """Bring spans in step with these changes of rows, in their transaction. Returns what became of the spans."""
    coming: dict[Key, list[Any]] = {}
    leaving: set[Key] = set()
    for before, after in changes:
        old, new = _place(spans, before), _place(spans, after)
        if old != new:
            if old:
                leaving.add(old[0])
            if new:
                coming.setdefault(new[0], []).append(new[1])
    touched = coming.keys() | leaving
    if not touched:
        return []
    known = {_key(spans, row): row for row in _found(connection, spans, spans.table, touched)}
    ends: dict[Key, Ends] = {key: (min(moments), max(moments)) for key, moments in coming.items()}
    for key in ends.keys() & known.keys():
        ends[key] = min(ends[key][0], known[key]["first_at"]), max(ends[key][1], known[key]["last_at"])
    for key in leaving:
        ends.pop(key, None)
    ends |= _looked_up(connection, spans, leaving)
    return _write(connection, spans, known, {key: ends.get(key) for key in touched})


def _write(connection: Any, spans: Spans, known: dict[Key, Any], wanted: dict[Key, Ends | None]) -> list[Change]:
    works: list[Any] = []
    moved: list[Change] = []
    for key, ends in wanted.items():
        old, new = known.get(key), None
        if ends:
            named = dict(zip(("first_at", "last_at"), ends, strict=True))
            new = {"_id": old["_id"] if old else ObjectId(), **dict(zip(spans.keys, key, strict=True)), **named}
            wider = UpdateOne({"_id": new["_id"]}, {"$set": named, "$inc": {"turns": 1}})
            works.append(wider if old else InsertOne(new))
        elif old:
            works.append(DeleteOne({"_id": old["_id"]}))
        moved.append((old, new))
    if works:
        connection.database[spans.table].bulk_write(works, ordered=False, session=connection.session)
    return moved


def _place(spans: Spans, row: Row | None) -> tuple[Key, Any] | None:
    if row is None:
        return None
    moment = row["created_at"]
    return _key(spans, row), moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _key(spans: Spans, row: Row) -> Key:
    return tuple(row[name] for name in spans.keys)


def _found(connection: Any, spans: Spans, table: str, keys: Collection[Key]) -> Iterable[Any]:
    return (
        row
        for criteria in _criteria(spans, keys)
        for row in connection.database[table].find(criteria, session=connection.session)
    )


def _criteria(spans: Spans, keys: Collection[Key]) -> Iterable[dict[str, Any]]:
    """Conditions that name these spans, one for each owner."""
    owners: dict[Key, list[Any]] = {}
    for *owner, value in keys:
        owners.setdefault(tuple(owner), []).append(value)
    for found, values in owners.items():
        yield {**dict(zip(spans.keys, found, strict=False)), spans.column: {"$in": values}}


def _looked_up(connection: Any, spans: Spans, keys: Collection[Key]) -> dict[Key, Ends]:
    return {
        key: ends for criteria in _criteria(spans, keys) for key, ends in _counted(connection, spans, criteria).items()
    }


def _counted(connection: Any, spans: Spans, criteria: dict[str, Any]) -> dict[Key, Ends]:
    stages = [
        {"$match": criteria},
        {
            "$group": {
                "_id": {name: f"${name}" for name in spans.keys},
                "first": {"$min": "$created_at"},
                "last": {"$max": "$created_at"},
            }
        },
    ]
    found = connection.database[spans.source].aggregate(stages, session=connection.session)
    return {tuple(each["_id"].values()): (each["first"], each["last"]) for each in found}


@wrap_database_errors
def keep_spans(connection: Any, spans: Spans) -> None:
    """Look at what is there, once: from then on each change is followed."""
    once(connection, [spans.table], partial(recount, connection, spans))


@wrap_database_errors
def recount(connection: Any, spans: Spans) -> None:
    """Look at all anew, some at a time. Nobody waits: who changes one of them meanwhile conflicts with it."""
    connection.ensure_connection()
    keys = set()
    for table in (spans.source, spans.table):
        group = {"$group": {"_id": {name: f"${name}" for name in spans.keys}}}
        found = connection.database[table].aggregate([group], allowDiskUse=True)
        keys |= {tuple(each["_id"].values()) for each in found}
    for some in chunks_of(sorted(keys), AT_ONCE):
        run_in_transaction(connection, partial(_recount, connection, spans, some))


def _recount(connection: Any, spans: Spans, keys: list[Key]) -> None:
    known = {_key(spans, row): row for row in _found(connection, spans, spans.table, keys)}
    ends = _looked_up(connection, spans, keys)
    _write(connection, spans, known, {key: ends.get(key) for key in keys})


@wrap_database_errors
def wrong_spans(connection: Any, spans: Spans) -> int:
    """How many are not what looking at all rows anew finds."""
    with snapshot_session(connection):
        rows = connection.database[spans.table].find({}, session=connection.session)
        kept = {_key(spans, row): (row["first_at"], row["last_at"]) for row in rows}
        counted = _counted(connection, spans, {})
    return sum(kept.get(key) != counted.get(key) for key in kept.keys() | counted.keys())
