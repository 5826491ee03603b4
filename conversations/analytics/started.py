"""Conversations counted by when they started, from what the store keeps of days and half hours.

What began between two moments is what began before the one, less what began before the other. Only what lies between
such a moment and the nearest that the store keeps something of is counted from the conversations, along an index.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from django.db.models import Case, Count, IntegerField, Value, When

from config.storage.moments import now
from conversations.analytics import rows
from conversations.analytics.counts import LAST, OUTCOMES, Counts, Groups, Tally
from conversations.analytics.edges import Edges
from conversations.analytics.kept import Kept, divided_days
from conversations.analytics.rows import Rows
from conversations.models import CLOSED_STATUSES, Status
from conversations.models.cells import DAY, LAST_STAGE


class Started:
    """Of an environment's conversations what filters leave: to be counted by when they started. No contact is read."""

    def __init__(self, owner: tuple[str, str], filters: Mapping[str, str]) -> None:
        """``owner``: the ids of account and environment. ``filters``: by the names of ``FILTERS``."""
        asked = {name: value for name, value in filters.items() if value}
        self.kept = Kept.of({"account_id": owner[0], "environment": owner[1]}, asked)
        self.rows = Rows(owner, asked)

    def groups(self, start: datetime, end: datetime) -> Groups:
        """One statement, and one or two at either end."""
        cells: dict[str, Counts] = defaultdict(Counter)
        first, last = _nearest(start), _nearest(end)
        if first >= last:
            self._count(start, end, cells)
            return Groups.of(cells)
        names = (*OUTCOMES, *LAST)
        for divided, *numbers in self.kept.read(divided_days, names, first, last):
            counts = dict(zip(names, map(int, numbers), strict=True))  # PostgreSQL's are decimal
            for part in self.kept.parts_of(divided):
                cells[part].update(counts)
        self._count(start, _moment(first * DAY), cells)
        self._count(_moment(last * DAY), end, cells)
        return Groups.of(cells)

    def spans(self, edges: Sequence[datetime]) -> list[Tally]:
        """A tally for each span between ``edges``."""
        places = Edges(edges)
        if not places.are_near:
            return self._counted_spans(edges)
        counts = places.kept_before(self.kept)
        for position, low, high, sign in places.rests:
            for status, qualified, number in self.rows.read(rows.outcomes, low, high):
                counts[position][OUTCOMES.index(status)] += sign * number
                counts[position][-1] += sign * qualified_of(status, qualified, number)
        return [Tally.between(*pair) for pair in pairwise(counts)]

    def _counted_spans(self, edges: Sequence[datetime]) -> list[Tally]:
        """The same from the conversations themselves."""
        counts = [Counter[str]() for _ in edges[1:]]
        found: Any = self.rows.counted.started_within(edges[0], edges[-1])
        apart = found.annotate(span=_span(edges, 0, len(edges) - 1)).values_list("span", "status", "qualified")
        for span, status, qualified, number in apart.annotate(number=Count("*")):
            counts[span][status] += number
            counts[span]["qualified"] += qualified_of(status, qualified, number)
        return [Tally.of(each) for each in counts]

    def _count(self, low: datetime, high: datetime, cells: dict[str, Counts]) -> None:
        """Add to ``cells`` what began from ``low`` to ``high``; take it away where they are the other way round."""
        if low == high:
            return
        sign = 1 if low < high else -1
        span = min(low, high), max(low, high)
        has_dropped = False
        for status, channel, agent, qualified, stage, number in self.rows.read(rows.all_apart, *span):
            more, closed = sign * number, sign * qualified_of(status, qualified, number)
            has_dropped |= status == Status.DROPPED
            for divided in ("", f"channel:{channel}", f"agent:{agent}", f"stage:{min(stage, LAST_STAGE)}"):
                cells[divided][status] += more
                cells[divided]["qualified"] += closed
        if not has_dropped:
            return
        for stage, role, number in self.rows.read(rows.stops, *span):
            if role:
                cells[f"stage:{min(stage, LAST_STAGE)}"][f"dropped_after_{role}"] += sign * number


def qualified_of(status: str, qualified: bool | None, number: int) -> int:
    return number if qualified and status in CLOSED_STATUSES else 0


def _nearest(moment: datetime) -> int:
    """The midnight of UTC, in days since 1970, that less time lies between, as of now: hardly anything began ahead."""
    day, seconds = divmod(moment.timestamp(), DAY)
    past = now().timestamp() - day * DAY
    before, after = min(seconds, past), min(DAY, past) - seconds
    return int(day) + (max(after, 0) < max(before, 0))


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
