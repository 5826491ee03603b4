"""Fields that mean the same on every store."""

import itertools
import os
import re
import time
from typing import Any, TypeVar

import orjson
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

M = TypeVar("M", bound=models.Model)

OBJECT_ID = re.compile(r"[0-9a-f]{24}")

_process = os.urandom(5).hex()
_counter = itertools.count(int.from_bytes(os.urandom(3)))


def _after_fork() -> None:
    global _process
    _process = os.urandom(5).hex()


os.register_at_fork(after_in_child=_after_fork)


def new_object_id() -> str:
    """A new ObjectId: 24 lower-case hex, 4 bytes of seconds, 5 of the process, 3 of a counter (as BSON specifies)."""
    return f"{int(time.time()):08x}{_process}{next(_counter) & 0xFFFFFF:06x}"


def is_object_id(value: object) -> bool:
    return isinstance(value, str) and OBJECT_ID.fullmatch(value) is not None


def find(rows: "models.QuerySet[M] | models.Manager[M]", pk: object) -> M | None:
    """The one of ``rows`` that an address or a form names; None too for what cannot be an ObjectId."""
    return rows.filter(pk=pk).first() if is_object_id(pk) else None


class ObjectIdField(models.CharField):
    """An ObjectId: 24 hex in Python and on the wire, varchar(24) on SQL, a native ObjectId on MongoDB.

    As a primary key it is made by us, not by the store, so that an object knows its name before it is saved.
    """

    description = "ObjectId, 24 lower-case hexadecimal digits"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = 24
        if kwargs.get("primary_key"):
            kwargs.setdefault("db_column", "_id")
            kwargs.setdefault("default", new_object_id)
            kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_length", None)
        return name, path, args, kwargs

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "objectId" if connection.vendor == "mongodb" else super().db_type(connection)

    def rel_db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return self.db_type(connection)

    def to_python(self, value: Any) -> str | None:
        if value is None or is_object_id(value):
            return value
        if self.blank and value == "":
            return None
        text = str(value)
        if is_object_id(text):
            return text
        raise ValidationError("Must be an ObjectId: 24 lower-case hexadecimal digits.", code="invalid")

    def get_prep_value(self, value: Any) -> Any:
        if hasattr(value, "resolve_expression"):
            return value
        return self.to_python(value)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        if connection.vendor == "mongodb" and isinstance(value, str):
            from bson import ObjectId

            return ObjectId(value)
        return value

    def from_db_value(self, value: Any, *args: Any) -> str | None:
        return value if value is None or isinstance(value, str) else str(value)


class DocumentListField(models.Field):
    """A list of small documents that lives inside its owner.

    On SQL the column holds the JSON text exactly as it was written (``json`` on PostgreSQL, checked text on SQLite), so
    that it can be passed on without being parsed; on MongoDB it is a native array. In Python: a list of dicts.
    """

    description = "List of embedded documents"
    empty_strings_allowed = False
    empty_values = (None,)  # an empty list is a value like any other

    def get_internal_type(self) -> str:
        return "DocumentListField"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return {"postgresql": "json", "mongodb": "array"}.get(connection.vendor, "text")

    def db_check(self, connection: BaseDatabaseWrapper) -> str | None:
        return f'JSON_VALID("{self.column}")' if connection.vendor == "sqlite" else None

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if value is None or hasattr(value, "resolve_expression") or connection.vendor == "mongodb":
            return value
        return orjson.dumps(value).decode()

    def get_placeholder(self, value: Any, compiler: Any, connection: BaseDatabaseWrapper) -> str:
        return "%s::json" if connection.vendor == "postgresql" else "%s"

    def from_db_value(self, value: Any, *args: Any) -> Any:
        if not isinstance(value, (str, bytes)):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value  # the driver has parsed it already: somebody stored a string where the list belongs

    def value_to_string(self, obj: models.Model) -> str:
        return orjson.dumps(self.value_from_object(obj)).decode()

    def to_python(self, value: Any) -> Any:
        return orjson.loads(value) if isinstance(value, (str, bytes)) else value
