"""Conversations for tests, made in the wire's shape and recorded the way an integration records them."""

from typing import Any

import factory

from accounts.models import Account
from conversations.models import Conversation
from conversations.serializers import ConversationRecordSerializer, record_from

AGENT = "a" * 24
CAMPAIGN = "c" * 24


class WireConversation(factory.DictFactory):
    """What a client posts."""

    class Meta:
        rename = {"id": "_id"}

    leadId = factory.Sequence(lambda number: str(number + 1))
    agentConfigId = AGENT
    channel = "whatsapp"
    leadPhone = factory.Sequence(lambda number: f"+1 (555) 010-{number % 10_000:04}")
    status = "active"
    currentStageIndex = 1
    messages = factory.LazyFunction(
        lambda: [message("Hello, how can I help?", role="agent"), message("What is the price?")]
    )


def message(content: str, *, role: str = "lead", timestamp: str = "2026-03-12T14:02:11.480Z") -> dict[str, Any]:
    said = {"role": role, "content": content, "timestamp": timestamp}
    return {**said, "agentConfigId": AGENT} if role == "agent" else said


def record_conversation(account: Account, *, environment: str = "live", **fields: Any) -> Conversation:
    """A stored conversation; ``fields`` are the wire's (``id`` stands for ``_id``)."""
    values = record_from(ConversationRecordSerializer(), WireConversation(**fields))
    [recorded] = account.conversations.record(account, [values], environment=environment, by=None)
    assert recorded.faults is None, recorded.faults
    return Conversation.objects.get(pk=recorded.id)
