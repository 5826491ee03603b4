"""The period that figures are about: whole days of their reader, up to now where today is among them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cached_property

from django.utils import timezone
from django.utils.translation import gettext as _

from config.formats import short_date, words
from config.storage.moments import to_milliseconds
from conversations.analytics.overview import DEFAULT_RANGE, RANGES

MAX_DAYS = 366
MAX_BARS = 92
"""More days than these are counted by the week."""

EARLIEST = date(2000, 1, 1)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class BadPeriod(ValueError):
    """In words for the reader."""


@dataclass(frozen=True)
class Period:
    """From the first to the last of the reader's days, both included."""

    first: date
    last: date
    now: datetime
    zone: tzinfo

    @classmethod
    def read(cls, values: Mapping[str, str], now: datetime) -> "Period":
        """From ``from`` and ``to`` where one is given, else from ``range``. Raises BadPeriod."""
        zone = timezone.get_current_timezone()
        today = now.astimezone(zone).date()
        if not (values.get("from") or values.get("to")):
            chosen = values.get("range") or DEFAULT_RANGE
            if chosen not in RANGES:
                raise BadPeriod(_("The range must be one of %s.") % ", ".join(RANGES))
            return cls(today - RANGES[chosen] + timedelta(days=1), today, now, zone)
        last = min(_day(values["to"]), today) if values.get("to") else today
        first = _day(values["from"]) if values.get("from") else last - RANGES[DEFAULT_RANGE] + timedelta(days=1)
        if first > today:
            raise BadPeriod(_("It begins in the future."))
        if first > last:
            raise BadPeriod(_("It ends before it begins."))
        if (last - first).days >= MAX_DAYS:
            raise BadPeriod(_("At most %s days.") % MAX_DAYS)
        return cls(first, last, now, zone)

    @cached_property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime:
        return self._midnight(self.first)

    @property
    def end(self) -> datetime:
        """The first moment after it: the next midnight, or now."""
        return min(self._midnight(self.last + timedelta(days=1)), self.now)

    @cached_property
    def before(self) -> tuple[datetime, datetime]:
        """Start and end of as many days before. Where the period ends now, it ends at the same time of its last day."""
        length = timedelta(days=self.days)
        end = self._midnight(self.last + timedelta(days=1) - length)
        if self.end == self.now:
            clock = self.now.astimezone(self.zone) - length  # the clock's time, whatever the zone did in between
            end = min(end, to_milliseconds(clock.astimezone(UTC)))
        return self._midnight(self.first - length), end

    @cached_property
    def edges(self) -> list[datetime]:
        """Where its days begin, or its weeks where the days are many, and the end."""
        starts = range(0, self.days, self.step)
        return [*(self._midnight(self.first + timedelta(days=day)) for day in starts), self.end]

    @cached_property
    def step(self) -> int:
        """Days a bar."""
        return 1 if self.days <= MAX_BARS else 7

    @property
    def text(self) -> str:
        return _span(self.first, self.last)

    @property
    def before_text(self) -> str:
        length = timedelta(days=self.days)
        return _span(self.first - length, self.last - length)

    def name_of(self, position: int) -> str:
        """The day, or the week, at that place of ``edges``."""
        first = self.first + timedelta(days=position * self.step)
        last = min(first + timedelta(days=self.step - 1), self.last)
        return f"{words().weekdays_short[first.weekday()]} {_short(first)}" if self.step == 1 else _span(first, last)

    def mark_of(self, position: int) -> str:
        """The same under a chart: ``12 Mar``."""
        return _short(self.first + timedelta(days=position * self.step))

    def date_of(self, position: int) -> date:
        return self.first + timedelta(days=position * self.step)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, tzinfo=self.zone).astimezone(UTC)


def _day(text: str) -> date:
    try:
        if not DAY.fullmatch(text):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise BadPeriod(_("A date is written as 2026-03-12.")) from None
    if day < EARLIEST:
        raise BadPeriod(_("Dates begin with %s.") % EARLIEST)
    return day


def _short(day: date) -> str:
    return short_date(day, with_year=False)


def _span(first: date, last: date) -> str:
    """``24 Oct – 22 Nov 2026``."""
    end = short_date(last)
    if first == last:
        return end
    return f"{short_date(first, with_year=first.year != last.year)} – {end}"
