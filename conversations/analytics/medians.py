"""How long things take: medians, over as many of the newest conversations as can be looked at for one page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from config.storage.expressions import moment_of
from conversations.analytics import rows
from conversations.analytics.rows import Rows

MAX_REPLIES = MAX_SILENCES = 500
NOTHING = timedelta()


@dataclass(frozen=True)
class Median:
    """``value`` of ``measured`` conversations, among the ``looked_at`` newest."""

    value: timedelta | None
    measured: int
    looked_at: int

    @classmethod
    def of(cls, spans: Iterable[timedelta | None]) -> "Median":
        """None and what runs backwards are looked at, and not measured."""
        looked_at = list(spans)
        measured = [span.total_seconds() for span in looked_at if span is not None and span >= NOTHING]
        value = timedelta(seconds=median(measured)) if measured else None
        return cls(value, len(measured), len(looked_at))


def first_reply(found: Rows, start: datetime, end: datetime) -> Median:
    """From the lead's first message to the first answer after it. One statement."""
    return Median.of(_spans(found.read(rows.first_replies, start, end, MAX_REPLIES)))


def silence(found: Rows, start: datetime, end: datetime) -> Median:
    """From the lead's last message to the moment the conversation was dropped. One statement."""
    return Median.of(_spans(found.read(rows.silences, start, end, MAX_SILENCES)))


def _spans(moments: Iterable[tuple[Any, Any]]) -> Iterable[timedelta | None]:
    return (moment_of(last) - moment_of(first) if first and last else None for first, last in moments)
