"""Counters of requests that every process sees, exact, and apart from what must not be lost.

They are worth a few minutes. So they are kept where writing costs least: no fsync, no transaction of the main store,
none of its connections, no migration. On SQLite in a file of their own beside the main one, which may be deleted at
any time; on PostgreSQL in an UNLOGGED table; on MongoDB in a collection whose writes wait for no journal.
"""

import os
from functools import cache

from django.db import connection

from config.storage.counters.base import Counters, CountersUnavailable
from config.storage.counters.window import Use, Window

__all__ = ["Counters", "CountersUnavailable", "Use", "Window", "counters"]


@cache
def counters() -> Counters:
    """This process's way to the counters; it connects when it is first used."""
    if connection.vendor == "mongodb":
        from config.storage.counters.mongodb import MongoDBCounters

        return MongoDBCounters()
    if connection.vendor == "postgresql":
        from config.storage.counters.postgresql import PostgreSQLCounters

        return PostgreSQLCounters()
    from config.storage.counters.sqlite import SQLiteCounters

    return SQLiteCounters()


os.register_at_fork(after_in_child=counters.cache_clear)  # a connection is one process's
