"""From the wire to model values: what a caller may send to have a conversation recorded (contract, section 2)."""

from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from rest_framework import serializers

from accounts.validators import validate_text
from config.storage.fields import is_object_id
from config.storage.moments import now
from conversations.messages import clean_messages, parse_moment
from conversations.models import Channel, Conversation, Status

WIRE_NAMES = {
    "id": "_id",
    "lead_id": "leadId",
    "agent_config_id": "agentConfigId",
    "lead_phone": "leadPhone",
    "current_stage_index": "currentStageIndex",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "campaign_id": "campaignId",
    "lead_email": "leadEmail",
    "current_stage_name": "currentStageName",
    "qualified": "qualificationResult",
    "qualification_reason": "qualificationResult",
}
"""Model field → wire field, where the two differ."""


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
    """The caller's id of the lead; an integer becomes its decimal string."""

    def to_internal_value(self, data: Any) -> str:
        is_integer = isinstance(data, int) and not isinstance(data, bool)
        return super().to_internal_value(str(data) if is_integer else data)


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


class ConversationRecordSerializer(serializers.Serializer[Conversation]):
    """One conversation as the list returns it. ``accountId``, ``messageCount`` and unknown fields are ignored."""

    _id = ObjectIdField(source="id", required=False)
    leadId = LeadIdField(of="lead_id")
    agentConfigId = ObjectIdField(source="agent_config_id")
    channel = OneOfField(values=Channel.values)
    leadPhone = TextField(of="lead_phone", required=False, allow_null=True)
    status = OneOfField(values=Status.values, required=False)
    currentStageIndex = serializers.IntegerField(source="current_stage_index", required=False, min_value=0)
    messages = MessagesField(required=False)
    createdAt = MomentField(source="created_at", required=False, allow_null=True)
    updatedAt = MomentField(source="updated_at", required=False, allow_null=True)
    campaignId = ObjectIdField(source="campaign_id", required=False, allow_null=True)
    leadEmail = TextField(of="lead_email", required=False, allow_null=True)
    currentStageName = TextField(of="current_stage_name", required=False, allow_null=True)
    summary = TextField(of="summary", required=False, allow_null=True)
    qualificationResult = QualificationField(source="qualification", required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Model values. A null is an optional field without a value, as if it had been left out."""
        values = {name: value for name, value in attrs.items() if value is not None}
        values.update(values.pop("qualification", {}))
        return values


def to_wire_faults(faults: dict[str, list[str]]) -> dict[str, list[str]]:
    """A model's faults under the names that the caller knows."""
    return {WIRE_NAMES.get(field, field): messages for field, messages in faults.items()}


def record_from(serializer: ConversationRecordSerializer, data: Any) -> dict[str, Any]:
    """Model values of one conversation. One serializer serves many: making one costs more than a conversation.

    Raises rest_framework's ValidationError, field → list of messages.
    """
    if not isinstance(data, dict):
        raise serializers.ValidationError({"non_field_errors": ["Must be an object."]})
    try:
        values: dict[str, Any] = serializer.run_validation(data)
    except ModelValidationError as error:
        raise serializers.ValidationError(serializers.as_serializer_error(error)) from None
    return values
