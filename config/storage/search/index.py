"""``SubstringIndex``: a Django index like any other, so migrations make, keep and drop it on every store."""

from collections.abc import Sequence
from typing import Any, Protocol

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.ddl_references import Statement, Table
from django.db.models import Index, Model
from django.db.models.expressions import RawSQL


class SubstringIndex(Index):
    """Names the rows of one owner whose text holds a substring.

    ``fields`` are the owner's, then the text's; ``along`` is the moment that lists are ordered by. The text is made of
    parts, each behind a separator (U+001F) that no search holds: what is appended is indexed alone. MongoDB has no such
    index, and walks. Django makes one anew, with its table, when SQLite has to copy that.
    """

    def __init__(self, *, along: str, **kwargs: Any) -> None:
        self.along = along
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "along": self.along}

    def create_sql(self, model: type[Model], schema_editor: Any, using: str = "", **kwargs: Any) -> Statement:
        engine = engine_of(schema_editor.connection)
        return self._run(model, schema_editor, engine.create(self, model) if engine else [])

    def remove_sql(self, model: type[Model], schema_editor: Any, **kwargs: Any) -> Any:
        engine = engine_of(schema_editor.connection)
        return self._run(model, schema_editor, engine.drop(self) if engine else [])

    def get_pymongo_index_model(self, *args: Any, **kwargs: Any) -> None:
        return None

    def _run(self, model: type[Model], schema_editor: Any, statements: Sequence[str]) -> Statement:
        """Django wants one statement and has it at once; ours follow when the table has its name and its rows."""
        table = Table(model._meta.db_table, schema_editor.quote_name)
        schema_editor.deferred_sql.extend(Statement(sql, table=table) for sql in statements)
        return Statement("SELECT 1")


class Engine(Protocol):
    """What a store that has such an index can do with it. ``owner`` are the values of the index's first fields."""

    def create(self, index: SubstringIndex, model: type[Model]) -> list[str]:
        """Statements that make the index, and take in the rows that are there; ``%(table)s`` is the table."""

    def drop(self, index: SubstringIndex) -> list[str]: ...

    def exists(self, index: SubstringIndex) -> bool:
        """Whether it can be asked."""

    def is_small(self, index: SubstringIndex, owner: Sequence[str], most: int) -> bool | None:
        """Whether the owner has no more rows; None where it does not tell."""

    def effort(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], share: float) -> int:
        """Texts that are read in the time in which ``find`` names all rows, where it is likely to be such a share."""

    def find(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], limit: int) -> list[str] | None:
        """The primary keys of at most ``limit`` rows that hold one of ``terms``; None where that is not told fast."""

    def newest(self, index: SubstringIndex, model: type[Model], owner: Sequence[str], terms: Sequence[str]) -> Any:
        """A ``Newest``; None where it cannot be told."""

    def is_asked_first(self, terms: Sequence[str]) -> bool:
        """Whether ``newest`` tells how common they are faster than a look at the texts."""

    is_exact: bool
    """Whether all that it names hold the terms; else their texts have to be asked."""

    def statement(
        self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str]
    ) -> tuple[str, tuple[Any, ...]]:
        """A subquery for the primary keys of all that do, and its parameters."""

    def faults(self, index: SubstringIndex, model: type[Model]) -> list[str]:
        """What keeps it from answering fast and fully, in sentences."""

    keys: str
    """A subquery for primary keys, which are its one parameter."""

    def packed(self, pks: Sequence[str]) -> Any:
        """Primary keys as that parameter."""


def named_by(engine: Engine, pks: Sequence[str]) -> RawSQL:
    """Primary keys as the right side of IN."""
    return RawSQL(engine.keys, (engine.packed(pks),))  # noqa: S611 - the value is a parameter


def engine_of(connection: BaseDatabaseWrapper) -> Engine | None:
    """None where the store has none; MongoDB."""
    if connection.vendor == "sqlite":
        from config.storage.search.sqlite import SQLiteEngine

        return SQLiteEngine(connection)
    if connection.vendor == "postgresql":
        from config.storage.search.postgresql import PostgreSQLEngine

        return PostgreSQLEngine(connection)
    return None


def index_of(model: type[Model], field: str) -> SubstringIndex:
    """The model's index of that field's text."""
    return next(
        index for index in model._meta.indexes if isinstance(index, SubstringIndex) and index.fields[-1] == field
    )


def columns_of(model: type[Model], fields: Sequence[str]) -> dict[str, str]:
    """Field → its column, quoted."""
    columns: dict[str, Any] = {name: model._meta.get_field(name) for name in fields}
    return {name: f'"{field.column}"' for name, field in columns.items()}
