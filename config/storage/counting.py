"""Counting rows up to a bound, several lists in one statement."""

from collections.abc import Collection, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, connections
from django.db.models import QuerySet

from config.storage.search import is_searched


class AtLeast(int):
    """A number of rows that may be more."""


def sum_of(counts: Collection[int]) -> int:
    total = sum(counts)
    return AtLeast(total) if any(isinstance(count, AtLeast) for count in counts) else total


def count_up_to(most: int, lists: Sequence[QuerySet[Any]]) -> list[int]:
    """How many rows each of ``lists`` has, at most ``most``: where there are more, no store reads on.

    The lists give values, so that an index alone can answer. To skip rows is the fastest way to find that there are
    ``most``, but where there are fewer they are walked twice: not so what a search found, of which a row takes more
    than a look.
    """
    connection = connections[lists[0].db]
    if connection.vendor == "mongodb":
        return [rows.order_by()[:most].count() for rows in lists]
    parts, params = [], []
    for rows in lists:
        sql, own = _compiled(rows, connection)
        if is_searched(rows):
            parts.append(f"(SELECT COUNT(*) FROM ({sql} LIMIT {most}) AS counted)")  # noqa: S608 - Django's SQL
            params += own
        else:
            skipped = f"SELECT {most} FROM ({sql}) AS skipped LIMIT 1 OFFSET {most - 1}"  # noqa: S608
            parts.append(f"COALESCE(({skipped}), (SELECT COUNT(*) FROM ({sql}) AS counted))")  # noqa: S608
            params += own * 2
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        return list(cursor.fetchone())


def _compiled(rows: QuerySet[Any], connection: Any) -> tuple[str, list[Any]]:
    try:
        sql, params = rows.order_by().query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:  # a condition that nothing can meet
        return "SELECT 1 WHERE 1 = 0", []
    return sql, list(params)


def differing(kept: str, counted: str, *, keys: Sequence[str]) -> int:
    """For how many ``keys``, their first columns, two SELECTs do not give the same rows. Both see one state."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH kept AS ({kept}), counted AS ({counted}), differing AS ("  # noqa: S608
            "SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted) AS more "
            "UNION ALL SELECT * FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept) AS less) "
            f"SELECT count(*) FROM (SELECT DISTINCT {', '.join(keys)} FROM differing) AS places"
        )
        [number] = cursor.fetchone()
        return int(number)
