"""What a conversation may be, and the questions that are asked about many (queryset methods)."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.masking import MaskedQuerySet, mask_email, mask_phone, mask_text
from accounts.models import OwnedQuerySet
from config.storage.counting import AtLeast, count_up_to
from config.storage.expressions import follows
from config.storage.search import Search, is_counted, is_few, is_none, number_of, page_of, some_of
from config.storage.search.found import is_many
from conversations import search

if TYPE_CHECKING:
    from accounts.models import User
    from conversations.models.conversation import Conversation
    from conversations.models.naming import Agent


class Channel(models.TextChoices):
    WHATSAPP = "whatsapp", "WhatsApp"
    TELEGRAM = "telegram", "Telegram"
    EMAIL = "email", _("E-mail")


class Status(models.TextChoices):
    ACTIVE = "active", _("Active")
    COMPLETED = "completed", _("Completed")
    HANDED_OFF = "handed_off", _("Handed off")
    DROPPED = "dropped", _("Dropped")


SEVERAL = {
    Status.ACTIVE: pgettext_lazy("conversations", "Active"),
    Status.COMPLETED: pgettext_lazy("conversations", "Completed"),
    Status.HANDED_OFF: pgettext_lazy("conversations", "Handed off"),
    Status.DROPPED: pgettext_lazy("conversations", "Dropped"),
}
"""What several conversations of a status are called: not every language has one word for one and for many."""


def several(status: str) -> str:
    return str(SEVERAL[Status(status)])


CLOSED_STATUSES = (Status.COMPLETED, Status.HANDED_OFF, Status.DROPPED)


COUNTED = 10_000
"""From here on pages say ``10k+``."""


FIGURES = (
    "status", "created_at", "channel", "agent_config_id", "campaign_id", "qualified", "current_stage_index"
)  # fmt: skip
"""What figures of analytics are counted by."""

FIGURES_OF_AGENT = (
    "agent_config_id", "created_at", "status", "channel", "campaign_id", "qualified", "current_stage_index"
)  # fmt: skip
FIGURES_OF_CAMPAIGN = (
    "campaign_id", "created_at", "status", "channel", "agent_config_id", "qualified", "current_stage_index"
)  # fmt: skip

FACETS = (
    "channel",
    "qualified",
    "agent_config_id",
    "campaign_id",
    "current_stage_index",
    "current_stage_name",
)
"""What lists are filtered by, and counted within."""

MASKED_SEARCH = 1_000
"""Conversations that are read to answer a search of who sees contacts masked."""


def _seen(text: str) -> str:
    """A conversation's search text as who sees contacts masked may search it."""
    _, phone, _, email, *contents = text.split(search.SEPARATOR)
    said = [mask_text(content, phone, email) for content in contents]
    return search.SEPARATOR.join(map(search.fold, (mask_phone(phone), mask_email(email), *said)))


