"""The page's tables as files: the numbers alone, for spreadsheets."""

from collections.abc import Callable, Iterable, Sequence

from conversations.analytics.chart import STACK
from conversations.analytics.last_words import LastWords, Line
from conversations.analytics.numbers import Rate
from conversations.analytics.report import Outcome, Report

Sheet = tuple[Sequence[str], Iterable[Sequence[object]]]

OUTCOMES = (
    "conversations", "finished", "qualified", "qualified_rate", "rate_low", "rate_high", "handed_off", "dropped"
)  # fmt: skip


def _figures(report: Report) -> Sheet:
    rows = [
        (tile.name, tile.value, tile.number.value, tile.trend.text if tile.trend else "", tile.meaning)
        for tile in report.tiles
    ]
    return ("figure", "value", "conversations", "against_the_period_before", "meaning"), rows


def _funnel(report: Report) -> Sheet:
    rows = [
        (step.index, step.name, step.reached.value, f"{step.rate.value:.1f}", step.left.value if step.left else "")
        for step in report.steps
    ]
    return ("stage_index", "stage", "reached", "per_cent", "went_no_further"), rows


def _days(report: Report) -> Sheet:
    return ("from", "conversations", *STACK), [
        (span.date, *(cell.value for cell in span.cells)) for span in report.chart.spans
    ]


def _channels(report: Report) -> Sheet:
    return ("channel", "name", *OUTCOMES), [_outcome(row) for row in report.channels]


def _agents(report: Report) -> Sheet:
    return ("agent_config_id", "name", *OUTCOMES), [_outcome(row) for row in report.agents]


def _stops(report: Report) -> Sheet:
    rows = [(stop.name, *(number.value for number, _ in stop.cells), stop.total.value) for stop in report.stops]
    return ("stage", *report.roles, "dropped"), rows


SHEETS: dict[str, Callable[[Report], Sheet]] = {
    "figures": _figures,
    "funnel": _funnel,
    "days": _days,
    "channels": _channels,
    "agents": _agents,
    "stops": _stops,
}
"""Name, as the URL and the file have it → header and rows."""

LINES = "last-words"


def lines_sheet(found: LastWords) -> Sheet:
    """Of the page of last words: all lines, each with the stages at which most were dropped after it."""
    rows = [(line.text, line.number.value, f"{line.share.value:.1f}", ", ".join(_stages(line))) for line in found.lines]
    return ("line", "dropped_after_it", "per_cent_of_dropped", "stages"), rows


def _stages(line: Line) -> Iterable[str]:
    yield from (f"{name} {number.value}" for name, number in line.stages)
    if line.has_more_stages:
        yield "…"


def _outcome(row: Outcome) -> Sequence[object]:
    return (
        row.id, row.name, row.total.value, row.finished.value, row.qualified.value, *_percents(row.rate),
        row.handed_off.value, row.dropped.value,
    )  # fmt: skip


def _percents(rate: Rate) -> Iterable[str]:
    """Rate and interval, empty where there is none."""
    return (f"{value:.1f}" if rate.whole else "" for value in (rate.value, *rate.interval))
