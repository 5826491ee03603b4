"""Conversations counted by what figures tell apart, from what the store keeps of days and hours.

Only what lies at the ends of a period, in a part of a day or of an hour, is counted from the conversations, along an
index; so is everything where two filters meet, and on MongoDB, which keeps nothing. The figures are the same.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import add
from typing import Any

from django.db import connection
from django.db.models import Case, CharField, Count, Func, IntegerField, Sum, Value, When

from conversations.filters import NO_ROLE
from conversations.messages import Role
from conversations.models import CLOSED_STATUSES, ConversationQuerySet, DayCell, HourCell, Status
from conversations.models.cells import DAY, FILTERS, HOUR, LAST_STAGE

OUTCOMES = (*Status.values, "qualified")
LAST = {f"dropped_after_{role}": str(role) for role in Role}

Counts = Counter[str]
"""Of ``OUTCOMES``, and of who wrote last where a conversation was dropped (``LAST``)."""


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
    def of(cls, counts: Mapping[str, int]) -> "Tally":
        by_status = {status: counts.get(status, 0) for status in Status.values}
        return cls(sum(by_status.values()), **by_status, qualified=counts.get("qualified", 0))

    @property
    def finished(self) -> int:
        return self.completed + self.handed_off + self.dropped


@dataclass(frozen=True)
class Groups:
    """The conversations of a period, by their channel, their agent, and their stage."""

    tally: Tally
    channels: dict[str, Tally]
    agents: dict[str, Tally]
    stages: dict[int, int]
    """Index → number. The last that can be asked for holds those beyond it too."""
    stops: dict[tuple[int, str], int]
    """Stage and who wrote last → how many were dropped there."""

    @classmethod
    def of(cls, cells: Mapping[str, Counts]) -> "Groups":
        parted: dict[str, dict[str, Counts]] = {"": {}, "channel": {}, "agent": {}, "stage": {}}
        for divided, counts in cells.items():
            kind, _, value = divided.partition(":")
            if any(counts[status] for status in Status.values):
                parted[kind][value] = counts
        stages = {int(stage): counts for stage, counts in parted["stage"].items()}
        return cls(
            Tally.of(parted[""].get("", {})),
            {channel: Tally.of(counts) for channel, counts in parted["channel"].items()},
            {agent: Tally.of(counts) for agent, counts in parted["agent"].items()},
            {stage: Tally.of(counts).total for stage, counts in stages.items()},
            {
                (stage, role): number
                for stage, counts in stages.items()
                for role, number in _last_roles(counts)
                if number
            },
        )


class Started:
    """Of ``conversations``, those of an environment, what filters leave: to be counted by when they started."""

    def __init__(self, conversations: ConversationQuerySet, owner: tuple[str, str], filters: Mapping[str, str]) -> None:
        """``owner``: the ids of account and environment. ``filters``: by the names of ``FILTERS``."""
        self.filters = {name: value for name, value in filters.items() if value}
        if connection.vendor == "sqlite":
            # Without statistics it would rather look a channel up in an index than a moment.
            conversations = conversations.alias(**{f"asked_{name}": _plain(FILTERS[name]) for name in self.filters})
            asked = {f"asked_{name}": value for name, value in self.filters.items()}
        else:
            asked = {FILTERS[name]: value for name, value in self.filters.items()}
        self.listed = conversations.filter(**asked)
        # Every status, so that the index of figures, which begins with it, is the one to read.
        self.conversations = self.listed.order_by().filter(status__in=Status.values)
        self.owner = {"account_id": owner[0], "environment": owner[1]}

    def groups(self, start: datetime, end: datetime) -> Groups:
        """Two statements."""
        first, last = self._whole(start, end, DAY)
        cells: dict[str, Counts] = {}
        if first < last:
            names = (*OUTCOMES, *LAST)
            for divided, *numbers in self._cells(DayCell, first, last).values_list("divided").annotate(**_sums(names)):
                cells[divided] = Counter(dict(zip(names, map(int, numbers), strict=True)))
        for found in self._outside(start, end, first, last):
            self._counted(found, cells)
        return Groups.of(cells)

    def tally(self, start: datetime, end: datetime) -> Tally:
        return self.spans([start, end])[0]

    def spans(self, edges: Sequence[datetime]) -> list[Tally]:
        """A tally for each span between ``edges``. Two statements, or three."""
        first, last = self._whole(edges[0], edges[-1], HOUR)
        if first >= last or any(edge.timestamp() % HOUR for edge in edges[1:-1]):  # days that begin within an hour
            return self._counted_spans(edges)
        counts = self._hours(edges, first, last)
        for counted, low, high in (
            (counts[0], edges[0], _moment(first * HOUR)),
            (counts[-1], _moment(last * HOUR), edges[-1]),
        ):
            if low < high:
                rows = self.conversations.started_within(low, high).values_list("status", "qualified")
                for status, qualified, number in rows.annotate(number=Count("*")):
                    counted.update(_outcomes(status, qualified, number))
        return [Tally.of(each) for each in counts]

    def _hours(self, edges: Sequence[datetime], first: int, last: int) -> list[Counts]:
        """What the store has kept of each span."""
        cells = self._cells(HourCell, first, last)
        if len(edges) == 2:
            found = cells.aggregate(**_sums(OUTCOMES))
            return [Counter({name: int(found[f"sum_{name}"] or 0) for name in OUTCOMES})]
        starts = [edge.timestamp() / HOUR for edge in edges[:-1]]
        sums = [[0] * len(OUTCOMES) for _ in starts]
        for bin_, *numbers in cells.values_list("bin", *OUTCOMES).iterator():
            span = bisect_right(starts, bin_) - 1
            sums[span] = list(map(add, sums[span], numbers))
        return [Counter(dict(zip(OUTCOMES, numbers, strict=True))) for numbers in sums]

    def _counted_spans(self, edges: Sequence[datetime]) -> list[Tally]:
        """The same from the conversations themselves."""
        counts = [Counter[str]() for _ in edges[1:]]
        found = self.conversations.started_within(edges[0], edges[-1])
        rows = found.annotate(span=_span(edges, 0, len(edges) - 1)).values_list("span", "status", "qualified")
        for span, status, qualified, number in rows.annotate(number=Count("*")):
            counts[span].update(_outcomes(status, qualified, number))
        return [Tally.of(each) for each in counts]

    def _whole(self, start: datetime, end: datetime, seconds: int) -> tuple[int, int]:
        """From which bin, up to which, the store has kept all; the same twice where it has nothing of use."""
        first, last = -(-start.timestamp() // seconds), end.timestamp() // seconds
        if connection.vendor == "mongodb" or len(self.filters) > 1 or first > last:
            return 0, 0
        return int(first), int(last)

    def _cells(self, model: Any, first: int, last: int) -> Any:
        narrowed = next((f"{name}:{value}" for name, value in self.filters.items()), "")
        return model.objects.filter(**self.owner, narrowed=narrowed, bin__gte=first, bin__lt=last).order_by()

    def _outside(self, start: datetime, end: datetime, first: int, last: int) -> list[ConversationQuerySet]:
        """What started between ``start`` and ``end``, but not in the kept days from ``first`` to ``last``."""
        if first >= last:
            return [self.conversations.started_within(start, end)]
        parts = [(start, _moment(first * DAY)), (_moment(last * DAY), end)]
        return [self.conversations.started_within(low, high) for low, high in parts if low < high]

    def _counted(self, found: ConversationQuerySet, cells: dict[str, Counts]) -> None:
        """Add to ``cells`` what no day holds."""
        rows = found.values_list("status", "channel", "agent_config_id", "qualified", "current_stage_index")
        for status, channel, agent, qualified, stage, number in rows.annotate(number=Count("*")):
            counts = _outcomes(status, qualified, number)
            for divided in ("", f"channel:{channel}", f"agent:{agent}", f"stage:{min(stage, LAST_STAGE)}"):
                cells.setdefault(divided, Counter()).update(counts)
        dropped = found.filter(status=Status.DROPPED).values_list("current_stage_index", "last_role")
        for stage, role, number in dropped.annotate(number=Count("*")):
            if role:
                cells.setdefault(f"stage:{min(stage, LAST_STAGE)}", Counter())[f"dropped_after_{role}"] += number


def _plain(column: str) -> Func:
    """The column, as an expression that no index has."""
    return Func(column, template="+%(expressions)s", output_field=CharField())


def _sums(names: Sequence[str]) -> dict[str, Any]:
    """On PostgreSQL a sum of these is a decimal number."""
    return {f"sum_{name}": Sum(name) for name in names}


def _outcomes(status: str, qualified: bool | None, number: int) -> dict[str, int]:
    return {status: number, "qualified": number if qualified and status in CLOSED_STATUSES else 0}


def _last_roles(counts: Counts) -> Iterable[tuple[str, int]]:
    """Who wrote last in what was dropped, and how often; nobody in the rest of it."""
    yield from ((role, counts[name]) for name, role in LAST.items())
    yield NO_ROLE, counts[Status.DROPPED] - sum(counts[name] for name in LAST)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _span(edges: Sequence[datetime], low: int, high: int) -> Any:
    """Which span a row lies in, by halving: days are their reader's, which no store's functions know."""
    if high - low == 1:
        return Value(low, IntegerField())
    middle = (low + high) // 2
    return Case(
        When(created_at__lt=edges[middle], then=_span(edges, low, middle)),
        default=_span(edges, middle, high),
        output_field=IntegerField(),
    )
