"""The index on PostgreSQL: each part of a text (a message) in a row of its own, found by GIN, kept by a trigger.

Three characters or more are looked for by pg_trgm's trigrams. Those of one message are told apart far better than those
of a whole conversation, where nearly all trigrams of a language stand; and an append costs what it adds. What has no
trigram (one or two characters, and signs, which pg_trgm leaves out) is looked for by its single characters, an array.
The owner stands first in the index, so that a search reads the postings of one owner.

It needs the extensions pg_trgm and btree_gin. Where they cannot be created there is no index, and a search walks.
"""
# ruff: noqa: S608 - the names are the index's and the columns', which the models say

import re
import sys
from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from config.storage.search.index import SubstringIndex, columns_of

EXTENSIONS = ("pg_trgm", "btree_gin")
_TRIGRAM = re.compile(r"[^\W_]{3}")
"""What pg_trgm makes a trigram of, whatever stands around it."""


class PostgreSQLEngine:
    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def create(self, index: SubstringIndex, model: type[Model]) -> list[str]:
        if not self._may_use_extensions():
            return []
        columns = columns_of(model, (*index.fields, "id"))
        name, text, pk = index.name, columns[index.fields[-1]], columns["id"]

        def owner(row: str) -> str:
            return "hashtext({})".format(" || '/' || ".join(f"{row}.{columns[field]}" for field in index.fields[:-1]))

        add = f"INSERT INTO {name}_part SELECT {{}}, {{}}.{pk}, part FROM {{}} WHERE part <> ''"
        find = (
            f"CREATE OR REPLACE FUNCTION {name}_{{}}(integer, text, text[], integer) RETURNS SETOF varchar"
            f" LANGUAGE sql STABLE SET enable_seqscan TO off SET enable_indexscan TO off"
            f" AS $$ SELECT DISTINCT row FROM {name}_part WHERE owner = $1 AND {{}} LIMIT $4 $$"
        )
        return [
            *(f"CREATE EXTENSION IF NOT EXISTS {extension}" for extension in EXTENSIONS),
            f"CREATE TABLE {name}_part (owner integer NOT NULL, row varchar(24) NOT NULL, text text NOT NULL)",
            add.format(owner("it"), "it", f"%(table)s it, string_to_table(it.{text}, chr(31)) part"),
            f"CREATE INDEX {name}_part_row ON {name}_part (row)",
            f"CREATE INDEX {name} ON {name}_part USING gin (owner, text gin_trgm_ops, string_to_array(text, NULL))",
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
            # Whatever the planner takes for likely: through the index, and nothing else.
            find.format("find", "text LIKE $2"),
            find.format("find_signs", "string_to_array(text, NULL) @> $3 AND strpos(text, $2) > 0"),
        ]

    def drop(self, index: SubstringIndex) -> list[str]:
        name = index.name
        return [
            *(f"DROP TRIGGER IF EXISTS {name}_{event} ON %(table)s" for event in ("write", "rewrite", "empty")),
            *(f"DROP FUNCTION IF EXISTS {name}_{function}" for function in ("keep", "find", "find_signs")),
            f"DROP TABLE IF EXISTS {name}_part",
        ]

    def exists(self, index: SubstringIndex) -> bool:
        sql = "SELECT to_regclass(%s) IS NOT NULL AND (SELECT count(*) FROM pg_trigger WHERE tgname = ANY(%s)) = 2"
        triggers = [f"{index.name}_write", f"{index.name}_rewrite"]
        return bool(self._rows(sql, (index.name, triggers))[0][0])

    def effort(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], share: float) -> int:
        """GIN does not tell what it would read."""
        return sys.maxsize

    def find(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], limit: int) -> list[str] | None:
        sql, values = self.statement(index, owner, terms, limit)
        return [pk for (pk,) in self._rows(f"{sql} LIMIT {limit:d}", values)]

    def likely(self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], limit: int) -> None:
        """GIN looks for the rarest trigrams first by itself."""

    def is_exact(self, term: str) -> bool:
        return True

    def statement(
        self, index: SubstringIndex, owner: Sequence[str], terms: Sequence[str], limit: int | None = None
    ) -> tuple[str, tuple[Any, ...]]:
        found, values = [], []
        for term in terms:
            has_trigram = _TRIGRAM.search(term) is not None
            function = f"{index.name}_find" if has_trigram else f"{index.name}_find_signs"
            found.append(f"SELECT {function}(hashtext(%s), %s, %s, %s)")
            values += ["/".join(owner), f"%{_escaped(term)}%" if has_trigram else term, sorted(set(term)), limit]
        return " UNION ".join(found), tuple(values)

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


def _escaped(term: str) -> str:
    """``term`` as LIKE takes it literally."""
    return re.sub(r"([\\%_])", r"\\\1", term)
