"""How long things take: medians, over as many of the newest conversations as can be looked at for one page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

import orjson

from config.storage.expressions import StoredDocuments
from conversations.messages import Role, parse_moment
from conversations.models import ConversationQuerySet, Status

MAX_REPLIES = 1_000
MAX_REPLY_BYTES = 16_000_000
"""Their messages have to be read: so many conversations, and so many bytes, at most."""

MAX_SILENCES = 5_000


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
        measured = [span.total_seconds() for span in looked_at if span is not None and span >= timedelta()]
        value = timedelta(seconds=median(measured)) if measured else None
        return cls(value, len(measured), len(looked_at))


def first_reply(conversations: ConversationQuerySet) -> Median:
    """From the lead's first message to the first answer after it, an agent's or a person's. One statement."""
    newest = conversations.newest_started().annotate(stored=StoredDocuments("messages"))
    spans, size = [], 0
    for stored, stored_bytes in newest.values_list("stored", "stored_bytes")[:MAX_REPLIES].iterator(chunk_size=50):
        spans.append(_reply(stored))
        size += stored_bytes
        if size > MAX_REPLY_BYTES:
            break
    return Median.of(spans)


def silence(conversations: ConversationQuerySet) -> Median:
    """From the lead's last message to the moment the conversation was dropped. One statement."""
    dropped = conversations.newest_started().filter(status=Status.DROPPED)
    moments = dropped.values_list("status_changed_at", "last_lead_at")[:MAX_SILENCES]
    return Median.of(None if written is None else changed - written for changed, written in moments)


def _reply(stored: Any) -> timedelta | None:
    asked = None
    try:
        for message in stored if isinstance(stored, list) else orjson.loads(stored):
            if asked is None and message["role"] == Role.LEAD:
                asked = message["timestamp"]
            elif asked is not None and message["role"] in (Role.AGENT, Role.HUMAN):
                return parse_moment(message["timestamp"]) - parse_moment(asked)
    except (ValueError, TypeError, KeyError):  # a damaged row: looked at, and not measured
        return None
    return None
