"""Fields of the wire, for what callers send: strict, and each fault in words (contract, section 1)."""

from typing import Any

from rest_framework import serializers

from accounts.validators import validate_text
from config.storage.fields import is_object_id
from config.storage.moments import now
from conversations.messages import clean_messages, parse_moment
from conversations.models import Conversation


def bound(field: str) -> int:
    """The most characters that a field of a conversation holds."""
    length = Conversation._meta.get_field(field).max_length  # type: ignore[union-attr]
    assert length is not None, field  # noqa: S101
    return int(length)


class TextField(serializers.Field):
    """A string exactly as it was sent: not trimmed, nothing converted."""

    default_error_messages = {
        "invalid": "Must be a string.",
        "blank": "Must not be empty.",
        "max_length": "At most {max_length:,} characters.",
    }

    def __init__(self, *, of: str, **kwargs: Any) -> None:
        self.max_length = bound(of)
        self.allow_blank = Conversation._meta.get_field(of).blank  # type: ignore[union-attr]
        self.of = of
        super().__init__(**kwargs)

    def bind(self, field_name: str, parent: Any) -> None:
        if field_name != self.of:
            self.source = self.of
        super().bind(field_name, parent)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not data and not self.allow_blank:
            self.fail("blank")
        if len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        validate_text(data)
        return data

    def to_representation(self, value: str) -> str:
        return value


class LeadIdField(TextField):
    """The caller's id of the lead; an integer becomes its decimal string, ``7.0`` too: JSON has one kind of number."""

    def to_internal_value(self, data: Any) -> str:
        is_integer = isinstance(data, int) and not isinstance(data, bool)
        if is_integer or (isinstance(data, float) and data.is_integer()):
            data = str(int(data))
        return super().to_internal_value(data)


class IndexField(serializers.IntegerField):
    """A number from 0 up, not a text that reads like one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class ObjectIdField(serializers.Field):
    default_error_messages = {"invalid": "Must be an ObjectId: 24 lower-case hexadecimal digits."}

    def to_internal_value(self, data: Any) -> str:
        if not is_object_id(data):
            self.fail("invalid")
        return str(data)

    def to_representation(self, value: str) -> str:
        return value


class MomentField(serializers.Field):
    def to_internal_value(self, data: Any) -> Any:
        try:
            return parse_moment(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: Any) -> Any:
        return value


class OneOfField(serializers.Field):
    def __init__(self, *, values: list[str], **kwargs: Any) -> None:
        self.values = values
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.values:
            raise serializers.ValidationError(f"Must be one of {', '.join(self.values)}.")
        return data

    def to_representation(self, value: str) -> str:
        return value


class MessagesField(serializers.Field):
    """Messages, checked by ``conversations.messages`` without a serializer for each: there may be thousands."""

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        return clean_messages(data, default_timestamp=now())

    def to_representation(self, value: Any) -> Any:
        return value


class QualificationField(serializers.Field):
    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict) or not isinstance(data.get("qualified"), bool):
            raise serializers.ValidationError("Must be an object of qualified (true or false) and reason (a string).")
        reason = data.get("reason")
        if reason is not None and not isinstance(reason, str):
            raise serializers.ValidationError("reason: Must be a string.")
        if reason and len(reason) > bound("qualification_reason"):
            raise serializers.ValidationError(f"reason: At most {bound('qualification_reason'):,} characters.")
        validate_text(reason or "")
        return {"qualified": data["qualified"], "qualification_reason": reason or ""}

    def to_representation(self, value: Any) -> Any:
        return value
