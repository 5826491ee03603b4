"""How long things take: medians, over as many of the newest conversations as can be looked at for one page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from config.storage.expressions import StoredMoment, moment_of
from conversations.models import ConversationQuerySet

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


def first_reply(newest: ConversationQuerySet) -> Median:
    """From the lead's first message to the first answer after it, an agent's or a person's. One statement."""
    return Median.of(_spans(newest, "first_lead_at", "first_reply_at", MAX_REPLIES))


def silence(newest_dropped: ConversationQuerySet) -> Median:
    """From the lead's last message to the moment the conversation was dropped. One statement."""
    return Median.of(_spans(newest_dropped, "last_lead_at", "status_changed_at", MAX_SILENCES))


def _spans(newest: ConversationQuerySet, start: str, end: str, most: int) -> Iterable[timedelta | None]:
    moments = newest.annotate(start=StoredMoment(start), end=StoredMoment(end)).values_list("start", "end")[:most]
    return (moment_of(last) - moment_of(first) if first and last else None for first, last in moments)
