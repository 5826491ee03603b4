"""Messages, changes and notes in one thread: days, gaps, runs of one speaker."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.messages import Role, speaker_of
from conversations.transcript.lines import Line
from conversations.transcript.timeline import Change, duration

GAP = timedelta(hours=1)
SIDES = {Role.LEAD: "lead", Role.AGENT: "ours", Role.HUMAN: "ours"}


@dataclass
class Run:
    """Lines of one speaker, one after the other, under one header."""

    role: str
    agent: str = ""
    lines: list[Line] = field(default_factory=list)

    @property
    def speaker(self) -> str:
        return speaker_of(self.role)

    @property
    def side(self) -> str:
        return SIDES[Role(self.role)] if self.role in SIDES else "middle"


@dataclass(frozen=True)
class Noted:
    """A note of the team's, at its time."""

    note: Any
    moment: datetime


@dataclass
class Day:
    """What happened on one day of the reader's zone; None for what stands before the first moment known."""

    date: date | None
    gap: str = ""
    items: list[dict[str, Any]] = field(default_factory=list)


Beside = Change | Noted
"""What stands in the thread beside messages."""


def beside(
    changes: Iterable[Change], notes: Iterable[Any], *, after: datetime | None = None, until: datetime | None = None
) -> list[Beside]:
    """Changes and notes in their order; those later than ``after``, and not after ``until``."""
    every: list[Beside] = [*changes, *(Noted(note, note.created_at) for note in notes)]
    return [
        one
        for one in sorted(every, key=attrgetter("moment"))
        if (after is None or one.moment > after) and (until is None or one.moment <= until)
    ]


def days_of(lines: Sequence[Line], others: Sequence[Beside] = ()) -> list[Day]:
    """One thread. Messages keep their stored order; what else there is stands before what came after it."""
    days: list[Day] = []
    position = 0
    last: datetime | None = None
    for line in lines:
        while line.moment and position < len(others) and others[position].moment <= line.moment:
            last = _place(days, last, others[position])
            position += 1
        last = _place(days, last, line)
    for other in others[position:]:
        last = _place(days, last, other)
    return days


def _place(days: list[Day], last: datetime | None, item: Line | Beside) -> datetime | None:
    """Put one item at the end of the thread, under a new day or after a gap; returns the latest moment."""
    moment = item.moment
    gap = duration(moment - last) if moment and last and moment - last >= GAP else ""
    today = timezone.localtime(moment).date() if moment else None
    if not days or (today and today != days[-1].date):
        days.append(Day(today, gap=_("%s later") % gap if gap else ""))
    elif gap:
        days[-1].items.append({"gap": _("%s later") % gap})
    _append(days[-1].items, item)
    return moment or last


def _append(items: list[dict[str, Any]], item: Line | Beside) -> None:
    if isinstance(item, Change):
        items.append({"change": item})
    elif isinstance(item, Noted):
        items.append({"note": item.note})
    elif item.is_damaged:
        items.append({"damaged": item})
    else:
        run = items[-1].get("run") if items else None
        if run is None or (run.role, run.agent) != (item.role, item.agent):
            run = Run(item.role, item.agent)
            items.append({"run": run})
        run.lines.append(item)
