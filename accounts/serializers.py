"""API keys on the wire, both ways (contract, section 4)."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from rest_framework import serializers

from accounts.models import ApiKey, Environment
from accounts.scopes import Scope
from accounts.validators import validate_text
from config.storage.moments import format_moment, parse_moment

MAX_NAME_LENGTH = int(ApiKey._meta.get_field("name").max_length or 0)
WIRE_NAMES = {"expires_at": "expiresAt"}
"""Model field → wire field, where the two differ."""


def document(key: ApiKey) -> dict[str, Any]:
    """A key as the wire shows it, without its secret. Unlike a conversation's, its empty fields are null."""
    return {
        "_id": key.pk,
        "name": key.name,
        "keyPrefix": key.prefix,
        "keyHint": key.hint,
        "scopes": key.scopes,
        "environment": key.environment,
        "status": key.status,
        "createdAt": format_moment(key.created_at),
        "accountId": key.account_id,
        "expiresAt": _moment_or_null(key.expires_at),
        "lastUsedAt": _moment_or_null(key.last_used_at),
        **({"contactsMasked": True} if key.contacts_masked else {}),
    }


def _moment_or_null(moment: datetime | None) -> str | None:
    return None if moment is None else format_moment(moment)


class NameField(serializers.Field):
    """A string exactly as it was sent, with something in it to read."""

    default_error_messages = {
        "invalid": "Must be a string.",
        "blank": "Must not be empty.",
        "max_length": f"At most {MAX_NAME_LENGTH:,} characters.",
    }

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not data.strip():
            self.fail("blank")
        if len(data) > MAX_NAME_LENGTH:
            self.fail("max_length")
        validate_text(data)
        return str(data)


class ScopesField(serializers.Field):
    default_error_messages = {
        "invalid": "Must be a list of scopes.",
        "empty": "Must name at least one scope.",
        # By place, not by what stands there: that may be anything.
        "unknown": f"scopes[{{index}}]: Must be one of {', '.join(Scope.values)}.",
        "repeated": "scopes[{index}]: Each may stand there once.",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list):
            self.fail("invalid")
        if not data:
            self.fail("empty")
        for index, scope in enumerate(data):
            if not isinstance(scope, str) or scope not in Scope.values:
                self.fail("unknown", index=index)
            if scope in data[:index]:
                self.fail("repeated", index=index)
        return list(data)


class MomentField(serializers.Field):
    def to_internal_value(self, data: Any) -> datetime:
        try:
            return parse_moment(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


class FlagField(serializers.Field):
    """True or false, and no word for it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("Must be true or false.")
        return data


class NewApiKeySerializer(serializers.Serializer[ApiKey]):
    """What a key is made from. Everything else in a body is ignored, the fields of ``document`` among it."""

    default_error_messages = {"invalid": "Must be an object."}

    name = NameField()
    scopes = ScopesField()
    environment = serializers.ChoiceField(
        choices=Environment.choices,
        error_messages={"invalid_choice": f"Must be one of {', '.join(Environment.values)}."},
    )
    expiresAt = MomentField(source="expires_at", required=False, allow_null=True)  # noqa: N815 (the wire's spelling)
    contactsMasked = FlagField(source="contacts_masked", required=False)  # noqa: N815


def to_wire_faults(error: ModelValidationError) -> dict[str, list[str]]:
    """A model's faults under the names that the caller knows."""
    return {WIRE_NAMES.get(field, field): messages for field, messages in error.message_dict.items()}
