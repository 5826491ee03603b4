"""What follows from a change of a collection that something is kept of: written with it, in one transaction.

MongoDB has no triggers, so the compilers come here. What is kept is written as differences, in documents of their own:
writers neither wait for each other nor conflict, but those of one span. Now and then one of them, once it is through,
folds what it wrote to into fewer; who does so at the same moment gives up. So a reader has to see one moment
(``read_at_once``, ``snapshot_of_all``), and no fold half done.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from bson import ObjectId

from config.storage.chunks import chunks_of
from config.storage.kept import KEPT
from config.storage.mongodb import cells, spans, tallies
from config.storage.mongodb.transaction import run_in_transaction
from config.storage.pieces import Row

AT_ONCE = 1_000
"""Rows that a statement of its own changes in one transaction: the server gives each a minute."""

Change = tuple[Row | None, Row | None]
"""A row as it was, and as it is."""


def insert(connection: Any, table: str, rows: list[dict[str, Any]], write: Callable[[], Any]) -> Any:
    """``write`` inserts ``rows``."""

    def both() -> Any:
        written = write()
        follow(connection, table, [(None, row) for row in rows])
        return written

    return run_in_transaction(connection, both)


def update(connection: Any, rows: Any, criteria: dict[str, Any], pipeline: list[dict[str, Any]]) -> int:
    """Update many of the collection ``rows`` by a pipeline of one ``$set``. Returns how many."""
    values = pipeline[0]["$set"]
    read = dict.fromkeys(sorted(KEPT[rows.name].columns), 1)
    moved = {name: values[name] for name in read if name in values}

    def write(criteria: dict[str, Any]) -> int:
        session = connection.session
        # A sharded cluster does both at once only where its key is named.
        if _names_one(criteria) and not connection.connection.is_mongos:
            found = rows.find_one_and_update(criteria, pipeline, read, session=session)
            before = [found] if found else []
            number = len(before)
        else:
            before = list(rows.find(criteria, read, session=session))
            number = rows.update_many(criteria, pipeline, session=session).matched_count
        after = [_told(row, moved) for row in before]
        if None in after:
            ids = [row["_id"] for row in before]
            known = {row["_id"]: row for row in rows.find({"_id": {"$in": ids}}, read, session=session)}
            after = [known[each] for each in ids]
        follow(connection, rows.name, list(zip(before, after, strict=True)))
        return number

    return _in_portions(connection, rows.name, criteria, write)


def _told(row: Row, moved: dict[str, Any]) -> Row | None:
    """The row as an update leaves it, or none where only the store can tell."""
    values = dict(row)
    for name, value in moved.items():
        match value:
            case {"$literal": told}:
                values[name] = told
            case {"$add": [str(column), {"$literal": int(more)}]} if column == f"${name}":
                values[name] = row[name] + more
            case _:
                return None
    return values


def delete(connection: Any, rows: Any, criteria: dict[str, Any]) -> int:
    """Delete many of the collection ``rows``. Returns how many."""
    read = dict.fromkeys(sorted(KEPT[rows.name].columns), 1)

    def write(criteria: dict[str, Any]) -> int:
        session = connection.session
        before = list(rows.find(criteria, read, session=session))
        deleted: int = rows.delete_many(criteria, session=session).deleted_count
        follow(connection, rows.name, [(row, None) for row in before])
        return deleted

    return _in_portions(connection, rows.name, criteria, write)


def follow(connection: Any, table: str, changes: list[Change]) -> None:
    """Write what is kept of a change of ``table``'s rows."""
    kept = KEPT[table]
    if not changes:
        return
    if kept.tally:
        tallies.count(connection, kept.tally, _known(connection, kept.tally, changes))
    touched = [cells.count(connection, each, _known(connection, each.table, changes)) for each in kept.cells]
    cells.fold_some(connection, kept.cells, set().union(*touched))
    if kept.spans:
        moved = spans.widen(connection, kept.spans, _known(connection, kept.spans.table, changes))
        follow(connection, kept.spans.table, moved)


def _known(connection: Any, table: str, changes: list[Change]) -> list[Change]:
    """Without those of an account that is being deleted, and whose part of ``table`` went first."""
    gone = {before["account_id"] for before, after in changes if before and not after}
    if not gone:
        return changes
    rows, session = connection.database[table], connection.session
    known = {account for account in gone if rows.find_one({"account_id": account}, {"_id": 1}, session=session)}
    return [change for change in changes if change[1] or (change[0] and change[0]["account_id"] in known)]


def _names_one(criteria: dict[str, Any]) -> bool:
    conditions = criteria.get("$and", [criteria])
    return any(isinstance(each.get("_id"), ObjectId | str | int) for each in conditions)


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
