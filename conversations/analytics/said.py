"""What was said last in dropped conversations: in the newest of a period, as many as can be looked at for one page."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import takewhile
from typing import Any, NamedTuple

from config.storage.expressions import moment_of
from conversations.analytics import rows
from conversations.analytics.lines import common_of
from conversations.analytics.rows import Rows
from conversations.messages import Role

LOOKED_AT = 1_000
EVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


class Dropped(NamedTuple):
    """``started`` is as the store has it. The contact is there to be left out."""

    pk: str
    started: Any
    role: str
    text: str
    stage: int
    agent: str
    phone: str
    email: str


@dataclass(frozen=True)
class Said:
    """All that was dropped of what began from ``since`` to the end of the period, the newest first."""

    dropped: list[Dropped]
    since: datetime
    is_cut: bool
    """Whether more was dropped, that began before."""

    @classmethod
    def of(cls, found: Rows, start: datetime, end: datetime) -> "Said":
        """One statement. No contact that was said is left in ``lines``."""
        newest = [Dropped(*row) for row in found.read(rows.dropped, start, end, LOOKED_AT + 1)]
        if len(newest) <= LOOKED_AT:
            return cls(newest, start, is_cut=False)
        # Up to a moment, with all of what began then or with none of it: so a list can be asked for the same.
        last = newest[-1].started
        kept = list(takewhile(lambda row: row.started != last, newest))
        return cls(kept, _in_utc(kept[-1].started) if kept else end, is_cut=True)

    @cached_property
    def lines(self) -> dict[str, list[Dropped]]:
        """What lines of the agent's have in common → the conversations that ended with one of them."""
        found: dict[str, list[Dropped]] = defaultdict(list)
        for row in self.dropped:
            if row.role == Role.AGENT:
                found[common_of(row.text, row.phone, row.email)].append(row)
        return found

    def ids_of(self, common: str) -> list[str]:
        return [row.pk for row in self.lines.get(common, ())]


def _in_utc(stored: Any) -> datetime:
    moment = moment_of(stored)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
