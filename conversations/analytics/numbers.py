"""Numbers as the page shows them: each a link to exactly its rows, where its reader may see them."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from html import escape
from math import sqrt
from typing import NamedTuple
from urllib.parse import quote_plus

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.formats import decimal, grouped, grouping

FEW = 20
"""Finished conversations below which a rate says too little."""

Z = 1.96
"""Standard deviations either way that hold 95 %."""


class Number(NamedTuple):  # a page has hundreds, and these are made in a third of the time
    value: int
    link: str = ""
    text: str = ""

    @property
    def href(self) -> str:
        """The link in an attribute: of all that is escaped there, only this is left where texts are quoted."""
        return self.link.replace("&", "&amp;")

    @property
    def html(self) -> SafeString:
        return self.shown(self.text or grouped(self.value))

    def shown(self, text: str) -> SafeString:
        """``text``, which leads to the rows that the number counts."""
        return mark_safe(self.written(text))  # noqa: S308 - escaped

    def written(self, text: str) -> str:
        """The same for who joins it to more. From here rather than from a template: a page has hundreds of them."""
        shown = escape(text)  # Python's: what format_html does, several times as fast
        if self.link:
            return f'<a href="{self.href}" data-number="{self.value}">{shown}</a>'
        return shown if self.value else f'<span class="quiet">{shown}</span>'


class Links:
    """Makes numbers. ``filters`` are what the whole page counts within."""

    def __init__(self, filters: Mapping[str, str], *, may_read: bool) -> None:
        self.filters = filters
        self.list = reverse("conversations:list") if may_read else ""
        self.address = self._address()
        self.written = grouping()

    def _address(self) -> str:
        return f"{self.list}?{'&'.join([_pair(*pair) for pair in self.filters.items()])}" if self.list else ""

    def within(self, **filters: str) -> "Links":
        """For what is narrower in each of its numbers."""
        narrower = copy(self)
        narrower.filters = {**self.filters, **filters}
        is_more = self.address and self.filters.keys().isdisjoint(filters)
        narrower.address = self._longer(filters) if is_more else narrower._address()
        return narrower

    def without(self, *names: str) -> "Links":
        """For what is not narrowed by these."""
        wider = copy(self)
        wider.filters = {name: value for name, value in self.filters.items() if name not in names}
        wider.address = wider._address()
        return wider

    def _longer(self, filters: Mapping[str, str]) -> str:
        pairs = "&".join([_pair(*pair) for pair in filters.items()])
        return f"{self.address}{'' if self.address.endswith('?') else '&'}{pairs}"

    def number(self, value: int, **filters: str) -> Number:
        """``filters`` narrow to what it counts. Nothing counted, nothing to open."""
        if not (value and self.address):
            return Number(value, "", self.written(value))
        if not self.filters.keys().isdisjoint(filters):
            return self.within(**filters).number(value)
        return Number(value, self._longer(filters) if filters else self.address, self.written(value))


@lru_cache(1024)  # a page has hundreds of links, of a few values
def _pair(name: str, value: str) -> str:
    return f"{name}={quote_plus(value)}"


@dataclass(frozen=True)
class Rate:
    """``part`` of ``whole``, which is one sample of what might have come: hence its interval, in per cent."""

    part: int
    whole: int

    @property
    def is_thin(self) -> bool:
        return self.whole < FEW

    @property
    def value(self) -> float:
        return 100 * self.part / self.whole if self.whole else 0

    @property
    def text(self) -> str:
        if not self.whole:
            return "–"
        if self.part and self.value <= 0.5:  # some is not none, and nearly all not all
            return "<1 %"
        return ">99 %" if self.part < self.whole and self.value >= 99.5 else f"{self.value:.0f} %"

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, at 95 %: it stays within 0 and 100, and is not a point where all or none qualify."""
        if not self.whole:
            return 0, 100
        share, spread = self.part / self.whole, Z * Z / self.whole
        middle = (share + spread / 2) / (1 + spread)
        half = Z / (1 + spread) * sqrt(share * (1 - share) / self.whole + spread / self.whole / 4)
        return 100 * max(middle - half, 0), 100 * min(middle + half, 1)

    @property
    def interval_text(self) -> str:
        low, high = self.interval
        return f"{low:.0f}–{high:.0f} %" if self.whole else "–"

    @property
    def interval_svg(self) -> SafeString:
        """On a line from 0 to 100 %. Positions are attributes: the page allows no styles."""
        low, high = self.interval
        return format_html(
            '<svg class="interval" aria-hidden="true"><rect class="interval__line" y="7" width="100%" height="2"/>'
            '<rect class="interval__range" x="{}%" y="5" width="{}%" height="6" rx="3"/>'
            '<circle class="interval__rate" cx="{}%" cy="8" r="4"/></svg>',
            f"{low:.1f}",
            f"{high - low:.1f}",
            f"{self.value:.1f}",
        )


@dataclass(frozen=True)
class Trend:
    """How a figure compares with the period before: in a sign and a number, and in words."""

    text: str
    words: str

    @classmethod
    def of_count(cls, value: int, before: int) -> "Trend | None":
        if not before:
            return cls(_("new"), _("none in the period before")) if value else None
        change = round(100 * (value - before) / before)
        return cls(_signed(change, f"{grouped(abs(change))} %"), _("%s in the period before") % grouped(before))

    @classmethod
    def of_rate(cls, rate: Rate, before: Rate) -> "Trend | None":
        """None where either says too little."""
        if rate.is_thin or before.is_thin:
            return None
        change = round(rate.value) - round(before.value)
        points = ngettext("%s point", "%s points", abs(change)) % abs(change)
        return cls(_signed(change, points), _("%s in the period before") % before.text)


def _signed(change: int, amount: str) -> str:
    return f"{'↑' if change > 0 else '↓'} {amount}" if change else _("no change")


def span_text(span: timedelta | None) -> str:
    """``41 s``, ``4 min``, ``19 h``, ``3 days``; one decimal where a whole number would say little."""
    if span is None:
        return "–"
    seconds = span.total_seconds()
    if seconds < 90:
        return _("%s s") % decimal(seconds, 0)
    if seconds < 5400:
        return _("%s min") % _amount(seconds / 60)
    if seconds < 172_800:
        return _("%s h") % _amount(seconds / 3600)
    return _("%s days") % _amount(seconds / 86_400)


def _amount(value: float) -> str:
    return decimal(value, 1 if value < 10 and round(value, 1) != round(value) else 0)
