"""Running totals (``config.storage.tallies``) on MongoDB: each change adds documents, folded now and then."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from secrets import randbelow
from typing import Any

from bson import ObjectId
from django_mongodb_backend.query import wrap_database_errors

from config.storage.mongodb.folding import FOLDED_AT_ONCE, folding
from config.storage.mongodb.transaction import run_in_transaction, snapshot_session
from config.storage.pieces import Row
from config.storage.tallies import FOLD_ONE_IN, GROUP

Group = tuple[Any, ...]

_SAME = {name: f"${name}" for name in GROUP}


def count(connection: Any, tally: str, rows: Iterable[tuple[Row | None, Row | None]]) -> None:
    """Add differences, in the transaction of the change."""
    number, changes = Counter[Group](), Counter[Group]()
    for before, after in rows:
        if before:
            number[_group_of(before)] -= 1
        if after:
            number[_group_of(after)] += 1
        changes[_group_of(after or before or {})] += 1
    documents = [_document(group, number[group], changes[group]) for group in number]
    if not documents:
        return
    connection.database[tally].insert_many(documents, session=connection.session)
    for account in {group[0] for group in number}:
        if not randbelow(FOLD_ONE_IN):
            connection.on_commit(partial(fold, connection, tally, account))


def _group_of(row: Mapping[str, Any]) -> Group:
    return tuple(row[name] for name in GROUP)


def _document(group: Group, number: int, changes: int) -> dict[str, Any]:
    return {"_id": ObjectId(), **dict(zip(GROUP, group, strict=True)), "number": number, "changes": changes}


def fold(connection: Any, tally: str, account: Any) -> None:
    """One document of each group, in the place of those that there are."""
    rows = connection.database[tally]
    with folding(connection, "Folding totals") as session:
        found = list(rows.find({"account_id": account}, limit=FOLDED_AT_ONCE, session=session))
        folded = _folded(found)
        if len(folded) < len(found):
            rows.delete_many({"_id": {"$in": [row["_id"] for row in found]}}, session=session)
            rows.insert_many(folded, session=session)


def _folded(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    number, changes = Counter[Group](), Counter[Group]()
    for row in rows:
        number[_group_of(row)] += row["number"]
        changes[_group_of(row)] += row["changes"]
    return [_document(group, number[group], changes[group]) for group in number]


@wrap_database_errors
def keep_tally(connection: Any, *, table: str, tally: str) -> None:
    """Count each account that was not."""
    for account in _accounts(connection, table) - _accounts(connection, tally):
        run_in_transaction(connection, partial(_recount, connection, table, tally, account))


@wrap_database_errors
def recount(connection: Any, *, table: str, tally: str) -> None:
    """Count each account anew, as it is at one moment; nobody waits, and what is changed meanwhile is counted too."""
    for account in _accounts(connection, table) | _accounts(connection, tally):
        run_in_transaction(connection, partial(_recount, connection, table, tally, account))


def _recount(connection: Any, table: str, tally: str, account: Any) -> None:
    """Changes go on from what they were: no total ever stands for two states."""
    mine, rows, session = {"account_id": account}, connection.database[tally], connection.session
    kept = _folded(rows.find(mine, session=session))
    rows.delete_many(mine, session=session)  # before all is counted: whoever folds now gives up, and not we
    before = sum(row["changes"] for row in kept)
    totals = {_group_of(row): (0, before) for row in kept}
    for group, number, revisions in _counted(connection, table, {"$match": mine}):
        totals[group] = (number, before + revisions)
    if totals:
        rows.insert_many([_document(group, *each) for group, each in totals.items()], session=session)


def wrong_totals(connection: Any, *, table: str, tally: str) -> int:
    """Of how many groups the number is not what counting all rows anew finds."""
    with snapshot_session(connection):
        kept = {
            _group_of(row): row["number"]
            for row in _folded(connection.database[tally].find({}, session=connection.session))
        }
        in_order = {"$sort": dict.fromkeys(GROUP, 1)}  # along an index that holds them
        counted = {group: number for group, number, _ in _counted(connection, table, in_order)}
    return sum(kept.get(group, 0) != counted.get(group, 0) for group in kept.keys() | counted.keys())


def _counted(connection: Any, table: str, first: dict[str, Any]) -> Iterable[tuple[Group, int, int]]:
    sums = {"number": {"$sum": 1}, "changes": {"$sum": "$revision"}}
    found = connection.database[table].aggregate(
        [first, {"$group": {"_id": _SAME, **sums}}], session=connection.session
    )
    for each in found:
        yield _group_of(each["_id"]), each["number"], each["changes"]


def _accounts(connection: Any, name: str) -> set[Any]:
    """Whose rows there are, by a look at each account's first."""
    connection.ensure_connection()
    return {row["_id"] for row in connection.database[name].aggregate([{"$group": {"_id": "$account_id"}}])}
