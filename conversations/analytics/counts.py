"""What figures tell apart, and how many conversations there are of each."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from conversations.messages import NO_ROLE, Role
from conversations.models import Status

STATUSES = tuple(Status.values)
OUTCOMES = (*STATUSES, "qualified")
LAST = {f"dropped_after_{role}": str(role) for role in Role}

Counts = Counter[str]
"""Of ``OUTCOMES``, and of who wrote last where a conversation was dropped (``LAST``)."""


@dataclass(frozen=True)
class Tally:
    """What came of some conversations. Finished: completed, handed off or dropped."""

    total: int = 0
    active: int = 0
    completed: int = 0
    handed_off: int = 0
    dropped: int = 0
    qualified: int = 0
    """Of the finished."""

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> "Tally":
        by_status = {status: counts.get(status, 0) for status in STATUSES}
        return cls(sum(by_status.values()), **by_status, qualified=counts.get("qualified", 0))

    @classmethod
    def between(cls, before: Sequence[int], after: Sequence[int]) -> "Tally":
        """``OUTCOMES`` of all that came before one moment, and before a later one."""
        return cls.of(dict(zip(OUTCOMES, (high - low for low, high in zip(before, after, strict=True)), strict=True)))

    @property
    def finished(self) -> int:
        return self.completed + self.handed_off + self.dropped


@dataclass(frozen=True)
class Groups:
    """The conversations of a period, by their channel, their agent, and their stage."""

    tally: Tally
    channels: dict[str, Tally]
    agents: dict[str, Tally]
    stages: dict[int, int]
    """Index → number. The last that can be asked for holds those beyond it too."""
    stops: dict[tuple[int, str], int]
    """Stage and who wrote last → how many were dropped there."""

    @classmethod
    def of(cls, cells: Mapping[str, Counts]) -> "Groups":
        parted: dict[str, dict[str, Counts]] = {"": {}, "channel": {}, "agent": {}, "stage": {}}
        for divided, counts in cells.items():
            kind, _, value = divided.partition(":")
            if any(counts[status] for status in STATUSES):
                parted[kind][value] = counts
        stages = {int(stage): counts for stage, counts in parted["stage"].items()}
        return cls(
            Tally.of(parted[""].get("", {})),
            {channel: Tally.of(counts) for channel, counts in parted["channel"].items()},
            {agent: Tally.of(counts) for agent, counts in parted["agent"].items()},
            {stage: Tally.of(counts).total for stage, counts in stages.items()},
            {
                (stage, role): number
                for stage, counts in stages.items()
                for role, number in _last_roles(counts)
                if number
            },
        )


def _last_roles(counts: Counts) -> Iterable[tuple[str, int]]:
    """Who wrote last in what was dropped, and how often; nobody in the rest of it."""
    yield from ((role, counts[name]) for name, role in LAST.items())
    yield NO_ROLE, counts[Status.DROPPED] - sum(counts[name] for name in LAST)
