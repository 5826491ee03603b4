"""Compilers whose pipelines sort where an index can do it.

The backend writes ``$addFields`` (columns onto themselves) or ``$project`` before ``$sort``. Both hide the index: a
page of 50 out of 1,000 then reads and sorts all 1,000 documents.
"""

from typing import Any

from django_mongodb_backend import compiler
from django_mongodb_backend.query import MongoQuery


class IndexedQuery(MongoQuery):
    def get_pipeline(self) -> list[dict[str, Any]]:
        stages: list[dict[str, Any]] = [stage for stage in super().get_pipeline() if not is_identity(stage)]
        for position in range(1, len(stages)):
            before, stage = stages[position - 1], stages[position]
            if _can_swap(before, stage):
                stages[position - 1], stages[position] = stage, before
        return stages


def is_identity(stage: dict[str, Any]) -> bool:
    """An ``$addFields`` that sets each column to itself."""
    added = stage.get("$addFields", {})
    return bool(added) and all(value == f"${name}" for name, value in added.items())


def _can_swap(before: dict[str, Any], stage: dict[str, Any]) -> bool:
    """Whether ``$sort``, ``$skip`` or ``$limit`` may come before a ``$project`` that passes its columns on."""
    if "$project" not in before or not stage.keys() & {"$sort", "$skip", "$limit"}:
        return False
    projected = before["$project"]
    return all(projected.get(name) == 1 for name in stage.get("$sort", ()))


class SQLCompiler(compiler.SQLCompiler):
    query_class = IndexedQuery


class SQLInsertCompiler(compiler.SQLInsertCompiler):
    query_class = IndexedQuery


class SQLDeleteCompiler(compiler.SQLDeleteCompiler):
    query_class = IndexedQuery


class SQLUpdateCompiler(compiler.SQLUpdateCompiler):
    query_class = IndexedQuery


class SQLAggregateCompiler(compiler.SQLAggregateCompiler):
    query_class = IndexedQuery
