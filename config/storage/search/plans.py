"""How the configured store answers a query: whether it reads what it should not."""

import json
from collections.abc import Iterator
from typing import Any

from django.db import connections, transaction
from django.db.models import QuerySet


def faults_of(rows: "QuerySet[Any]", *, may_sort: bool = False) -> list[str]:
    """What the store would read for ``rows`` beyond an index: the whole table, or all of a list to sort it."""
    connection = connections[rows.db]
    plan = _explained(rows, connection)
    table = rows.model._meta.db_table
    signs = {
        "sqlite": (f"SCAN {table}", "USE TEMP B-TREE FOR ORDER BY"),
        "postgresql": (f"Seq Scan on {table}", "Sort Key"),
        "mongodb": ('"COLLSCAN"', '"stage": "SORT"'),
    }[connection.vendor]
    scans, sorts = (sign in plan for sign in signs)
    return [*(["reads the whole table"] if scans else []), *(["sorts what it finds"] if sorts and not may_sort else [])]


def _explained(rows: "QuerySet[Any]", connection: Any) -> str:
    if connection.vendor == "mongodb":
        return " ".join(json.dumps(plan) for plan in _winning(json.loads(rows.explain())))
    if connection.vendor == "sqlite":
        return rows.explain()
    with transaction.atomic(using=rows.db), connection.cursor() as cursor:
        # A small table is read whole, and sorted, whatever its indexes: asked is what they could answer.
        for way in ("seqscan", "sort", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{way} TO off")
        return rows.explain()


def _winning(explained: Any) -> Iterator[Any]:
    """The plans that MongoDB takes, without those that it has left."""
    if isinstance(explained, dict):
        for name, value in explained.items():
            if name in ("winningPlan", "$sort"):
                yield value
            else:
                yield from _winning(value)
    elif isinstance(explained, list):
        for value in explained:
            yield from _winning(value)
