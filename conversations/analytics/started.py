"""Conversations counted by when they started, from what the store keeps of days and half hours.

What began between two moments is what began before the one, less what began before the other. Only what lies between
such a moment and the nearest that the store keeps something of is counted from the conversations, along an index; so
is everything where two filters meet, and on MongoDB, which keeps nothing. The figures are the same.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from django.db import connection
from django.db.models import Case, CharField, Count, Func, IntegerField, Sum, Value, When

from config.storage.moments import now
from conversations.analytics.counts import LAST, OUTCOMES, Counts, Groups, Tally
from conversations.analytics.edges import Edges
from conversations.models import CLOSED_STATUSES, ConversationQuerySet, DayCell, Status
from conversations.models.cells import DAY, FILTERS, LAST_STAGE

INDEXED = ("agent", "campaign")
"""Filters that have an index of their own to count along."""


class Started:
    """Of ``conversations``, those of an environment, what filters leave: to be counted by when they started."""

    def __init__(self, conversations: ConversationQuerySet, owner: tuple[str, str], filters: Mapping[str, str]) -> None:
        """``owner``: the ids of account and environment. ``filters``: by the names of ``FILTERS``."""
        self.filters = {name: value for name, value in filters.items() if value}
        self.owner = {"account_id": owner[0], "environment": owner[1]}
        leading = next((name for name in (*INDEXED, "channel") if name in self.filters), "")
        every = conversations.unmasked()  # no contact is read
        self.leading = leading
        self.listed = self._narrowed(every, leading)
        if leading in INDEXED:
            self.conversations = self.listed.order_by()
        else:
            # Every status, so that the index of figures, which begins with it, is the one to read.
            self.conversations = self._narrowed(every, "").order_by().filter(status__in=Status.values)

    def _narrowed(self, conversations: ConversationQuerySet, leading: str) -> ConversationQuerySet:
        """By all filters, along the index of ``leading``, if any."""
        for name, value in self.filters.items():
            if connection.vendor == "sqlite" and name != leading:
                # Without statistics it would rather look any of them up in an index than a moment.
                conversations = conversations.alias(**{f"asked_{name}": plain(FILTERS[name])})
                conversations = conversations.filter(**{f"asked_{name}": value})
            else:
                conversations = conversations.filter(**{FILTERS[name]: value})
        return conversations

    def newest(self, start: datetime, end: datetime, *, status: str = "") -> ConversationQuerySet:
        """What began in that time, the latest first, to be read up to a limit: of one status, or of any."""
        found = self.listed.started_within(start, end).newest_started()
        if status and self.leading and connection.vendor == "sqlite":
            return found.alias(asked_status=plain("status")).filter(asked_status=status)
        return found.filter(status=status) if status else found

    @property
    def is_kept(self) -> bool:
        return connection.vendor != "mongodb" and len(self.filters) < 2

    @property
    def cells(self) -> dict[str, str]:
        """Where the store keeps them."""
        return {**self.owner, "narrowed": next((f"{name}:{value}" for name, value in self.filters.items()), "")}

    def groups(self, start: datetime, end: datetime) -> Groups:
        """One statement, and one or two at either end."""
        cells: dict[str, Counts] = {}
        first, last = _nearest(start), _nearest(end, is_end=True)
        if not self.is_kept or first >= last:
            self._count(start, end, cells)
            return Groups.of(cells)
        names = (*OUTCOMES, *LAST)
        days = DayCell.objects.filter(**self.cells, bin__gte=first, bin__lt=last).order_by().values_list("divided")
        for divided, *numbers in days.annotate(**{f"sum_{name}": Sum(name) for name in names}):
            cells[divided] = Counter(dict(zip(names, map(int, numbers), strict=True)))  # PostgreSQL's are decimal
        self._count(start, _moment(first * DAY), cells)
        self._count(_moment(last * DAY), end, cells)
        return Groups.of(cells)

    def spans(self, edges: Sequence[datetime]) -> list[Tally]:
        """A tally for each span between ``edges``."""
        kept = Edges(edges)
        if not self.is_kept or not kept.are_near:
            return self._counted_spans(edges)
        counts = kept.kept_before(self.cells)
        for position, low, high, sign in kept.rests:
            for status, qualified, number in self._outcomes_within(low, high):
                counts[position][OUTCOMES.index(status)] += sign * number
                counts[position][-1] += sign * qualified_of(status, qualified, number)
        return [Tally.between(*pair) for pair in pairwise(counts)]

    def _outcomes_within(self, low: datetime, high: datetime) -> Any:
        rows = self.conversations.started_within(low, high).values_list("status", "qualified")
        return rows.annotate(number=Count("*"))

    def _counted_spans(self, edges: Sequence[datetime]) -> list[Tally]:
        """The same from the conversations themselves."""
        counts = [Counter[str]() for _ in edges[1:]]
        found = self.conversations.started_within(edges[0], edges[-1])
        rows = found.annotate(span=_span(edges, 0, len(edges) - 1)).values_list("span", "status", "qualified")
        for span, status, qualified, number in rows.annotate(number=Count("*")):
            counts[span][status] += number
            counts[span]["qualified"] += qualified_of(status, qualified, number)
        return [Tally.of(each) for each in counts]

    def _count(self, low: datetime, high: datetime, cells: dict[str, Counts]) -> None:
        """Add to ``cells`` what began from ``low`` to ``high``; take it away where they are the other way round."""
        if low == high:
            return
        sign = 1 if low < high else -1
        found = self.conversations.started_within(min(low, high), max(low, high))
        rows = found.values_list("status", "channel", "agent_config_id", "qualified", "current_stage_index")
        has_dropped = False
        for status, channel, agent, qualified, stage, number in rows.annotate(number=Count("*")):
            more, closed = sign * number, sign * qualified_of(status, qualified, number)
            has_dropped |= status == Status.DROPPED
            for divided in ("", f"channel:{channel}", f"agent:{agent}", f"stage:{min(stage, LAST_STAGE)}"):
                counts = cells.get(divided)
                if counts is None:
                    counts = cells[divided] = Counter()
                counts[status] += more
                counts["qualified"] += closed
        if not has_dropped:
            return
        dropped = found.filter(status=Status.DROPPED).values_list("current_stage_index", "last_role")
        for stage, role, number in dropped.annotate(number=Count("*")):
            if role:
                cells[f"stage:{min(stage, LAST_STAGE)}"][f"dropped_after_{role}"] += sign * number


def plain(column: str) -> Func:
    """The column, as an expression that no index of SQLite has."""
    return Func(column, template="+%(expressions)s", output_field=CharField())


def qualified_of(status: str, qualified: bool | None, number: int) -> int:
    return number if qualified and status in CLOSED_STATUSES else 0


def _nearest(moment: datetime, *, is_end: bool = False) -> int:
    """The midnight of UTC, in days since 1970. A day that is not over yet counts whole: hardly anything began ahead."""
    day, seconds = divmod(moment.timestamp(), DAY)
    ahead = is_end and seconds > 0 and now().timestamp() < (day + 1) * DAY
    return int(day) + (ahead or seconds > DAY / 2)


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
