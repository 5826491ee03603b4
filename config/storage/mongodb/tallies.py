"""Running totals on MongoDB, which has no triggers: the compilers write a change and what it counts in one transaction.

A change adds documents with its differences, so that its writers neither wait for each other nor conflict. Now and then
one of them, once it is through, folds those of its account into one of each group; who does so at the same moment gives
up. So a reader has to see one moment (``read_at_once``), and no fold half done.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from secrets import randbelow
from typing import Any

from bson import ObjectId
from django_mongodb_backend.query import wrap_database_errors
from pymongo import WriteConcern
from pymongo.errors import OperationFailure

from config.storage.chunks import chunks_of
from config.storage.mongodb.transaction import run_in_transaction, snapshot_session
from config.storage.outages import by_the_way
from config.storage.tallies import FOLD_ONE_IN, GROUP, KEPT

AT_ONCE = 1_000
"""Rows that a statement of its own changes in one transaction: the server gives each a minute."""

FOLDED_AT_ONCE = 10_000
"""Documents that one fold takes, at most."""

WRITE_CONFLICT = 112

Group = tuple[Any, ...]
Sides = tuple[Group | None, Group | None, int]
"""Where rows were before and are after, and how many."""


def insert(connection: Any, table: str, rows: list[dict[str, Any]], write: Callable[[], Any]) -> Any:
    """``write`` inserts ``rows``: they are counted with it."""

    def both() -> Any:
        written = write()
        _count(connection, table, [(None, _group_of(row), 1) for row in rows])
        return written

    return run_in_transaction(connection, both)


def update(connection: Any, rows: Any, criteria: dict[str, Any], pipeline: list[dict[str, Any]]) -> int:
    """Update many of the collection ``rows`` by a pipeline of one ``$set``, counted. Returns how many."""
    values = pipeline[0]["$set"]
    moved = {name: values[name] for name in GROUP if name in values}
    told = {name: value["$literal"] for name, value in moved.items() if "$literal" in value}
    after = {name: moved.get(name, f"${name}") for name in GROUP}

    def write(criteria: dict[str, Any]) -> int:
        session = connection.session
        # A sharded cluster does both at once only where its key is named.
        if _names_one(criteria) and len(told) == len(moved) and not connection.connection.is_mongos:
            before = rows.find_one_and_update(criteria, pipeline, _ONLY_GROUP, session=session)
            number = 0 if before is None else 1
            sides: list[Sides] = [(_group_of(before), _group_of(before | told), 1)] if before else []
        else:
            sides = _grouped(connection, rows.name, criteria, after)
            number = rows.update_many(criteria, pipeline, session=session).matched_count
        _count(connection, rows.name, sides)
        return number

    return _in_portions(connection, rows.name, criteria, write)


def delete(connection: Any, rows: Any, criteria: dict[str, Any]) -> int:
    """Delete many of the collection ``rows``, counted. Returns how many."""

    def write(criteria: dict[str, Any]) -> int:
        sides = [(before, None, number) for before, _, number in _grouped(connection, rows.name, criteria, _SAME)]
        deleted: int = rows.delete_many(criteria, session=connection.session).deleted_count
        # Where the account is being deleted, its tally may have gone first.
        known = {account for account in {before[0] for before, *_ in sides if before} if _is_known(account)}
        _count(connection, rows.name, [side for side in sides if side[0] and side[0][0] in known])
        return deleted

    def _is_known(account: Any) -> bool:
        tally = connection.database[KEPT[rows.name]]
        return tally.find_one({"account_id": account}, {"_id": 1}, session=connection.session) is not None

    return _in_portions(connection, rows.name, criteria, write)


_ONLY_GROUP = {"_id": 0, **dict.fromkeys(GROUP, 1)}
_SAME = {name: f"${name}" for name in GROUP}


def _group_of(row: Mapping[str, Any]) -> Group:
    return tuple(row[name] for name in GROUP)


def _names_one(criteria: dict[str, Any]) -> bool:
    conditions = criteria.get("$and", [criteria])
    return any(isinstance(each.get("_id"), ObjectId | str | int) for each in conditions)


def _grouped(connection: Any, table: str, criteria: dict[str, Any], after: dict[str, Any]) -> list[Sides]:
    """Where the rows are that ``criteria`` names, and where they will be."""
    stages = [
        {"$match": criteria},
        {"$group": {"_id": {"before": _SAME, "after": after}, "number": {"$sum": 1}}},
    ]
    found = connection.database[table].aggregate(stages, session=connection.session)
    return [(_group_of(each["_id"]["before"]), _group_of(each["_id"]["after"]), each["number"]) for each in found]


def _in_portions(connection: Any, table: str, criteria: dict[str, Any], write: Callable[[dict[str, Any]], int]) -> int:
    """``write`` in the transaction that there is, else in one for so many rows at a time: outside of one, MongoDB never
    promised that a statement has all of them or none.
    """
    if connection.in_atomic_block_mongo or _names_one(criteria):
        return run_in_transaction(connection, partial(write, criteria))
    connection.ensure_connection()
    ids = [row["_id"] for row in connection.database[table].find(criteria, {"_id": 1})]
    portions = [{"$and": [{"_id": {"$in": chunk}}, criteria]} for chunk in chunks_of(ids, AT_ONCE)]
    return sum(run_in_transaction(connection, partial(write, portion)) for portion in portions)


def _count(connection: Any, table: str, sides: Iterable[Sides]) -> None:
    """Add differences, in the transaction of the change."""
    number, changes = Counter[Group](), Counter[Group]()
    for before, after, rows in sides:
        if before is not None:
            number[before] -= rows
        if after is not None:
            number[after] += rows
        changes[after or before or ()] += rows
    documents = [_document(group, number[group], changes[group]) for group in number]
    if not documents:
        return
    tally = KEPT[table]
    connection.database[tally].insert_many(documents, session=connection.session)
    for account in {group[0] for group in number}:
        if not randbelow(FOLD_ONE_IN):
            connection.on_commit(partial(fold, connection, tally, account))


def _document(group: Group, number: int, changes: int) -> dict[str, Any]:
    return {"_id": ObjectId(), **dict(zip(GROUP, group, strict=True)), "number": number, "changes": changes}


def fold(connection: Any, tally: str, account: Any) -> None:
    """One document of each group, in the place of those that there are."""
    rows = connection.database[tally]
    # Nobody waits until a majority has it: where it is lost, all of it is, and the sums are what they were.
    quickly = WriteConcern(1)
    with by_the_way("Folding totals"):
        try:
            with connection.connection.start_session() as session, session.start_transaction(write_concern=quickly):
                found = list(rows.find({"account_id": account}, limit=FOLDED_AT_ONCE, session=session))
                folded = _folded(found)
                if len(folded) < len(found):
                    rows.delete_many({"_id": {"$in": [row["_id"] for row in found]}}, session=session)
                    rows.insert_many(folded, session=session)
        except OperationFailure as error:
            if error.code != WRITE_CONFLICT:  # somebody else folds the same
                raise


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
