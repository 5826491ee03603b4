"""The index on PostgreSQL: each part of a text (a message) in a row of its own, found by GIN, kept by a trigger.

Three characters or more are looked for by pg_trgm's trigrams. Those of one message are told apart far better than those
of a whole conversation, where nearly all trigrams of a language stand; and an append costs what it adds. What has no
trigram (one or two characters, and signs, which pg_trgm leaves out) is looked for by its single characters, an array.
Where words meet (``joints_of``) is kept too, for pg_trgm leaves out where its trigrams stand. The owner stands first in
the index, so that a search of one who has little reads the postings of that owner.

It needs the extensions pg_trgm and btree_gin. Where they cannot be created there is no index, and a search walks.
"""
# ruff: noqa: S608 - the names are the index's and the columns', which the models say

import sys
from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from config.storage.search.gin import functions, joints, pieces_of, trigrams
from config.storage.search.index import SubstringIndex, columns_of

EXTENSIONS = ("pg_trgm", "btree_gin")

RAREST = 3
"""Pieces of a term that are looked for: GIN goes through what stands of each, item by item."""


class PostgreSQLEngine:
    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def create(self, index: SubstringIndex, model: type[Model]) -> list[str]:
        if not self._may_use_extensions():
            return []
        columns = columns_of(model, (*index.fields, index.along, "id"))
        name, text, pk = index.name, columns[index.fields[-1]], columns["id"]

        def owner(row: str) -> str:
            return "hashtext({})".format(" || '/' || ".join(f"{row}.{columns[field]}" for field in index.fields[:-1]))

        add = f"INSERT INTO {name}_part SELECT {{}}, {{}}.{pk}, part FROM {{}} WHERE part <> ''"
        return [
            *(f"CREATE EXTENSION IF NOT EXISTS {extension}" for extension in EXTENSIONS),
            f"CREATE TABLE {name}_part (owner integer NOT NULL, row varchar(24) NOT NULL, text text NOT NULL)",
            add.format(owner("it"), "it", f"%(table)s it, string_to_table(it.{text}, chr(31)) part"),
            *functions(index, columns),
            f"CREATE INDEX {name}_part_row ON {name}_part (row)",
            f"CREATE INDEX {name} ON {name}_part USING gin"
            f" (owner, text gin_trgm_ops, string_to_array(text, NULL), {name}_joints(text))",
            f"CREATE OR REPLACE FUNCTION {name}_keep() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE added text; BEGIN"
            f" IF TG_OP = 'TRUNCATE' THEN TRUNCATE {name}_part; RETURN NULL; END IF;"
            f" IF TG_OP = 'UPDATE' AND starts_with(NEW.{text}, OLD.{text} || chr(31)) THEN"
            f" added := substr(NEW.{text}, length(OLD.{text}) + 1);"
            f" ELSE IF TG_OP <> 'INSERT' THEN DELETE FROM {name}_part WHERE row = OLD.{pk}; END IF;"
            f" IF TG_OP <> 'DELETE' THEN added := NEW.{text}; END IF; END IF;"
            f" IF added IS NOT NULL THEN {add.format(owner('NEW'), 'NEW', 'string_to_table(added, chr(31)) part')};"
            " END IF; RETURN NULL; END $$",
            f"CREATE TRIGGER {name}_write AFTER INSERT OR DELETE ON %(table)s FOR EACH ROW"
            f" EXECUTE FUNCTION {name}_keep()",
            f"CREATE TRIGGER {name}_rewrite AFTER UPDATE OF {text} ON %(table)s FOR EACH ROW"
            f" WHEN (NEW.{text} <> OLD.{text}) EXECUTE FUNCTION {name}_keep()",
            f"CREATE TRIGGER {name}_empty AFTER TRUNCATE ON %(table)s EXECUTE FUNCTION {name}_keep()",
        ]

    def drop(self, index: SubstringIndex) -> list[str]:
        name = index.name
        return [
            *(f"DROP TRIGGER IF EXISTS {name}_{event} ON %(table)s" for event in ("write", "rewrite", "empty")),
            *(f"DROP FUNCTION IF EXISTS {name}_{function}" for function in ("keep", "find", "shares")),
            f"DROP TABLE IF EXISTS {name}_part",
            f"DROP FUNCTION IF EXISTS {name}_joints",
        ]

    def exists(self, index: SubstringIndex) -> bool:
        sql = "SELECT to_regclass(%s) IS NOT NULL AND (SELECT count(*) FROM pg_trigger WHERE tgname = ANY(%s)) = 2"
        triggers = [f"{index.name}_write", f"{index.name}_rewrite"]
        return bool(self._rows(sql, (index.name, triggers))[0][0])

    def is_small(self, index: SubstringIndex, owner: Sequence[str], most: int) -> None:
        """The list tells it as fast."""

    def effort(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], share: float) -> int:
        """GIN does not tell what it would read."""
        return sys.maxsize

    def find(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], limit: int) -> list[str] | None:
        sql, values = self.statement(index, owner, terms, limit)
        return [pk for (pk,) in self._rows(f"{sql} LIMIT {limit:d}", values)]

    is_exact = True

    def newest(self, index: SubstringIndex, model: type[Model], owner: Sequence[str], terms: Sequence[str]) -> None:
        """GIN names rows in no order."""

    def is_asked_first(self, terms: Sequence[str]) -> bool:
        return False

    def statement(
        self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], limit: int | None = None
    ) -> tuple[str, tuple[Any, ...]]:
        found, values = [], []
        for term in terms:
            pieces = self._rarest(index, owner, pieces_of(term))
            found.append(f"SELECT {index.name}_find(hashtext(%s), %s, %s, %s, %s, %s)")
            signs = [] if pieces else sorted(set(term))
            values += ["/".join(owner), term, trigrams(pieces), joints(pieces), signs, limit]
        return " UNION ".join(found), tuple(values)

    def _rarest(self, index: SubstringIndex, owner: Sequence[str], pieces: list[str]) -> list[str]:
        """Those that the fewest of the owner's newest messages hold."""
        if len(pieces) <= RAREST:
            return pieces
        sql = f"SELECT {index.name}_shares({', '.join(['%s'] * len(owner))}, %s)"
        [[shares]] = self._rows(sql, (*owner, pieces))
        share = dict(zip(pieces, shares, strict=True))
        return sorted(pieces, key=lambda piece: share[piece])[:RAREST]

    def faults(self, index: SubstringIndex, model: type[Model]) -> list[str]:
        if not self.exists(index):
            why = "its tables or triggers are missing"
            if not self._may_use_extensions():
                why = f"the extensions {' and '.join(EXTENSIONS)} cannot be created here"
            return [f"There is no index {index.name}: {why}. Searches read every text."]
        table, name = model._meta.db_table, index.name
        pk = columns_of(model, ["id"])["id"]
        sql = f"SELECT count(*) FROM {table} it WHERE NOT EXISTS (SELECT 1 FROM {name}_part WHERE row = it.{pk})"
        [[number]] = self._rows(sql, None)
        faults = [f"{number:,} rows are not in {name}."] if number else []
        if not self._rows("SELECT show_trgm('ж') <> '{}' AND show_trgm('价') <> '{}'", None)[0][0]:
            faults.append("LC_CTYPE knows the letters of ASCII alone: other scripts are looked for by single signs.")
        return faults

    keys = "SELECT unnest(%s::varchar[])"

    def packed(self, pks: Sequence[str]) -> list[str]:
        return list(pks)

    def _may_use_extensions(self) -> bool:
        """They are there, or may be made: both are trusted, and whoever may create in the database may create them."""
        sql = (
            "SELECT count(*) FROM pg_available_extensions WHERE name = ANY(%s)"
            " AND (installed_version IS NOT NULL OR has_database_privilege(current_database(), 'CREATE'))"
        )
        return bool(self._rows(sql, (list(EXTENSIONS),))[0][0] == len(EXTENSIONS))

    def _rows(self, sql: str, values: Sequence[Any] | None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()
