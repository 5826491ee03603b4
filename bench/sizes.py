"""``python -m tests.servers mongodb -- python -m bench.sizes [CONVERSATIONS]``: what a conversation takes in MongoDB.

Records conversations of 20 messages into the empty store that DATABASE_URL names (10,000 unless told otherwise), and
prints the bytes of one: its document, its share of the data file and of each index. ``docs/scaling.md`` reckons with
these.
"""

import os
import random
import sys
from typing import Any

import django

from bench import data


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    if not settings.STORE.is_mongodb:
        sys.exit("DATABASE_URL must name MongoDB: python -m tests.servers mongodb -- python -m bench.sizes")
    call_command("migrate", verbosity=0)
    from conversations.models import Conversation

    if Conversation.objects.exists():
        sys.exit("The store must be empty: every conversation of it is counted.")
    data.save(data.conversations(data.open_account(), number, random.Random(1)))  # noqa: S311 - the same each time
    with connection.cursor():
        database = connection.database  # type: ignore[attr-defined]
    database.client.admin.command("fsync")  # data files are written at checkpoints
    report(database, Conversation._meta.db_table, number)
    report_kept(database, number)


def report(database: Any, collection: str, number: int) -> None:
    """One line a part, in bytes a conversation."""
    found = database.command("collstats", collection)
    print(f"MongoDB {database.client.server_info()['version']}, {number:,} conversations of 20 messages")
    print(f"{'document, not compressed':<44}{found['size'] / number:>10,.0f}")
    print(f"{'data on disk':<44}{found['storageSize'] / number:>10,.0f}")
    for name, size in sorted(found["indexSizes"].items(), key=lambda each: -each[1]):
        print(f"{'index ' + name:<44}{size / number:>10,.0f}")
    print(f"{'all indexes':<44}{found['totalIndexSize'] / number:>10,.0f}")


def report_kept(database: Any, number: int) -> None:
    """What figures take: documents, data on disk and indexes, of a conversation's share."""
    from config.storage.kept import KEPT

    spans = [kept.spans.table for kept in KEPT.values() if kept.spans]
    tables = [cells.table for kept in KEPT.values() for cells in kept.cells]
    for table in (*spans, *tables):
        found = database.command("collstats", table)
        sizes = found["storageSize"] / number, found["totalIndexSize"] / number
        print(f"{table:<44}{found['count'] / number:>10,.1f} documents, {sizes[0]:,.0f} + {sizes[1]:,.0f}")


if __name__ == "__main__":
    main()
