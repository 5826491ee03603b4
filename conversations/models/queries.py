"""What a conversation may be, and the questions that are asked about many (queryset methods)."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count, Q, Sum

from accounts.models import OwnedQuerySet
from conversations import search

if TYPE_CHECKING:
    from conversations.models.conversation import Conversation  # noqa: F401


class Channel(models.TextChoices):
    WHATSAPP = "whatsapp", "WhatsApp"
    TELEGRAM = "telegram", "Telegram"
    EMAIL = "email", "E-mail"


class Status(models.TextChoices):
    ACTIVE = "active", "Active"
    COMPLETED = "completed", "Completed"
    HANDED_OFF = "handed_off", "Handed off"
    DROPPED = "dropped", "Dropped"


CLOSED_STATUSES = (Status.COMPLETED, Status.HANDED_OFF, Status.DROPPED)


class ConversationQuerySet(OwnedQuerySet["Conversation"]):
    def newest_first(self) -> "ConversationQuerySet":
        """The order of every list: the latest change first; the id decides between equals."""
        return self.order_by("-updated_at", "-id")

    def search(self, query: str) -> "ConversationQuerySet":
        """Conversations whose phone, e-mail or any message holds ``query`` (see ``conversations.search``)."""
        found = Q()
        for term in search.terms(query):
            found |= Q(search_text__has=term)
        return self.filter(found)

    def without_messages(self) -> "ConversationQuerySet":
        """For whoever needs to know the conversation only, and not what was said."""
        return self.defer("messages", "search_text")

    def of_lead(self, lead_id: str) -> "ConversationQuerySet":
        return self.filter(lead_id=lead_id)

    def after(self, updated_at: datetime, pk: str) -> "ConversationQuerySet":
        """What follows that place in ``newest_first`` order."""
        return self.filter(updated_at__lte=updated_at).exclude(updated_at=updated_at, pk__gte=pk)

    def before(self, updated_at: datetime, pk: str) -> "ConversationQuerySet":
        """What precedes that place in ``newest_first`` order."""
        return self.filter(updated_at__gte=updated_at).exclude(updated_at=updated_at, pk__lte=pk)

    def revisions(self) -> tuple[int, int]:
        """How many conversations there are, and how many changes made them: no change leaves both as they were."""
        counted = self.order_by().aggregate(number=Count("*"), changes=Sum("revision"))
        return counted["number"], counted["changes"] or 0

    def count_by_status(self) -> dict[str, int]:
        """Status → number of conversations, every status present."""
        counts = dict(self.order_by().values_list("status").annotate(number=Count("pk")))
        return {status: counts.get(status, 0) for status in Status.values}
