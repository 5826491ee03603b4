"""Since a person last looked: what is new, each figure with the list of exactly its rows."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from config.formats import words
from config.storage.counting import AtLeast
from conversations.listing.query import Query
from conversations.messages import format_moment
from conversations.models import ConversationQuerySet, Status, several
from conversations.templatetags.parley import clock, day

READ = ("pk", "last_lead_at", "qualified", "qualified_at", "status", "status_changed_at")
LOOKED_AT = 2_000
"""Conversations that are looked at for news, those that changed last: with more of them, figures say *at least*."""


@dataclass(frozen=True)
class Figure:
    number: int
    one: str
    many: str
    link: str

    @property
    def text(self) -> str:
        return self.one if self.number == 1 else self.many


@dataclass(frozen=True)
class News:
    since: datetime
    figures: list[Figure]

    @property
    def since_text(self) -> str:
        """``yesterday 18:05``."""
        local = timezone.localtime(self.since)
        days = (timezone.localdate() - local.date()).days
        if 0 < days < 7:
            word = words().yesterday if days == 1 else words().weekdays[local.weekday()]
        else:
            word = day(self.since) if days else _("today")
        return f"{word} {clock(self.since)}"

    @classmethod
    def of(cls, conversations: ConversationQuerySet, since: datetime) -> "News":
        """What happened to ``conversations``, counted in one statement that takes no longer after a long absence."""
        asked = [
            (_("new reply"), _("new replies"), {"repliedAfter": format_moment(since)}, Q(last_lead_at__gte=since)),
            (
                pgettext("one conversation", "newly qualified"),
                pgettext("conversations", "newly qualified"),
                {"qualified": "true", "qualifiedAfter": format_moment(since)},
                Q(qualified=True, qualified_at__gte=since),
            ),
            *(
                (
                    Status(status).label.lower(),
                    several(status).lower(),
                    {"status": status, "statusChangedAfter": format_moment(since)},
                    Q(status=status, status_changed_at__gte=since),
                )
                for status in (Status.HANDED_OFF, Status.COMPLETED, Status.DROPPED)
            ),
        ]
        changed = conversations.updated_since(since).newest_first().values(*READ)[: LOOKED_AT + 1]
        counts = changed.aggregate(
            every=Count("pk"),
            **{f"figure_{index}": Count("pk", filter=condition) for index, (*_, condition) in enumerate(asked)},
        )
        exactly = AtLeast if counts["every"] > LOOKED_AT else int
        figures = [
            Figure(exactly(counts[f"figure_{index}"]), one, many, Query(filters).link())
            for index, (one, many, filters, _) in enumerate(asked)
        ]
        return cls(since, [figure for figure in figures if figure.number])
