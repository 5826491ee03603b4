"""Which cells the store keeps of the conversations that some filters leave."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import Model, QuerySet, Sum

from config.storage.cells import sums_of_spans
from config.storage.prepared import Prepared
from conversations.models import Channel, DayCell, HalfHourCell, PairDayCell, PairHalfHourCell
from conversations.models.cells import DAY, FILTERS, HALF_HOUR, narrowed_by

CHANNELS = [f"channel:{channel}" for channel in Channel.values]

SLOTS = DAY // HALF_HOUR
"""Half hours of a day."""

Names = tuple[str, ...]
"""Of counters, each of which is added up."""


@dataclass(frozen=True)
class Kept:
    """Two filters have cells of their own. So have all three: those of agent and campaign, of one ``channel``."""

    place: Mapping[str, str]
    is_pair: bool
    channel: str = ""

    @classmethod
    def of(cls, owner: Mapping[str, str], filters: Mapping[str, str]) -> "Kept":
        """``owner``: the ids of account and environment. ``filters``: by the names of ``FILTERS``."""
        asked = {name: filters[name] for name in FILTERS if name in filters}
        is_pair = len(asked) > 1
        channel = asked.pop("channel") if len(asked) == len(FILTERS) else ""
        return cls({**owner, "narrowed": narrowed_by(asked)}, is_pair, channel)

    @property
    def divided_days(self) -> "QuerySet[Any]":
        """Each of their rows counts for all that ``parts_of`` names."""
        if not self.is_pair:
            return DayCell.objects.filter(**self.place).order_by()
        days = PairDayCell.objects.filter(**self.place).order_by()
        return days.filter(divided__startswith=f"{self.channel} ") if self.channel else days

    def parts_of(self, divided: str) -> Iterable[str]:
        """As ``divided`` of a day has it that is narrowed by one filter; empty for the whole."""
        if not self.is_pair:
            return ["", divided] if divided in CHANNELS else [divided]
        channel, agent, stage = divided.split(" ")
        return ["", f"channel:{channel}", f"agent:{agent}", f"stage:{stage}"]

    @property
    def days(self) -> "QuerySet[Any]":
        """The same, each conversation once."""
        return self.divided_days if self.is_pair else self.divided_days.filter(divided__in=CHANNELS)

    def half_hours(self, spans: Sequence[tuple[int, int]], names: Names) -> list[list[int]]:
        """Of spans of half hours, each its first and last: the sums."""
        cells: type[Model] = PairHalfHourCell if self.is_pair else HalfHourCell
        divided = {"divided": self.channel} if self.channel else {}
        return sums_of_spans(cells._meta.db_table, {**self.place, **divided}, spans, names)

    def read(self, what: Callable[..., "QuerySet[Any, Any]"], names: Names, first: int, last: int) -> list[Any]:
        """The rows of one of the functions below."""
        if self.channel:  # it stands in a pattern, so the statement is another one for each
            return list(what(self, names, first, last))
        return _prepared(what, self.is_pair, names)(*self.place.values(), first, last)


@cache
def _prepared(what: Callable[..., "QuerySet[Any, Any]"], is_pair: bool, names: Names) -> Prepared:
    def build(account: str, environment: str, narrowed: str, first: int, last: int) -> "QuerySet[Any, Any]":
        place = {"account_id": account, "environment": environment, "narrowed": narrowed}
        return what(Kept(place, is_pair), names, first, last)

    return Prepared(build, values=3, numbers=2)


def divided_days(kept: Kept, names: Names, first: int, last: int) -> "QuerySet[Any, Any]":
    """Of the days from ``first`` up to ``last``: how they are divided, and the sums."""
    return _sums(kept.divided_days.filter(bin__gte=first, bin__lt=last), "divided", names)


def days(kept: Kept, names: Names, first: int, last: int) -> "QuerySet[Any, Any]":
    """The day, and the sums."""
    return _sums(kept.days.filter(bin__gte=first, bin__lt=last), "bin", names)


def _sums(cells: "QuerySet[Any]", by: str, names: Sequence[str]) -> "QuerySet[Any, Any]":
    return cells.values_list(by).annotate(**{f"sum_{name}": Sum(name) for name in names})
