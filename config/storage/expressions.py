"""Database expressions that every store understands."""

from datetime import datetime
from typing import Any

import orjson
from django.db import connection, models
from django.db.backends.signals import connection_created
from django.db.models import F, Func, Lookup, Q, Value
from django.db.models.functions import Concat
from django.dispatch import receiver

from config.storage.fields import DocumentListField


class AppendDocuments(Func):
    """``messages = AppendDocuments("messages", [...])``: one atomic append to a DocumentListField.

    On SQL the new documents are spliced into the text, which costs no parsing and keeps what was written byte for byte.
    """

    output_field = DocumentListField()

    def __init__(self, field: str, documents: list[dict[str, Any]]) -> None:
        self.documents = documents
        super().__init__(F(field))

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:  # type: ignore[override]
        column, _ = compiler.compile(self.source_expressions[0])
        new = orjson.dumps(self.documents).decode()
        text, cast = (f"{column}::text", "::json") if connection.vendor == "postgresql" else (column, "")
        sql = f"(CASE WHEN {text} = '[]' THEN %s ELSE substr({text}, 1, length({text}) - 1) || ',' || %s END){cast}"
        return sql, (new, new[1:])

    def as_mql(self, compiler: Any, connection: Any, **extra: Any) -> dict[str, Any]:
        column = mql_of(self.source_expressions[0], compiler, connection)
        return {"$concatArrays": [column, {"$literal": self.documents}]}


class StoredDocuments(Func):
    """A DocumentListField as it lies in the store: JSON as bytes or text on SQL, a list of dicts on MongoDB."""

    output_field = models.TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # A blob: sqlite3 hands out its bytes as they are, where a text would be decoded only to be encoded again.
        return self.as_sql(compiler, connection, template="CAST(%(expressions)s AS BLOB)")

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="%(expressions)s::text")

    def as_mql(self, compiler: Any, connection: Any, **extra: Any) -> dict[str, Any]:
        column = mql_of(self.source_expressions[0], compiler, connection)
        return {"$cond": [{"$isArray": column}, column, []]}  # SQL checks its column; a damaged one here is empty


class StoredMoment(Func):
    """A DateTimeField as it lies in the store, for ``moment_of``: Django is slow to read SQLite's texts."""

    output_field = models.TextField()
    template = "%(expressions)s"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="+%(expressions)s")  # no column, so of no declared type

    def as_mql(self, compiler: Any, connection: Any, **extra: Any) -> str:
        return mql_of(self.source_expressions[0], compiler, connection)


def moment_of(stored: Any) -> datetime:
    return datetime.fromisoformat(stored) if isinstance(stored, str) else stored


class _RowFollows(Func):
    """``(a, b) < (x, y)``: SQL looks for that in an index of both, from there on."""

    output_field = models.BooleanField()
    arity = 4

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:  # type: ignore[override]
        compiled = [compiler.compile(each) for each in self.source_expressions]
        [a, b, x, y] = [sql for sql, _ in compiled]
        return f"({a}, {b}) {self.extra['sign']} ({x}, {y})", tuple(one for _, given in compiled for one in given)


def follows(model: type[models.Model], field: str, value: Any, pk: str, *, descending: bool) -> Any:
    """A condition: what comes after that place in the order of ``field``, the id deciding between equals.

    None of what comes before it is looked at, however much of it there is, and however much of that is equal.
    """
    if connection.vendor == "mongodb":
        beyond = "lt" if descending else "gt"
        return Q(**{f"{field}__{beyond}": value}) | Q(**{field: value, f"pk__{beyond}": pk})
    places = [Value(each, model._meta.get_field(name)) for name, each in ((field, value), ("id", pk))]  # type: ignore[arg-type]
    return _RowFollows(F(field), F("pk"), *places, sign="<" if descending else ">")


def mql_of(expression: Any, compiler: Any, connection: Any) -> str:
    """A column as MongoDB's expressions name it, such as ``$messages``."""
    return str(expression.as_mql(compiler, connection, as_expr=True))


def append_text(field: str, text: str) -> Concat:
    """``search_text = append_text("search_text", "more")``: one atomic append to a text column that is never null."""
    return Concat(F(field), Value(text), output_field=models.TextField())


def holding(column: str) -> str:
    """SQLite: whether a text holds another one, which is a parameter."""
    return f"{HOLDS}(CAST({column} AS BLOB), CAST(%s AS BLOB))"


HOLDS = "holds_bytes"
"""Python's search for bytes takes a fifth of the time of SQLite's ``instr``, which goes on byte by byte."""


@receiver(connection_created)
def add_functions(connection: Any, **_kwargs: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function(HOLDS, 2, _holds, deterministic=True)


def _holds(text: bytes | None, piece: bytes) -> bool:
    return text is not None and piece in text


@models.TextField.register_lookup
class HasSubstring(Lookup):
    """``search_text__has="100%"``: a literal substring, in which ``%`` and ``.*`` mean themselves."""

    lookup_name = "has"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, column_params = self.process_lhs(compiler, connection)
        sql = f"strpos({column}, %s) > 0" if connection.vendor == "postgresql" else holding(column)
        return sql, (*column_params, self.rhs)

    def as_mql(self, compiler: Any, connection: Any, as_expr: bool = False) -> dict[str, Any]:
        # Compares bytes; a regular expression takes five times as long.
        column = self.lhs.as_mql(compiler, connection, as_expr=True)
        found = {"$gte": [{"$indexOfBytes": [column, {"$literal": self.rhs}]}, 0]}
        return found if as_expr else {"$expr": found}
