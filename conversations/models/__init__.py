"""What: conversations and the verbs that change them."""

from conversations.models.conversation import (
    CLOSED_STATUSES,
    Channel,
    Conversation,
    ConversationFull,
    ConversationQuerySet,
    Status,
    StatusNotAllowed,
)
from conversations.models.recording import Outcome, Recorded

__all__ = [
    "CLOSED_STATUSES",
    "Channel",
    "Conversation",
    "ConversationFull",
    "ConversationQuerySet",
    "Outcome",
    "Recorded",
    "Status",
    "StatusNotAllowed",
]
