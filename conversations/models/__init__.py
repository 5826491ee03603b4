"""What: conversations and the verbs that change them."""

from conversations.models.bulk import MAX_CHANGED, BulkChange
from conversations.models.cells import (
    DayCell,
    HalfHourCell,
    LeadFirstCell,
    LeadLastCell,
    MessageCell,
    PairDayCell,
    PairHalfHourCell,
)
from conversations.models.conversation import Conversation
from conversations.models.lead import Lead
from conversations.models.naming import Agent, Campaign
from conversations.models.note import Note
from conversations.models.queries import CLOSED_STATUSES, Channel, ConversationQuerySet, Status, several
from conversations.models.reading import LastLook, ReadMark
from conversations.models.recording import Outcome, Recorded
from conversations.models.refusals import ConversationFull, StatusMoved, StatusNotAllowed
from conversations.models.retention import RetentionRule
from conversations.models.saved_view import SavedView
from conversations.models.tally import Tally, Totals

__all__ = [
    "CLOSED_STATUSES",
    "MAX_CHANGED",
    "Agent",
    "BulkChange",
    "Campaign",
    "Channel",
    "Conversation",
    "ConversationFull",
    "ConversationQuerySet",
    "DayCell",
    "HalfHourCell",
    "LastLook",
    "Lead",
    "LeadFirstCell",
    "LeadLastCell",
    "MessageCell",
    "Note",
    "Outcome",
    "PairDayCell",
    "PairHalfHourCell",
    "ReadMark",
    "Recorded",
    "RetentionRule",
    "SavedView",
    "Status",
    "StatusMoved",
    "StatusNotAllowed",
    "Tally",
    "Totals",
    "several",
]
