"""What the store keeps of what came before some moments: whole days, and then half hours of a day.

The days are those of UTC. Of a moment's own day only the half hours before it are read, or those after it, whichever
are fewer: so midnights of one zone cost a few rows a day.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import accumulate
from operator import add
from typing import Any, NamedTuple

from conversations.analytics.counts import OUTCOMES
from conversations.analytics.kept import SLOTS, Kept, Names, days
from conversations.models.cells import DAY, HALF_HOUR

MOST_RESTS = 4
"""Moments within a half hour that are worth a statement each."""


class Place(NamedTuple):
    """The half hour that is nearest to a moment: which one of its day, counted from 0 to ``SLOTS``."""

    day: int
    slot: int

    @property
    def is_early(self) -> bool:
        return self.slot <= SLOTS // 2

    @property
    def midnight(self) -> int:
        """The one before it, or the one after, in days."""
        return self.day if self.is_early else self.day + 1

    @property
    def bins(self) -> range:
        """Half hours between there and the place."""
        first = self.day * SLOTS
        return range(first, first + self.slot) if self.is_early else range(first + self.slot, first + SLOTS)


class Edges:
    def __init__(self, moments: Sequence[datetime]) -> None:
        self.moments = moments
        self.places = [_place(moment) for moment in moments]

    @cached_property
    def rests(self) -> list[tuple[int, datetime, datetime, int]]:
        """Position, start, end and sign of what the store keeps nothing of: moments within a half hour."""
        found = []
        for position, (moment, place) in enumerate(zip(self.moments, self.places, strict=True)):
            kept = datetime.fromtimestamp(place.day * DAY + place.slot * HALF_HOUR, UTC)
            if moment != kept:
                found.append((position, min(moment, kept), max(moment, kept), 1 if kept < moment else -1))
        return found

    @property
    def bins(self) -> tuple[int, int]:
        """The half hours from the place of the first moment up to that of the last."""
        first, *_, last = (place.day * SLOTS + place.slot for place in self.places)
        return first, last

    @property
    def are_near(self) -> bool:
        return len(self.rests) <= MOST_RESTS

    def kept_before(self, kept: Kept, names: Names = OUTCOMES) -> list[list[int]]:
        """For each moment the counters ``names`` of what came before its place, since some day before all of them."""
        first, last = (end(place.midnight for place in self.places) for end in (min, max))
        found = _by_bin(kept.read(days, names, first, last), names)
        before = list(accumulate((found[day] for day in range(first, last)), _sum, initial=[0] * len(names)))
        parts = self._parts(kept, names)
        nothing = [0] * len(names)
        return [
            _with(before[place.midnight - first], parts.get(place, nothing), 1 if place.is_early else -1)
            for place in self.places
        ]

    def _parts(self, kept: Kept, names: Names) -> dict[Place, list[int]]:
        """Place → what its half hours add up to."""
        places = [place for place in dict.fromkeys(self.places) if place.bins]
        if not places:
            return {}
        spans = [(place.bins[0], place.bins[-1]) for place in places]
        return dict(zip(places, kept.half_hours(spans, names), strict=True))


def _place(moment: datetime) -> Place:
    day, seconds = divmod(moment.timestamp(), DAY)
    return Place(int(day), round(seconds / HALF_HOUR))


def _by_bin(rows: Iterable[Sequence[Any]], names: Names) -> dict[int, list[int]]:
    """Bin, or day → counters."""
    found: dict[int, list[int]] = defaultdict(lambda: [0] * len(names))
    for place, *numbers in rows:
        found[place] = list(map(int, numbers))  # PostgreSQL's are decimal
    return found


def _sum(left: Sequence[int], right: Sequence[int]) -> list[int]:
    return list(map(add, left, right))


def _with(before: Sequence[int], part: Sequence[int], sign: int) -> list[int]:
    return [number + sign * more for number, more in zip(before, part, strict=True)]
