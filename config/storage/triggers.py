"""Tables that the database keeps by itself, by triggers: what those of tallies, cells and spans have in common."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection, transaction

NEW_ID = {
    "sqlite": "lower(hex(randomblob(12)))",
    "postgresql": "substr(replace(gen_random_uuid()::text, '-', ''), 1, 24)",
}
"""What a row that a trigger writes is called."""

_KNOWN = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = %s",
    "postgresql": "SELECT 1 FROM pg_trigger WHERE tgname = %s",
}


def are_there(*tables: str) -> bool:
    """Not where the store was migrated back, or not that far."""
    return set(tables) <= set(connection.introspection.table_names())


def keep(trigger: str, statements: Iterable[str], recount: Callable[[Any], None]) -> None:
    """Make triggers anew by ``statements``; ``recount`` with a cursor what is there, unless ``trigger`` was known."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_KNOWN[connection.vendor], [trigger])
        is_kept = cursor.fetchone() is not None
        for statement in statements:
            cursor.execute(statement)
        if not is_kept:
            recount(cursor)
