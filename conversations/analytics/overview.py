"""What the API answers with: the figures of an account's last days (contract, section 8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q, Sum

from conversations.models import Channel, ConversationQuerySet, Status

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


@dataclass(frozen=True)
class Group:
    """Conversations that are alike, and how many messages they have together."""

    status: str
    channel: str
    qualified: bool | None
    number: int
    messages: int


def overview(conversations: ConversationQuerySet, *, start: datetime, end: datetime) -> Overview:
    """The figures of ``conversations``, which begin at their tenant and environment. Two queries."""
    groups = _groups(conversations.started_within(start, end))
    leads, new_leads = _leads(conversations.filter(created_at__lt=end), start)
    number = _number(groups)
    completed = [group for group in groups if group.status == Status.COMPLETED]
    return Overview(
        start,
        end,
        conversations=number,
        active=_number(group for group in groups if group.status == Status.ACTIVE),
        qualified=_number(group for group in groups if group.qualified is True),
        disqualified=_number(group for group in groups if group.qualified is False),
        qualification_rate=_ratio(100 * _number(group for group in completed if group.qualified), _number(completed)),
        messages_each=_ratio(sum(group.messages for group in groups), number),
        by_channel={
            channel: _number(group for group in groups if group.channel == channel) for channel in Channel.values
        },
        leads=leads,
        new_leads=new_leads,
    )


def _groups(conversations: ConversationQuerySet) -> list[Group]:
    """One for each status, channel and result that occurs: 36 rows at most, however many conversations there are."""
    rows = conversations.order_by().values_list("status", "channel", "qualified")
    return [Group(*row) for row in rows.annotate(number=Count("pk"), messages=Sum("message_count"))]


def _leads(conversations: ConversationQuerySet, start: datetime) -> tuple[int, int]:
    """How many leads had a conversation since ``start``, and how many of them had their first one."""
    leads = conversations.order_by().values("lead_id").annotate(first=Min("created_at"), last=Max("created_at"))
    counted = leads.filter(last__gte=start).aggregate(
        every=Count("lead_id"), new=Count("lead_id", filter=Q(first__gte=start))
    )
    return counted["every"], counted["new"]


def _number(groups: Iterable[Group]) -> int:
    return sum(group.number for group in groups)


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 1) if whole else 0
