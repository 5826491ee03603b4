"""What the API says of conversations: the shape that ``conversations.wire`` makes, its limits, and each operation."""

from collections.abc import Mapping
from typing import Any

from config.schema import Json, answered, body_of, integer, moment, nullable, object_id, ref, text
from conversations.analytics import DEFAULT_RANGE, RANGES
from conversations.fields import bound
from conversations.messages import MAX_CONTENT_LENGTH, MAX_MESSAGES, Role
from conversations.models import Channel, Outcome, Status
from conversations.models.conversation import MAX_STAGE_INDEX
from conversations.serializers import ConversationRecordSerializer, DetailsSerializer, LeadSerializer, StatusSerializer

ID = "665f1a2b3c4d5e6f7a8b9c0d"
AGENT = "65aa0b1c2d3e4f5a6b7c8d9e"

MESSAGE_PROPERTIES: Json = {
    "role": text("Who wrote it: the AI agent, the lead, somebody of the sales team, or the system.", enum=Role.values),
    "content": text("What was said.", maxLength=MAX_CONTENT_LENGTH),
    "timestamp": moment("When it was said."),
    "agentConfigId": object_id("The AI agent's configuration, where one wrote it."),
}

QUALIFICATION_PROPERTIES: Json = {
    "qualified": {"type": "boolean", "description": "Whether the lead is qualified."},
    "reason": text("Why.", maxLength=bound("qualification_reason")),
}

PROPERTIES: Json = {
    "_id": object_id("MongoDB ObjectId of the conversation.", examples=[ID]),
    "leadId": text("The ID of the associated lead.", minLength=1, maxLength=bound("lead_id")),
    "accountId": object_id("MongoDB ObjectId of the account (tenant)."),
    "agentConfigId": object_id("MongoDB ObjectId of the agent configuration used."),
    "channel": text("The messaging channel used for this conversation.", enum=Channel.values),
    "leadPhone": text(
        "The lead's phone number. Only where the channel is `email` it may be empty.", maxLength=bound("lead_phone")
    ),
    "status": text("Current status of the conversation.", enum=Status.values),
    "currentStageIndex": integer("Index of the current conversation stage.", 0, MAX_STAGE_INDEX),
    "messages": {
        "type": "array",
        "description": "Ordered list of messages in the conversation.",
        "items": ref("Message"),
        "maxItems": MAX_MESSAGES,
    },
    "messageCount": integer("Total number of messages in the conversation.", 0, MAX_MESSAGES),
    "createdAt": moment("When the conversation was created."),
    "updatedAt": moment("When the conversation was last updated."),
    "campaignId": object_id("MongoDB ObjectId of the campaign, if conversation was started by a campaign."),
    "leadEmail": text("The lead's email address.", maxLength=bound("lead_email")),
    "currentStageName": text("Name of the current conversation stage.", maxLength=bound("current_stage_name")),
    "summary": text("LLM-generated summary of the conversation.", maxLength=bound("summary")),
    "qualificationResult": ref("QualificationResult"),
}
OPTIONAL = ("campaignId", "leadEmail", "currentStageName", "summary", "qualificationResult")

# What a request may say in another way than an answer

WRITTEN: Mapping[str, Json] = {
    **PROPERTIES,
    "leadId": {
        **PROPERTIES["leadId"],
        "type": ["string", "integer"],
        "minimum": -(2**63),
        "maximum": 2**63 - 1,
        "description": "The caller's ID of the lead. An integer is stored as its decimal string.",
    },
    "messages": {**PROPERTIES["messages"], "items": ref("NewMessage")},
    "qualificationResult": ref("NewQualificationResult"),
}
UNLESS_EMAIL: Json = {
    "if": {"properties": {"channel": {"const": Channel.EMAIL.value}}},
    "else": {"properties": {"leadPhone": {"type": "string", "minLength": 1}}, "required": ["leadPhone"]},
}

FAULTS: Json = {
    "type": "object",
    "description": "What is wrong with each field, by its name. Only where `result` is `refused`.",
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
}

