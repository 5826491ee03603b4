"""The orders that a page offers, and places in them: the next page begins after one, however rows change meanwhile.

The API knows ``-updatedAt`` alone; see ``conversations.pagination``.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.models.preferences import Column
from conversations import places
from conversations.messages import format_moment, parse_moment
from conversations.models import Conversation, ConversationQuerySet

FIELDS = {"updatedAt": "updated_at", "createdAt": "created_at", "messageCount": "message_count"}
"""What can be ordered by, as it stands in the URL → the model's field. Each has an index that holds the whole order."""

LABELS = {"updatedAt": _("last activity"), "createdAt": _("start"), "messageCount": _("messages")}
SORTS = {Column.UPDATED: "updatedAt", Column.STARTED: "createdAt", Column.MESSAGES: "messageCount"}
"""The columns that can be sorted, and by what."""


@dataclass(frozen=True)
class Place:
    """Where a conversation stands in an order: its value there, and its id among equals."""

    value: datetime | int
    id: str

    def __str__(self) -> str:
        value = format_moment(self.value) if isinstance(self.value, datetime) else self.value
        return places.pack(str(value), self.id)

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        """None for what ``str(place)`` never gives."""
        try:
            value, pk = places.unpack(text)
            is_number = value.isdigit() and len(value) < 10
            return cls(int(value) if is_number else parse_moment(value), pk)
        except ValueError:
            return None


@dataclass(frozen=True)
class Order:
    """``name`` is a key of ``FIELDS``."""

    name: str = "updatedAt"
    is_descending: bool = True

    @classmethod
    def read(cls, text: str) -> "Order":
        """``-createdAt``, ``messageCount`` …; the order of every list for anything else."""
        name = text.removeprefix("-")
        return cls(name, is_descending=text.startswith("-")) if name in FIELDS else cls()

    def __str__(self) -> str:
        return f"{'-' if self.is_descending else ''}{self.name}"

    @property
    def label(self) -> str:
        return f"{LABELS[self.name]} {'↓' if self.is_descending else '↑'}"

    @property
    def field(self) -> str:
        return FIELDS[self.name]

    @property
    def reversed(self) -> "Order":
        return Order(self.name, is_descending=not self.is_descending)

    def of(self, conversations: ConversationQuerySet) -> ConversationQuerySet:
        sign = "-" if self.is_descending else ""
        return conversations.order_by(f"{sign}{self.field}", f"{sign}id")

    def place_of(self, conversation: Conversation) -> Place:
        return Place(getattr(conversation, self.field), conversation.pk)

    def after(self, conversations: ConversationQuerySet, place: Place) -> ConversationQuerySet:
        """What follows ``place``, in this order; all of them for a place of another order."""
        if isinstance(place.value, int) != (self.field == "message_count"):
            return self.of(conversations)
        return self.of(conversations.beyond(self.field, place.value, place.id, descending=self.is_descending))

    def before(self, conversations: ConversationQuerySet, place: Place) -> ConversationQuerySet:
        """What precedes ``place``, nearest first."""
        return self.reversed.after(conversations, place)
