"""Compilers whose pipelines sort where an index can do it, and whose changes are counted (``mongodb.changes``).

The backend writes ``$addFields`` (columns onto themselves) or ``$project`` before ``$sort``. Both hide the index: a
page of 50 out of 1,000 then reads and sorts all 1,000 documents.
"""

from functools import partial
from typing import Any

from django.db.models.sql.constants import GET_ITERATOR_CHUNK_SIZE, MULTI
from django_mongodb_backend import compiler
from django_mongodb_backend.query import MongoQuery, wrap_database_errors
from pymongo.errors import ExecutionTimeout

from config.storage.kept import KEPT
from config.storage.mongodb import changes
from config.storage.mongodb.hints import aggregate, hint_of, reads_texts
from config.storage.timeouts import SearchTimedOut

SEARCH_MILLISECONDS = 10_000
"""So long may a search for a page read texts, where no index names those that hold it."""


class IndexedQuery(MongoQuery):
    @wrap_database_errors
    def get_cursor(self) -> Any:
        """Fetch no more at a time than ``iterator(chunk_size=…)`` asks for; the server's own batches are of 16 MB."""
        size = getattr(self.compiler, "batch_size", None)
        pipeline = self.get_pipeline()
        options: dict[str, Any] = {"batchSize": size} if size else {}
        if pipeline and reads_texts(pipeline[0].get("$match")):
            if hint := hint_of(self.compiler.query.model, pipeline):
                options["hint"] = hint
            # A page of a search; an export of it may take what it takes.
            if any("$limit" in stage for stage in pipeline):
                options["maxTimeMS"] = SEARCH_MILLISECONDS
        try:
            return aggregate(self.compiler.collection, pipeline, session=self.compiler.connection.session, **options)
        except ExecutionTimeout as error:
            raise SearchTimedOut from error

    @wrap_database_errors
    def delete(self) -> Any:
        if self.compiler.collection_name not in KEPT or self.compiler.subqueries:
            return super().delete()
        return changes.delete(self.compiler.connection, self.compiler.collection, self.match_mql)

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
    batch_size: int | None = None

    def execute_sql(
        self, result_type: str = MULTI, chunked_fetch: bool = False, chunk_size: int = GET_ITERATOR_CHUNK_SIZE
    ) -> Any:
        self.batch_size = chunk_size if chunked_fetch else None
        return super().execute_sql(result_type, chunked_fetch, chunk_size)


class SQLInsertCompiler(compiler.SQLInsertCompiler):
    query_class = IndexedQuery

    def insert(self, docs: list[dict[str, Any]], returning_fields: Any = None) -> Any:
        write = partial(super().insert, docs, returning_fields=returning_fields)
        if self.collection_name not in KEPT:
            return write()
        return changes.insert(self.connection, self.collection_name, docs, write)


class SQLDeleteCompiler(compiler.SQLDeleteCompiler):
    query_class = IndexedQuery


class SQLUpdateCompiler(compiler.SQLUpdateCompiler):
    query_class = IndexedQuery

    @wrap_database_errors
    def update(self, criteria: dict[str, Any], pipeline: list[dict[str, Any]]) -> Any:
        if self.collection_name not in KEPT:
            return super().update(criteria, pipeline)
        return changes.update(self.connection, self.collection, criteria, pipeline)


class SQLAggregateCompiler(compiler.SQLAggregateCompiler):
    query_class = IndexedQuery
