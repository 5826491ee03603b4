"""What a backup is made of: the tables, the rows as lines, and what they add up to."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from gzip import GzipFile
from hashlib import sha256
from typing import Any

import orjson
from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader

from config.storage.fields import ObjectIdField
from config.storage.moments import format_moment, to_milliseconds

FORMAT = 1
LEVEL = 3
"""Of gzip: a tenth larger than at its usual 9, in a fifth of the time."""

BATCH_ROWS = 500
BATCH_BYTES = 4_000_000

LEFT_OUT = {
    "contenttypes.ContentType": "made by migrate",
    "auth.Permission": "made by migrate",
    "auth.Group": "Parley has scopes",
    "admin.LogEntry": "Parley has its own audit log, which holds what operators change",
    "sessions.Session": "people sign in again",
    "usersessions.UserSession": "people sign in again",
    "account.EmailConfirmation": "expires",
    "socialaccount.SocialToken": "not kept",
    "accounts.Remembered": "a cache",
}
"""Tables that a backup leaves out, and why. So do models that say ``is_derived``: the store makes them of others."""


class BadBackup(Exception):
    """The file is not a backup, not a whole one, or of another release."""


class NotEmpty(Exception):
    """The store that is to be restored into holds something."""


@dataclass(frozen=True)
class Table:
    """What a table of a file or of a store holds."""

    name: str
    rows: int
    sha256: str


def tables() -> list[type[models.Model]]:
    """Those that are backed up, each after the ones that it refers to."""
    kept = [
        model
        for model in apps.get_models()
        if model._meta.managed and model._meta.label not in LEFT_OUT and not getattr(model, "is_derived", False)
    ]
    ordered: list[type[models.Model]] = []

    def add(model: type[models.Model]) -> None:
        if model not in ordered:
            for field in model._meta.concrete_fields:
                other = field.related_model
                if isinstance(other, type) and other is not model and other in kept:
                    add(other)
            ordered.append(model)

    for model in kept:
        add(model)
    return ordered


def migrations() -> dict[str, list[str]]:
    """App → its newest migrations: what the fields of its tables follow from. The same on every store for our apps."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return {
        app: sorted(name for label, name in loader.graph.leaf_nodes(app) if label == app)
        for app in ("accounts", "conversations")
    }


def hashed(model: type[models.Model], file: GzipFile | None = None, *, fields: Sequence[str] = ()) -> Table:
    """What the store's table holds, in some or all ``fields``; its lines written to ``file`` on the way."""
    digest, number = sha256(), 0
    for line in _lines(model, [model._meta.get_field(name) for name in fields] or fields_of(model)):
        digest.update(line)
        number += 1
        if file:
            file.write(line)
    return Table(model._meta.label, number, digest.hexdigest())


def fields_of(model: type[models.Model]) -> list[Any]:
    """Not an id that the store gives: it is another one in every store, and nothing that is kept refers to it."""
    return [field for field in model._meta.concrete_fields if not _is_given(field)]


def _is_given(field: Any) -> bool:
    return bool(field.primary_key) and not isinstance(field, ObjectIdField) and field.default is models.NOT_PROVIDED


def _lines(model: type[models.Model], fields: Sequence[Any]) -> Iterator[bytes]:
    rows = model._base_manager.order_by("pk").iterator(chunk_size=100)
    lines = (line_of([_plain(field, field.value_from_object(row)) for field in fields]) for row in rows)
    return lines if not _is_given(model._meta.pk) else iter(sorted(lines))


def _plain(field: Any, value: Any) -> Any:
    if isinstance(field, models.JSONField):  # an object without an order: PostgreSQL keeps none
        return orjson.Fragment(orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS))
    if isinstance(value, datetime):
        return format_moment(to_milliseconds(value.astimezone(UTC)))
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    return value


def line_of(value: Any) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_APPEND_NEWLINE)


def differing(first: Sequence[Table], second: Sequence[Table]) -> list[str]:
    """The names of the tables that are not the same in both."""
    other = {table.name: table for table in second}
    return [table.name for table in first if other.get(table.name) != table]
