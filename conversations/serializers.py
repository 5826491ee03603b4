"""From the wire to model values: what a caller may send to have a conversation recorded (contract, section 2)."""

from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from rest_framework import serializers

from conversations.fields import (
    IndexField,
    LeadIdField,
    MessagesField,
    MomentField,
    ObjectIdField,
    OneOfField,
    QualificationField,
    TextField,
)
from conversations.models import CLOSED_STATUSES, Channel, Conversation, Status

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


class ConversationRecordSerializer(serializers.Serializer[Conversation]):
    """One conversation as the list returns it. ``accountId``, ``messageCount`` and unknown fields are ignored."""

    _id = ObjectIdField(source="id", required=False)
    leadId = LeadIdField(of="lead_id")
    agentConfigId = ObjectIdField(source="agent_config_id")
    channel = OneOfField(values=Channel.values)
    leadPhone = TextField(of="lead_phone", required=False, allow_null=True)
    status = OneOfField(values=Status.values, required=False)
    currentStageIndex = IndexField(source="current_stage_index", required=False)
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


class DetailsSerializer(serializers.Serializer[Conversation]):
    """Any of a conversation's details. A null takes an optional one away; unknown fields are ignored."""

    currentStageIndex = IndexField(source="current_stage_index", required=False)
    currentStageName = TextField(of="current_stage_name", required=False, allow_null=True)
    summary = TextField(of="summary", required=False, allow_null=True)
    qualificationResult = QualificationField(source="qualification", required=False, allow_null=True)
    leadEmail = TextField(of="lead_email", required=False, allow_null=True)
    campaignId = ObjectIdField(source="campaign_id", required=False, allow_null=True)
    agentConfigId = ObjectIdField(source="agent_config_id", required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Model values; what was taken away has the value that means none."""
        values = dict(attrs)
        if "qualification" in values:
            values.update(values.pop("qualification") or {"qualified": None, "qualification_reason": ""})
        for name in ("current_stage_name", "summary", "lead_email"):
            if name in values:
                values[name] = values[name] or ""
        return values


class LeadSerializer(serializers.Serializer[Conversation]):
    """Whom to erase: by phone, by e-mail, or by both."""

    leadPhone = TextField(of="lead_phone", required=False)
    leadEmail = TextField(of="lead_email", required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = {"phone": attrs.get("lead_phone", ""), "email": attrs.get("lead_email", "")}
        if not any(value.strip() for value in given.values()):
            raise serializers.ValidationError("Must name leadPhone, leadEmail, or both.")
        return given


class StatusSerializer(serializers.Serializer[Conversation]):
    """Where a conversation is to go; ``active`` is never a target."""

    status = OneOfField(values=list(CLOSED_STATUSES))


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
