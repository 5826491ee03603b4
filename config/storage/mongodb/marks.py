"""What was counted once and is followed since: where others have a trigger, MongoDB has a mark."""

from collections.abc import Callable, Sequence
from typing import Any

NAME = "parley_kept"


def once(connection: Any, tables: Sequence[str], recount: Callable[[], None]) -> None:
    """``recount`` what ``tables`` keep, unless all were."""
    connection.ensure_connection()
    marks = connection.database[NAME]
    if marks.count_documents({"_id": {"$in": tables}}) < len(tables):
        recount()
        for table in tables:
            marks.update_one({"_id": table}, {"$set": {}}, upsert=True)
