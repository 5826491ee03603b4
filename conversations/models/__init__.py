"""What: conversations and the verbs that change them."""

from conversations.models.conversation import Conversation, ConversationFull, StatusNotAllowed
from conversations.models.queries import CLOSED_STATUSES, Channel, ConversationQuerySet, Status
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
