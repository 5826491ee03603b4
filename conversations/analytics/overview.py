"""What the API answers with: the figures of an account's last days (contract, section 8)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet, Sum

from config.storage.chunks import chunks_of
from config.storage.transaction import snapshot_of_all
from conversations.analytics.edges import Edges
from conversations.analytics.kept import Kept
from conversations.models import Channel, ConversationQuerySet, Lead, LeadFirstCell, LeadLastCell, MessageCell, Status

RANGES = {"7d": timedelta(days=7), "30d": timedelta(days=30), "90d": timedelta(days=90)}
DEFAULT_RANGE = "30d"


@dataclass(frozen=True)
class Overview:
    """Figures of the conversations created from ``start`` up to, not including, ``end``, as they stand today.

    ====================  ==========================================================  ================================
    figure                what is counted                                             the list of exactly its rows
    ====================  ==========================================================  ================================
    conversations         all of them                                                 createdAfter, createdBefore
    active                those of status active                                      … and status=active
    qualified             those with a qualification result that says yes, whatever   … and qualified=true
                          their status
    disqualified          those with one that says no                                 … and qualified=false
    qualification_rate    per cent of the completed ones that are qualified; one      … and status=completed, with and
                          decimal, 0 when none is completed                           without qualified=true
    messages_each         messages of all of them by their number; one decimal, 0     –
                          when there are none
    by_channel            those of each channel, every channel present                … and channel
    leads                 the distinct leads they were held with                      –
    new_leads             of these leads, those without an earlier conversation       –
    ====================  ==========================================================  ================================

    A lead is the caller's id of one, within the account and environment.
    """

    start: datetime
    end: datetime
    conversations: int
    active: int
    qualified: int
    disqualified: int
    qualification_rate: float
    messages_each: float
    by_channel: dict[str, int]
    leads: int
    new_leads: int


NAMES = (*Status.values, "said_yes", "said_no", "completed_yes")
"""Counters that the store keeps (``DayCell``), for each channel."""


def overview(
    conversations: ConversationQuerySet, owner: tuple[str, str], *, start: datetime, end: datetime
) -> Overview:
    """The figures of ``conversations``, all of ``owner``: an account and an environment. A few statements."""
    with snapshot_of_all():
        counts = _counts(conversations, owner, start, end)
        leads, new_leads = _leads(conversations, owner, start, end)
    number = sum(counts[status] for status in Status.values)
    return Overview(
        start,
        end,
        conversations=number,
        active=counts[Status.ACTIVE],
        qualified=counts["said_yes"],
        disqualified=counts["said_no"],
        qualification_rate=_ratio(100 * counts["completed_yes"], counts[Status.COMPLETED]),
        messages_each=_ratio(counts["messages"], number),
        by_channel={channel: counts[f"channel:{channel}"] for channel in Channel.values},
        leads=leads,
        new_leads=new_leads,
    )


def _counts(
    conversations: ConversationQuerySet, owner: tuple[str, str], start: datetime, end: datetime
) -> "Counter[str]":
    """Of ``NAMES``, of channels and of messages: what the store keeps, and the rest along an index."""
    counts: Counter[str] = Counter()
    edges, mine = Edges([start, end]), {"account_id": owner[0], "environment": owner[1]}
    for channel in Channel.values:
        before, after = edges.kept_before(Kept.of(mine, {"channel": channel}), NAMES)
        found = dict(zip(NAMES, (high - low for low, high in zip(before, after, strict=True)), strict=True))
        counts.update(found)
        counts[f"channel:{channel}"] += sum(found[status] for status in Status.values)
    first, last = edges.bins
    kept = MessageCell.objects.filter(**mine, narrowed="", bin__gte=first, bin__lt=last)
    counts["messages"] += kept.aggregate(sum=Sum("messages"))["sum"] or 0
    for position, low, high, sign in edges.rests:
        _count(conversations.started_within(low, high), counts, sign if position else -sign)
    return counts


def _count(conversations: ConversationQuerySet, counts: "Counter[str]", sign: int) -> None:
    """Add them to ``counts``, or take them away. 36 rows at most, however many conversations there are."""
    rows = conversations.order_by().values_list("status", "channel", "qualified")
    for status, channel, qualified, number, messages in rows.annotate(number=Count("*"), sum=Sum("message_count")):
        counts[status] += sign * number
        counts[f"channel:{channel}"] += sign * number
        counts["messages"] += sign * messages
        if qualified is not None:
            counts["said_yes" if qualified else "said_no"] += sign * number
        if qualified and status == Status.COMPLETED:
            counts["completed_yes"] += sign * number


def _leads(
    conversations: ConversationQuerySet, owner: tuple[str, str], start: datetime, end: datetime
) -> tuple[int, int]:
    """How many leads had a conversation from ``start`` to ``end``, and how many of them had their first one."""
    edges, mine = Edges([start, end]), {"account_id": owner[0], "environment": owner[1]}
    last = _kept_leads(LeadLastCell.objects.filter(**mine), "last_at", edges, mine)
    # Who has one ahead of ``end``, which few have, may have had one before it.
    ahead = Lead.objects.filter(**mine, last_at__gte=end).order_by().values_list("lead_id", flat=True)
    within = conversations.started_within(start, end).order_by().values("lead_id").distinct()
    last += sum(within.filter(lead_id__in=some).count() for some in chunks_of(ahead))
    return last, _kept_leads(LeadFirstCell.objects.filter(**mine), "first_at", edges, mine)


def _kept_leads(cells: "QuerySet[Any]", moment: str, edges: Edges, mine: Mapping[str, str]) -> int:
    """How many leads have their ``moment`` between both edges."""
    first, last = edges.bins
    number = cells.filter(narrowed="", bin__gte=first, bin__lt=last).aggregate(sum=Sum("leads"))["sum"] or 0
    for position, low, high, sign in edges.rests:
        rest = Lead.objects.filter(**mine, **{f"{moment}__gte": low, f"{moment}__lt": high}).count()
        number += rest * (sign if position else -sign)
    return int(number)


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 1) if whole else 0
