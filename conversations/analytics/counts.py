"""Conversations counted by what figures tell apart: a row a group, however many conversations there are."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, IntegerField, Value, When

from conversations.filters import NO_ROLE
from conversations.models import CLOSED_STATUSES, ConversationQuerySet, Status
from conversations.models.naming import MAX_STAGES


@dataclass(frozen=True)
class Group:
    """Conversations that are alike. The last stage that can be asked for holds those beyond it too."""

    status: str
    channel: str
    agent: str
    qualified: bool | None
    stage: int
    last_role: str
    number: int


@dataclass(frozen=True)
class Tally:
    """What came of some conversations. Finished: completed, handed off or dropped."""

    total: int = 0
    active: int = 0
    completed: int = 0
    handed_off: int = 0
    dropped: int = 0
    qualified: int = 0
    """Of the finished."""

    @classmethod
    def of(cls, rows: Iterable[tuple[str, bool | None, int]]) -> "Tally":
        """From status, qualification and number."""
        numbers: Counter[str] = Counter()
        qualified = 0
        for status, result, number in rows:
            numbers[status] += number
            qualified += number if result and status in CLOSED_STATUSES else 0
        return cls(
            sum(numbers.values()),
            numbers[Status.ACTIVE],
            numbers[Status.COMPLETED],
            numbers[Status.HANDED_OFF],
            numbers[Status.DROPPED],
            qualified,
        )

    @property
    def finished(self) -> int:
        return self.completed + self.handed_off + self.dropped


def groups_of(conversations: ConversationQuerySet) -> list[Group]:
    """One statement."""
    rows = conversations.order_by().values_list(
        "status", "channel", "agent_config_id", "qualified", "current_stage_index", "last_role"
    )
    return [
        Group(status, channel, agent, qualified, min(stage, MAX_STAGES - 1), last_role or NO_ROLE, number)
        for status, channel, agent, qualified, stage, last_role, number in rows.annotate(number=Count("pk"))
    ]


def tally(groups: Iterable[Group]) -> Tally:
    return Tally.of((group.status, group.qualified, group.number) for group in groups)


def tallies(groups: Iterable[Group], key: Callable[[Group], str]) -> dict[str, Tally]:
    """Those of each key."""
    parted: dict[str, list[Group]] = {}
    for group in groups:
        parted.setdefault(key(group), []).append(group)
    return {name: tally(part) for name, part in parted.items()}


def tally_of(conversations: ConversationQuerySet) -> Tally:
    """One statement."""
    return Tally.of(conversations.order_by().values_list("status", "qualified").annotate(number=Count("pk")))


def by_span(conversations: ConversationQuerySet, edges: Sequence[datetime]) -> list[Tally]:
    """A tally for each span between ``edges``, of conversations that all lie within. One statement."""
    rows = conversations.order_by().annotate(span=_span(edges, 0, len(edges) - 1)).values_list("span", "status")
    parted: list[list[tuple[str, None, int]]] = [[] for _ in edges[1:]]
    for span, status, number in rows.annotate(number=Count("pk")):
        parted[span].append((status, None, number))
    return [Tally.of(part) for part in parted]


def _span(edges: Sequence[datetime], low: int, high: int) -> Any:
    """Which span a conversation began in, by halving: days are their reader's, which no store's functions know."""
    if high - low == 1:
        return Value(low, IntegerField())
    middle = (low + high) // 2
    return Case(
        When(created_at__lt=edges[middle], then=_span(edges, low, middle)),
        default=_span(edges, middle, high),
        output_field=IntegerField(),
    )
