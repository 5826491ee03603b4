"""What was counted once and is followed since: where others have a trigger, MongoDB has a mark."""

from collections.abc import Callable
from typing import Any

NAME = "parley_kept"


def once(connection: Any, table: str, recount: Callable[[], None]) -> None:
    """``recount`` what ``table`` keeps, unless it was."""
    connection.ensure_connection()
    marks = connection.database[NAME]
    if not marks.find_one({"_id": table}):
        recount()
        marks.update_one({"_id": table}, {"$set": {}}, upsert=True)
