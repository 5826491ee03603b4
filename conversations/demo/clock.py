"""The rhythm of a conversation: who answers how fast, and when people sleep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from .performance import Beat

DAY = timedelta(days=1)
ACTIVE_AGES = ((0.13, 0.004, 0.04), (0.27, 0.04, 0.4), (0.45, 0.4, 4.0), (0.15, 4.0, 12.0))
CLOSED_AGES = ((0.02, 0.003, 0.04), (0.06, 0.04, 0.5), (0.3, 0.5, 14.0), (0.62, 14.0, 84.0))
DROPPED_AGES = ((0.35, 0.2, 14.0), (0.65, 14.0, 78.0))


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Timeline:
    """The times of one conversation: ``created``, one of ``messages`` for each beat, ``updated``."""

    def __init__(
        self,
        beats: Sequence[Beat],
        *,
        status: str,
        channel: str,
        utc_offset: int,
        now: datetime,
        rng: Random,
        age: timedelta | None = None,
    ) -> None:
        self.rng = rng
        self.email = channel == "email"
        self.offset = timedelta(hours=utc_offset)
        linger = self._linger(status)
        gaps = [timedelta(0), *(self._gap(before.role, beat) for before, beat in pairwise(beats))]
        by_day = [beat.role in ("lead", "human") or beat.pause is not None for beat in beats]
        end = now - (age or self._age(status))
        opening = self.rng.uniform(9, 17)
        start = end - linger - self._steps(gaps, by_day, opening)[-1]
        if now - end > DAY:
            start = self._in_office_hours(start)
        steps = self._steps(gaps, by_day, (start + self.offset).hour + start.minute / 60)
        while start + steps[-1] + linger >= now - timedelta(seconds=20):
            start -= DAY if now - end > DAY else timedelta(minutes=20)
        self.messages = [start + step for step in steps]
        self.created = start - timedelta(milliseconds=rng.choice((0, 0, rng.randrange(40, 4000))))
        self.updated = self.messages[-1] + linger

    def _steps(self, gaps: Sequence[timedelta], by_day: Sequence[bool], opening: float) -> list[timedelta]:
        """Time since the first message, which came at the hour ``opening``. ``by_day`` messages wait for the morning."""
        steps: list[timedelta] = []
        since = timedelta(0)
        for gap, daytime in zip(gaps, by_day, strict=True):
            since += gap
            hour = (opening + since / timedelta(hours=1)) % 24
            if steps and daytime and not 7 < hour < 22.5:
                morning = 7.2 + gap.seconds % 9000 / 3600
                since += timedelta(hours=(morning - hour) % 24)
            steps.append(since)
        return steps

    def _gap(self, before: str, beat: Beat) -> timedelta:
        uniform = self.rng.uniform
        if beat.pause is not None:
            return beat.pause * uniform(0.85, 1.1) + timedelta(seconds=uniform(1, 59))
        if beat.role == "system":
            return timedelta(seconds=uniform(0.3, 4))
        if beat.role == before:
            return timedelta(seconds=uniform(4, 40))
        if beat.role == "agent":
            return timedelta(seconds=uniform(5, 60))
        if beat.role == "human":
            return timedelta(minutes=uniform(2, 95))
        return self._lead_gap()

    def _lead_gap(self) -> timedelta:
        uniform, luck = self.rng.uniform, self.rng.random()
        if self.email:
            return timedelta(minutes=uniform(12, 300)) if luck < 0.6 else timedelta(hours=uniform(5, 50))
        if luck < 0.62:
            return timedelta(seconds=uniform(18, 400))
        if luck < 0.88:
            return timedelta(minutes=uniform(6, 70))
        return timedelta(hours=uniform(1.2, 9)) if luck < 0.975 else timedelta(hours=uniform(20, 46))

    def _linger(self, status: str) -> timedelta:
        """Between the last message and the last change: nobody closes a silent conversation at once."""
        if status == "dropped":
            return timedelta(days=self.rng.choice((2, 3, 3, 4)), seconds=self.rng.uniform(0, 300))
        if status == "active":
            return timedelta(0)
        return timedelta(seconds=self.rng.choice((0, self.rng.uniform(0.4, 9), self.rng.uniform(30, 2400))))

    def _age(self, status: str) -> timedelta:
        ages = {"active": ACTIVE_AGES, "dropped": DROPPED_AGES}.get(status, CLOSED_AGES)
        _, low, high = self.rng.choices(ages, weights=[weight for weight, _, _ in ages])[0]
        return timedelta(days=self.rng.uniform(low, high))

    def _in_office_hours(self, start: datetime) -> datetime:
        """The same day (or the Friday before) at a time when people write to a business."""
        local = start + self.offset
        if local.weekday() > 4 and self.rng.random() < 0.8:
            local -= timedelta(days=local.weekday() - 4)
        hour = self.rng.choice((9, 10, 10, 11, 11, 12, 14, 14, 15, 15, 16, 17, 19, 20))
        minute, second = self.rng.randrange(60), self.rng.uniform(0, 59)
        moment = local.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(seconds=second)
        return moment - self.offset