class ConversationQuerySet(OwnedQuerySet["Conversation"], MaskedQuerySet["Conversation"]):  # type: ignore[override]
    def owned_by(self, account: str, environment: str) -> "ConversationQuerySet":
        return self.filter(account_id=account, environment=environment)

    def newest_first(self) -> "ConversationQuerySet":
        """The order of every list: the latest change first; the id decides between equals."""
        return self.order_by("-updated_at", "-id")

    def search(self, query: str) -> "ConversationQuerySet":
        """Conversations whose phone, e-mail or any message holds ``query`` (see ``conversations.search``)."""
        return self.found_by(self.look_for(query)) if query else self

    def look_for(self, query: str) -> Search:
        """The search of ``search``, to be used several times."""
        return Search(self, "search_text", list(search.terms(query)))

    def found_by(self, found: Search) -> "ConversationQuerySet":
        return self.picked(self._seen_to_hold(found)) if self.is_masked else found.narrow(self)

    def _seen_to_hold(self, found: Search) -> list[str]:
        """Who sees contacts masked searches what they see: else a search would tell, digit by digit, what is hidden.

        Of those that hold the words, the newest ``MASKED_SEARCH`` are read.
        """
        known: list[str] | None = getattr(found, "seen", None)
        if known is None:
            everything = found.all.filter(**found.owner) if found.owner else found.all.none()
            rows = found.narrow(everything.newest_first()).values_list("pk", "search_text")[:MASKED_SEARCH]
            word = found.terms[0]
            known = [pk for pk, text in rows.iterator(chunk_size=50) if word in _seen(text)]
            found.seen = known  # type: ignore[attr-defined]
        return known

    def without_messages(self) -> "ConversationQuerySet":
        """For whoever needs to know the conversation only, and not what was said."""
        return self.defer("messages", "search_text")

    def of_lead(self, lead_id: str) -> "ConversationQuerySet":
        found = self.filter(lead_id=lead_id)
        if not self.is_masked:
            return found
        # Only those that show it: an id that is made of a phone or an e-mail is hidden, and so not asked for.
        rows = found.values_list("pk", "lead_id", "lead_phone", "lead_email")[:MASKED_SEARCH]
        return self.picked(pk for pk, shown, *_ in rows if shown == lead_id)

    def at_stage(self, stage: str, agents: Iterable["Agent"]) -> "ConversationQuerySet":
        """Those that show ``stage`` as their stage's name, their own or else their agent's, or have it as its index."""
        shown: Callable[[str], str] = mask_text if self.is_masked else str
        # Who sees contacts masked asks for names as they see them: else asking would tell what is hidden.
        found = Q(current_stage_name=stage) if shown(stage) == stage else Q(pk__in=[])
        if stage.isascii() and stage.isdigit() and len(stage) < 10:
            found |= Q(current_stage_index=int(stage))
        for agent in agents:
            for index in (index for index, name in enumerate(agent.stages) if shown(name) == stage):
                if agent.stages[index] != stage:
                    found |= Q(current_stage_name=agent.stages[index])
                found |= Q(current_stage_name="", agent_config_id=agent.agent_config_id, current_stage_index=index)
        return self.filter(found)

    def first_of(self, most: int) -> "ConversationQuerySet":
        """The first ``most``.

        Where a search has named its rows one by one, which of them come first is asked before anything else is read of
        them: a store puts together all that it sorts.
        """
        if is_none(self):
            return self.none()
        keys = page_of(self, most)
        if keys is None:
            return self[:most]
        rows = self.all()
        rows.query.clear_limits()
        rows.query.clear_where()
        return rows.picked(keys)

    def picked(self, ids: Iterable[str]) -> "ConversationQuerySet":
        return self.filter(pk__in=list(ids))

    def updated_since(self, moment: datetime) -> "ConversationQuerySet":
        return self.filter(updated_at__gte=moment)

    # What happened since a moment also changed the conversation since: that range is an index's.

    def replied_since(self, moment: datetime) -> "ConversationQuerySet":
        """The lead wrote at or after ``moment``."""
        return self.filter(updated_at__gte=moment, last_lead_at__gte=moment)

    def qualified_since(self, moment: datetime) -> "ConversationQuerySet":
        """It was decided whether the lead qualifies, at or after ``moment``, as it stands."""
        return self.filter(updated_at__gte=moment, qualified_at__gte=moment)

    def status_changed_since(self, moment: datetime) -> "ConversationQuerySet":
        """The conversation has had its status since ``moment`` or later."""
        return self.filter(updated_at__gte=moment, status_changed_at__gte=moment)

    # What figures are made of (``conversations.analytics``)

    def finished(self) -> "ConversationQuerySet":
        """Completed, handed off or dropped."""
        return self.filter(status__in=CLOSED_STATUSES)

    def unfinished(self) -> "ConversationQuerySet":
        return self.exclude(status__in=CLOSED_STATUSES)

    def reached(self, index: int) -> "ConversationQuerySet":
        """At the stage of this index, or a later one."""
        return self.filter(current_stage_index__gte=index)

    def last_written_by(self, role: str) -> "ConversationQuerySet":
        """The last message is of ``role``; an empty one for conversations without messages."""
        return self.filter(last_role=role)

    def started_within(self, start: datetime, end: datetime) -> "ConversationQuerySet":
        return self.filter(created_at__gte=start, created_at__lt=end)

    def newest_started(self) -> "ConversationQuerySet":
        """Of those that started in the same moment, any first: then every index along that moment will do."""
        return self.order_by("-created_at")

    def unread_by(self, user: "User", seen_at: datetime) -> "ConversationQuerySet":
        """Changed since the person had seen everything, and not read since it changed."""
        from conversations.models.reading import ReadMark

        read = ReadMark.objects.filter(user=user, conversation=OuterRef("pk"), revision__gte=OuterRef("revision"))
        return self.filter(~Exists(read), updated_at__gt=seen_at)

    def after(self, updated_at: datetime, pk: str) -> "ConversationQuerySet":
        """What follows that place in ``newest_first`` order."""
        return self.beyond("updated_at", updated_at, pk, descending=True)

    def beyond(self, field: str, value: Any, pk: str, *, descending: bool) -> "ConversationQuerySet":
        """What follows a place in the order of ``field``, the id deciding between equals."""
        return self.filter(follows(self.model, field, value, pk, descending=descending))

    def countable(self) -> "QuerySet[Conversation, Any]":
        """Not their ids, which Django would select: the environment stands in every index, and no row is read."""
        return self.order_by().values_list("environment")

    def count_by_status(self) -> dict[str, int]:
        """Status → number of conversations, every status present, each counted up to ``COUNTED`` and one more."""
        if is_few(self):
            return dict.fromkeys(Status.values, 0) if is_none(self) else self.each_by_status()
        mine = self.countable()
        lists = [mine.filter(status=status) for status in Status.values]
        counts = count_up_to(COUNTED + 1, lists)
        return dict(zip(Status.values, counts, strict=True))

    def each_by_status(self) -> dict[str, int]:
        """The same without a bound, where each row has to be looked at."""
        found = dict(self.order_by().values_list("status").annotate(number=Count("status")))
        return {status: found.get(status, 0) for status in Status.values}

    def glance_by_status(self) -> dict[str, int]:
        """The same, but where a search finds more than a few, so many ``AtLeast``."""
        some, is_all = some_of(self)
        counts = some.count_by_status()
        return counts if is_all else {status: AtLeast(number) for status, number in counts.items()}

    def glance(self) -> int | None:
        """How many there are, where a search finds no more than a few; else None. It takes some pages' time at most."""
        if is_many(self):  # told by a page that was read of them
            return None
        some, is_all = some_of(self)
        return some.count() if is_all else None

    def total(self) -> int | None:
        """How many there are; None where a search finds so many that counting them takes longer than a page."""
        named = number_of(self)
        return named if named is not None else self.count() if is_counted(self) else None
