"""Whether a MongoDB server answers."""

from typing import Any

import pymongo
from django_mongodb_backend.query import wrap_database_errors

PATIENCE = 3
"""Seconds. By itself the driver looks for a server for half a minute, longer than who asks waits."""


@wrap_database_errors
def ping(connection: Any) -> None:
    """Raises DatabaseError."""
    with pymongo.timeout(PATIENCE):
        connection.ensure_connection()
        connection.database.command("ping")
