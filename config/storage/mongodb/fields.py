"""The automatic primary key of models that are not ours (sessions, groups, the admin's log)."""

from typing import Any

from django.db.models import AutoField
from django_mongodb_backend.fields.auto import ObjectIdAutoField as NativeObjectIdAutoField


class ObjectIdAutoField(NativeObjectIdAutoField):
    """24 hex in Python. The backend's own yields ``bson.ObjectId``, which sessions and third-party apps cannot keep."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return None if value is None else str(value)

    def get_prep_value(self, value: Any) -> Any:
        value = AutoField.get_prep_value(self, None) if value is None else value
        return value if value is None else NativeObjectIdAutoField.to_python(self, value)

    def from_db_value(self, value: Any, *args: Any) -> Any:
        return None if value is None else str(value)
