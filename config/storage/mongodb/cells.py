"""Cells (``config.storage.cells``) on MongoDB: each change adds documents with its differences, folded now and then."""

from calendar import timegm
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import product
from secrets import randbelow
from typing import Any

from bson import ObjectId
from django_mongodb_backend.query import wrap_database_errors

from config.storage.cells import Cells
from config.storage.kept import KEPT
from config.storage.mongodb.folding import FOLDED_AT_ONCE, folding
from config.storage.mongodb.marks import once
from config.storage.mongodb.transaction import run_in_transaction, snapshot_session
from config.storage.pieces import Row, is_met, number_of, text_of

DAY = 86_400

FOLD_ONE_IN = 32
"""Of so many changes one folds what it wrote to."""

Key = tuple[Any, ...]
Sums = dict[Key, list[int]]
Day = tuple[Any, str, int]
"""Account, environment, and how many days went by since 1970."""
Touched = set[tuple[Any, str, int, str]]
"""Days, and how their cells are narrowed."""


def count(connection: Any, cells: Cells, changes: Iterable[tuple[Row | None, Row | None]]) -> Touched:
    """Add differences, in the transaction of the change. Returns of which cells there are more now."""
    sums: Sums = {}
    for before, after in changes:
        if before and after and _read(cells, before) == _read(cells, after):
            continue
        for row, sign in ((before, -1), (after, 1)):
            if row:
                _add(sums, cells, row, sign)
    if documents := list(_documents(cells, sums)):
        connection.database[cells.table].insert_many(documents, ordered=False, session=connection.session)
    return {(account, environment, place * cells.seconds // DAY, part) for account, environment, place, part, _ in sums}


def _read(cells: Cells, row: Row) -> list[Any]:
    """What of a row a change has to change, to change any cell."""
    return [row[name] if name not in cells.only or is_met(cells.only[name], row) else None for name in cells.columns]


def _add(sums: Sums, cells: Cells, row: Row, sign: int) -> None:
    numbers = [sign * number_of(number, row) for number in cells.counters.values()]
    place = row["account_id"], row["environment"], timegm(row[cells.moment].utctimetuple()) // cells.seconds
    narrowed, divided = (
        [text for text in (text_of(each, row, cells.limits) for each in texts) if text is not None]
        for texts in (cells.narrowed, cells.divided)
    )
    for parts in product(narrowed, divided):
        known = sums.setdefault((*place, *parts), [0] * len(numbers))
        known[:] = map(sum, zip(known, numbers, strict=True))


def _documents(cells: Cells, sums: Mapping[Key, Sequence[int]]) -> Iterator[dict[str, Any]]:
    names = (*cells.keys, *cells.counters)
    for key, numbers in sums.items():
        if any(numbers):
            yield {"_id": ObjectId(), **dict(zip(names, (*key, *numbers), strict=True))}


def _summed(cells: Cells) -> dict[str, Any]:
    """A ``$group`` of keys, of which ``_id`` is made."""
    return {"_id": {name: f"${name}" for name in cells.keys}, **{name: {"$sum": f"${name}"} for name in cells.counters}}


def fold_some(connection: Any, several: Iterable[Cells], touched: Touched) -> None:
    """Fold these once the change is through, or, mostly, leave that to another change."""
    for owner in {(account, environment) for account, environment, *_ in touched}:
        if not randbelow(FOLD_ONE_IN):
            theirs = {each for each in touched if each[:2] == owner}
            connection.on_commit(partial(fold, connection, several, *owner, theirs))


def fold(connection: Any, several: Iterable[Cells], account: Any, environment: str, touched: Touched) -> None:
    """One document in the place of those that there are of a cell."""
    days, narrowed = sorted({day for *_, day, _ in touched}), sorted({part for *_, part in touched})
    mine = {"account_id": account, "environment": environment, "narrowed": {"$in": narrowed}}
    with folding(connection, "Folding figures") as session:
        for cells in several:
            bins = [place for day in days for place in _bins(cells, day)]
            _fold(connection.database[cells.table], cells, {**mine, "bin": {"$in": bins}}, session)


def _fold(rows: Any, cells: Cells, mine: dict[str, Any], session: Any) -> None:
    several = list(
        rows.aggregate(
            [
                {"$match": mine},
                {"$limit": FOLDED_AT_ONCE},
                {"$group": {**_summed(cells), "ids": {"$push": "$_id"}}},
                {"$match": {"ids.1": {"$exists": True}}},
            ],
            session=session,
        )
    )
    if several:
        sums = {tuple(each["_id"].values()): [each[name] for name in cells.counters] for each in several}
        rows.delete_many({"_id": {"$in": [one for each in several for one in each["ids"]]}}, session=session)
        if documents := list(_documents(cells, sums)):
            rows.insert_many(documents, session=session)


def _bins(cells: Cells, day: int) -> range:
    return range(day * DAY // cells.seconds, (day + 1) * DAY // cells.seconds)


def sums_of_spans(
    connection: Any, table: str, place: Mapping[str, str], spans: Sequence[tuple[int, int]], counters: Sequence[str]
) -> list[list[int]]:
    """As ``config.storage.cells.sums_of_spans``."""
    connection.ensure_connection()
    bins = sorted({each for first, last in spans for each in range(first, last + 1)})
    mine = {**place, "account_id": ObjectId(place["account_id"]), "bin": {"$in": bins}}
    sums = {name: {"$sum": f"${name}"} for name in counters}
    found = connection.get_collection(table).aggregate(
        [{"$match": mine}, {"$group": {"_id": "$bin", **sums}}], session=connection.session, batchSize=len(bins) + 1
    )
    known = {each["_id"]: [each[name] for name in counters] for each in found}
    nothing = [0] * len(counters)
    return [
        list(map(sum, zip(nothing, *(known[each] for each in range(first, last + 1) if each in known), strict=True)))
        for first, last in spans
    ]


@wrap_database_errors
def keep_cells(connection: Any, cells: Cells) -> None:
    """Count what is there, once, and with it all other cells of these rows: from then on each change is counted."""
    kept = KEPT[cells.source].cells if cells.source in KEPT else [cells]
    several = [each for each in kept if each.moment == cells.moment]
    once(connection, [each.table for each in several], partial(recount, connection, several))


@wrap_database_errors
def recount(connection: Any, several: Sequence[Cells]) -> None:
    """Count all anew, a day at a time, cells of one source together. Nobody waits, and what is changed meanwhile is
    counted too: a day's documents are replaced by what they add up to at the same moment.
    """
    for day in sorted({day for cells in several for day in _days(connection, cells)}):
        run_in_transaction(connection, partial(_recount, connection, several, day))


def _recount(connection: Any, several: Sequence[Cells], day: Day) -> None:
    session = connection.session
    for cells, sums in zip(several, _counted(connection, several, day), strict=True):
        rows = connection.database[cells.table]
        rows.delete_many(_cells_of(cells, day), session=session)
        if documents := list(_documents(cells, sums)):
            rows.insert_many(documents, session=session)


@wrap_database_errors
def wrong_cells(connection: Any, cells: Cells) -> int:
    """How many cells are not what counting all rows anew finds."""
    wrong = 0
    for day in _days(connection, cells):
        with snapshot_session(connection):
            stages = [{"$match": _cells_of(cells, day)}, {"$group": _summed(cells)}]
            kept = connection.database[cells.table].aggregate(stages, session=connection.session)
            found = {tuple(each["_id"].values()): [each[name] for name in cells.counters] for each in kept}
            [counted] = _counted(connection, [cells], day)
        nothing = [0] * len(cells.counters)
        wrong += sum(found.get(key, nothing) != counted.get(key, nothing) for key in found.keys() | counted.keys())
    return wrong


def _days(connection: Any, cells: Cells) -> list[Day]:
    """Those of which there is a row, or a cell."""
    connection.ensure_connection()
    day = {"$floor": {"$divide": ["$bin", DAY // cells.seconds]}}
    key = {"account": "$account_id", "environment": "$environment", "day": day}
    kept = connection.database[cells.table].aggregate([{"$group": {"_id": key}}])
    found = {(each["account"], each["environment"], int(each["day"])) for each in (row["_id"] for row in kept)}
    return sorted(found.union(_days_of_rows(connection.database[cells.source], cells.moment)))


def _days_of_rows(rows: Any, moment: str) -> Iterator[Day]:
    """By a look into an index for each: to group all rows by their day would read all of them."""
    for account in (each["_id"] for each in rows.aggregate([{"$group": {"_id": "$account_id"}}])):
        for environment in rows.distinct("environment", {"account_id": account}):
            mine = {"account_id": account, "environment": environment}
            row = rows.find_one(mine, {moment: 1, "_id": 0}, sort=[(moment, 1)])
            while row:
                day = _day_of(row[moment])
                yield account, environment, day
                ahead = {**mine, moment: {"$gte": _moment(day + 1)}}
                row = rows.find_one(ahead, {moment: 1, "_id": 0}, sort=[(moment, 1)])


def _day_of(moment: datetime) -> int:
    return timegm(moment.utctimetuple()) // DAY


def _cells_of(cells: Cells, day: Day) -> dict[str, Any]:
    account, environment, number = day
    bins = _bins(cells, number)
    return {"account_id": account, "environment": environment, "bin": {"$gte": bins.start, "$lt": bins.stop}}


def _moment(day: int) -> datetime:
    return datetime.fromtimestamp(day * DAY, UTC)


def _counted(connection: Any, several: Sequence[Cells], day: Day) -> list[Sums]:
    """Of each, what a day's rows add up to."""
    source, moment = several[0].source, several[0].moment
    account, environment, number = day
    mine = {"account_id": account, "environment": environment}
    within = {moment: {"$gte": _moment(number), "$lt": _moment(number + 1)}}
    sums: list[Sums] = [{} for _ in several]
    columns = dict.fromkeys((column for cells in several for column in cells.columns), 1)
    for row in connection.database[source].find(mine | within, columns, session=connection.session):
        for cells, into in zip(several, sums, strict=True):
            _add(into, cells, row, 1)
    return sums
