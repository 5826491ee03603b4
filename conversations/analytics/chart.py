"""Conversations a day, stacked by outcome, as SVG that the server draws.

Everything is placed in per cent, so that the chart is as wide as its place and its letters stay as large as the page's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from math import ceil, floor, log10

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from config.formats import grouped
from conversations.analytics.numbers import Number
from conversations.models import Status, several

STACK = (Status.COMPLETED, Status.HANDED_OFF, Status.DROPPED, Status.ACTIVE)
"""From the bottom."""

MARKS = 6
"""Dates under the chart, at most: so many have room on a phone."""

GAP = 0.22
"""Of a bar's place."""


@dataclass(frozen=True)
class Span:
    """A day, or a week; ``date`` is its first."""

    date: str
    name: str
    mark: str
    total: Number
    by_status: dict[str, Number]

    @property
    def cells(self) -> list[Number]:
        return [self.total, *(self.by_status[status] for status in STACK)]

    @property
    def row(self) -> str:
        cells = "".join([f"<td>{number.written(number.text)}</td>" for number in self.cells])
        return f'<tr><th scope="row">{escape(self.name)}</th>{cells}</tr>'


@dataclass(frozen=True)
class Chart:
    spans: list[Span]

    @property
    def header(self) -> list[str]:
        return [_("Conversations"), *map(several, STACK)]

    @property
    def legend(self) -> list[tuple[str, str]]:
        return [(status, several(status)) for status in STACK]

    @cached_property
    def top(self) -> int:
        """The end of the scale: a round number that can be halved, unless it is 1."""
        most = max((span.total.value for span in self.spans), default=0)
        if most <= 1:
            return 1
        unit = 10 ** floor(log10(most))
        return int(next(step * unit for step in (1, 2, 4, 6, 8, 10) if step * unit >= most and step * unit % 2 == 0))

    @property
    def scale(self) -> list[tuple[str, str]]:
        """Numbers on the axis, each with its height from the top in per cent."""
        values = (0, self.top) if self.top == 1 else (0, self.top // 2, self.top)
        return [(grouped(value), _percent(100 - 100 * value / self.top)) for value in values]

    @property
    def marks(self) -> list[tuple[str, str]]:
        """Dates under the bars, each with its place in per cent."""
        every = max(ceil(len(self.spans) / MARKS), 1)
        return [
            (span.mark, _percent(self._middle(place))) for place, span in enumerate(self.spans) if not place % every
        ]

    @property
    def rows(self) -> SafeString:
        """Of the table, the newest first. From here rather than from a template: there are hundreds of cells."""
        return mark_safe("".join([span.row for span in reversed(self.spans)]))  # noqa: S308 - safe, each

    @property
    def svg(self) -> SafeString:
        """The bars. Their links are for the mouse; the table under the chart has them all."""
        return mark_safe("".join(self._bars()))  # noqa: S308 - safe, each of them

    def _bars(self) -> Iterator[str]:
        width = 100 / max(len(self.spans), 1)
        words = escape(_("%(when)s: %(number)s %(status)s, %(total)s in all"))
        across = _percent(width * (1 - GAP))
        kinds = [
            (status, str(status.value), words.replace("%(status)s", escape(several(status).lower()).replace("%", "%%")))
            for status in STACK
        ]
        for place, span in enumerate(self.spans):
            x, below = _percent(place * width + width * GAP / 2), 0.0
            shown = {"when": escape(span.name), "total": escape(span.total.text)}
            for status, kind, title in kinds:
                number = span.by_status[status]
                if not number.value:
                    continue
                height = 100 * number.value / self.top
                below += height
                shown["number"] = escape(number.text)
                rect = (
                    f'<rect class="volume__bar volume__bar--{kind}" x="{x}" y="{_percent(100 - below)}" '
                    f'width="{across}" height="{_percent(height)}"><title>{title % shown}</title></rect>'
                )
                yield _linked(rect, number)

    def _middle(self, place: int) -> float:
        return (place + 0.5) * 100 / len(self.spans)


def _linked(rect: str, number: Number) -> str:
    # There are hundreds: format_html would take several times as long.
    if not number.link:
        return rect
    return f'<a href="{number.href}" data-number="{number.value}" tabindex="-1">{rect}</a>'


def _percent(value: float) -> str:
    return f"{value:.2f}%"
