"""Numbers and dates as the reader's language writes them. Below: where Django's own formats are not what people use.

A list has hundreds of them, so what a language asks for is looked up once, and not once a number.
"""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from django.utils import dates
from django.utils.formats import get_format
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

FILE_LANGUAGE = "en"
"""What programs read."""

LANGUAGES = 16
"""As many as any process remembers."""


class Words(NamedTuple):
    """What moments are told with in one language."""

    months: tuple[str, ...]
    """January at 1."""
    months_short: tuple[str, ...]
    weekdays: tuple[str, ...]
    """Monday at 0."""
    weekdays_short: tuple[str, ...]
    day: str
    day_and_year: str
    date: str
    moment: str
    clock_12: str
    am: str
    pm: str
    now: str
    minutes: str
    hours: str
    yesterday: str


def words() -> Words:
    return _words(get_language())


def grouped(number: int) -> str:
    """``1,234``; ``1.234`` in Spanish."""
    text = f"{number:,}"
    separator = _separators(get_language())[0] if len(text) > 3 else ","
    return text if separator == "," else text.replace(",", separator)


def grouping() -> Callable[[int], str]:
    """``grouped`` for hundreds of numbers, in the language of this moment."""
    separator = _separators(get_language())[0]
    return lambda number: f"{number:,}".replace(",", separator)


def decimal(value: float, places: int = 1) -> str:
    """``1,234.5``; ``1.234,5`` in Spanish."""
    whole, _dot, fraction = f"{value:,.{places}f}".partition(".")
    separator, point = _separators(get_language())
    return whole.replace(",", separator) + (point + fraction if fraction else "")


def long_date(day: date) -> str:
    """``Thursday 12 March 2026``."""
    known = words()
    return known.date.format(
        weekday=known.weekdays[day.weekday()], day=day.day, month=known.months[day.month], year=day.year
    )


def short_date(day: date, *, with_year: bool = True) -> str:
    """``12 Mar 2026``, or ``12 Mar``."""
    known = words()
    pattern = known.day_and_year if with_year else known.day
    return pattern.format(day=day.day, month=known.months_short[day.month], year=day.year)


@lru_cache(LANGUAGES)
def _separators(language: str | None) -> tuple[str, str]:
    return get_format("THOUSAND_SEPARATOR", language), get_format("DECIMAL_SEPARATOR", language)


@lru_cache(LANGUAGES)
def _words(language: str | None) -> Words:
    """Called in that language."""
    months = ("", *(str(dates.MONTHS[number]) for number in range(1, 13)))
    short = ("", *(str(dates.MONTHS_3[number]) for number in range(1, 13)))
    return Words(
        months=months,
        months_short=tuple(map(str.title, short)) if months[1].istitle() else short,
        weekdays=tuple(str(dates.WEEKDAYS[number]) for number in range(7)),
        weekdays_short=tuple(str(dates.WEEKDAYS_ABBR[number]) for number in range(7)),
        day=pgettext("short date", "{day} {month}"),
        day_and_year=pgettext("short date", "{day} {month} {year}"),
        date=pgettext("date in full", "{weekday} {day} {month} {year}"),
        moment=pgettext("moment in full", "{weekday} {day} {month} {year}, {time} {zone}"),
        clock_12=pgettext("12-hour clock", "{time} {half}"),
        am=pgettext("12-hour clock", "AM"),
        pm=pgettext("12-hour clock", "PM"),
        now=pgettext("a moment ago", "now"),
        minutes=_("%s min"),
        hours=_("%s h"),
        yesterday=_("yesterday"),
    )