COUNT = "How many conversations were created in the range"
OVERVIEW = answered(
    {
        "totalConversations": integer(f"{COUNT}."),
        "activeConversations": integer("How many of them are active."),
        "qualifiedLeads": integer("How many of them have a qualification result that says yes."),
        "disqualifiedLeads": integer("How many of them have one that says no."),
        "qualificationRate": {
            "type": "number",
            "minimum": 0,
            "maximum": 100,
            "description": "Per cent of the completed ones that qualified; 0 where none is completed.",
        },
        "avgMessagesPerConversation": {"type": "number", "minimum": 0, "description": "Messages of each, on average."},
        "channelBreakdown": answered(
            {value: integer(f"{COUNT} over {label}.") for value, label in Channel.choices},
            description="How many of them were held over each channel.",
        ),
        "totalLeads": integer("How many distinct leads they were held with."),
        "newLeads": integer("How many of these leads had no conversation before."),
    },
    description=f"Figures of the last days: {', '.join(RANGES)}; {DEFAULT_RANGE} where nothing is said.",
)

COMPONENTS: dict[str, Json] = {
    "schemas": {
        "Conversation": answered(
            PROPERTIES,
            optional=OPTIONAL,
            description="What a lead and an agent said to each other. An optional field without a value is left out.",
        ),
        "Message": answered(
            MESSAGE_PROPERTIES, optional=["agentConfigId"], description="One message of a conversation."
        ),
        "QualificationResult": answered(QUALIFICATION_PROPERTIES, description="Whether the lead qualified, and why."),
        "ConversationRecord": {
            **body_of(
                ConversationRecordSerializer(),
                WRITTEN,
                "A conversation, as the list returns it. `accountId` and `messageCount` are ignored: the account is "
                "the key's, and the messages are counted. What is left out or null has no value; moments are now.",
            ),
            **UNLESS_EMAIL,
        },
        "NewMessage": {
            "type": "object",
            "description": "A message to add. Without a timestamp it was said now.",
            "properties": {
                **MESSAGE_PROPERTIES,
                "timestamp": nullable(MESSAGE_PROPERTIES["timestamp"]),
                "agentConfigId": nullable(MESSAGE_PROPERTIES["agentConfigId"]),
            },
            "required": ["role", "content"],
        },
        "NewQualificationResult": {
            "type": "object",
            "description": "Whether the lead qualified, and why.",
            "properties": {**QUALIFICATION_PROPERTIES, "reason": nullable(QUALIFICATION_PROPERTIES["reason"])},
            "required": ["qualified"],
        },
        "ConversationChanges": body_of(
            DetailsSerializer(), WRITTEN, "Any of these. A null takes an optional one away; what is left out stays."
        ),
        "LeadErasure": {
            **body_of(LeadSerializer(), WRITTEN, "Whom to erase: by phone, by e-mail, or by both."),
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string", "pattern": r"\S"}}}
                for name in ("leadPhone", "leadEmail")
            ],
        },
        "LeadErased": answered(
            {"erasedConversations": integer("How many conversations had something to erase.", 0)},
            description="What was erased.",
        ),
        "StatusChange": body_of(StatusSerializer(), WRITTEN, "Where the conversation is to go."),
        "RecordingResult": answered(
            {
                "_id": nullable(object_id("ObjectId of the conversation; null where a refused one had none.")),
                "result": text("What became of it.", enum=Outcome.values),
                "details": FAULTS,
            },
            optional=["details"],
            description="What became of one conversation of an array.",
        ),
        "Overview": OVERVIEW,
    }
}


def example(**changes: Any) -> Json:
    """A conversation as an answer shows it."""
    moment_ = "2026-03-12T14:02:11.480Z"
    return {
        "_id": ID,
        "leadId": "4711",
        "accountId": "64b0c1d2e3f4a5b6c7d8e9f0",
        "agentConfigId": AGENT,
        "channel": "whatsapp",
        "leadPhone": "+1 (555) 010-2233",
        "status": "active",
        "currentStageIndex": 1,
        "messages": [
            {"role": "agent", "content": "Hello! What can I do for you?", "timestamp": moment_, "agentConfigId": AGENT},
            {"role": "lead", "content": "What does the small office cost?", "timestamp": moment_},
        ],
        "messageCount": 2,
        "createdAt": moment_,
        "updatedAt": moment_,
        **changes,
    }
