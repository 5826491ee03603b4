"""The page's figures, put together from a few statements: tiles, funnel, volume, tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from config.storage.moments import format_moment
from config.storage.transaction import snapshot_of_all
from conversations.analytics.chart import STACK, Chart, Span
from conversations.analytics.counts import Groups, Tally
from conversations.analytics.medians import Median, first_reply, silence
from conversations.analytics.numbers import Links, Number, Rate
from conversations.analytics.period import Period
from conversations.analytics.stages import stage_names, stopped_at
from conversations.analytics.started import Started
from conversations.analytics.tiles import Tile, tiles
from conversations.messages import LAST_ROLES, Role
from conversations.models import Channel, Status
from conversations.names import Names


@dataclass(frozen=True)
class Outcome:
    """A row of what came of the conversations of a channel, or of an agent."""

    id: str
    name: str
    total: Number
    finished: Number
    qualified: Number
    handed_off: Number
    dropped: Number

    @property
    def rate(self) -> Rate:
        return Rate(self.qualified.value, self.finished.value)


@dataclass(frozen=True)
class Step:
    """A stage of the funnel: how many came so far, and how many of them went no further."""

    index: int
    name: str
    reached: Number
    rate: Rate
    """Of all that started."""
    left: Number | None


@dataclass(frozen=True)
class Stop:
    """A stage at which conversations were dropped, by who wrote last."""

    name: str
    cells: list[tuple[Number, int]]
    """Each with how dark it is, from 0 to 4."""
    total: Number


@dataclass(frozen=True)
class Report:
    tally: Tally
    tiles: list[Tile]
    steps: list[Step]
    chart: Chart
    channels: list[Outcome]
    agents: list[Outcome]
    roles: list[str]
    stops: list[Stop]


def report(started: Started, period: Period, names: Names, links: Links) -> Report:
    """The figures of what ``started`` in the period, and in the period before. A few statements, and a few rows."""
    with snapshot_of_all():
        groups = started.groups(period.start, period.end)
        tally = groups.tally
        before, _, *spans = started.spans([*period.before, *period.edges])
        reply, silent = _medians(started, period, tally)
    stages = stage_names(groups.stages, groups.agents, names)
    roles, stops = _stops(groups, stages, links)
    return Report(
        tally,
        tiles(tally, before, reply, silent, links),
        _steps(groups, stages, links),
        Chart(list(_spans(period, spans, links))),
        _channels(groups, links),
        _agents(groups, names, links),
        roles,
        stops,
    )


def _medians(started: Started, period: Period, tally: Tally) -> tuple[Median, Median]:
    nothing = Median(None, 0, 0)
    return (
        first_reply(started.rows, period.start, period.end) if tally.total else nothing,
        silence(started.rows, period.start, period.end) if tally.dropped else nothing,
    )


def _spans(period: Period, tallies: Sequence[Tally], links: Links) -> Iterator[Span]:
    anytime, edges = links.without("createdAfter", "createdBefore"), list(map(format_moment, period.edges))
    for position, tally in enumerate(tallies):
        within = anytime.within(createdAfter=edges[position], createdBefore=edges[position + 1])
        by_status = {str(status): within.number(getattr(tally, status), status=status) for status in STACK}
        date, name, mark = period.date_of(position).isoformat(), period.name_of(position), period.mark_of(position)
        yield Span(date, name, mark, within.number(tally.total), by_status)


def _outcome(key: str, name: str, tally: Tally, links: Links, **filters: str) -> Outcome:
    return Outcome(
        key,
        name,
        total=links.number(tally.total, **filters),
        finished=links.number(tally.finished, **filters, finished="true"),
        qualified=links.number(tally.qualified, **filters, finished="true", qualified="true"),
        handed_off=links.number(tally.handed_off, **filters, status=Status.HANDED_OFF),
        dropped=links.number(tally.dropped, **filters, status=Status.DROPPED),
    )


def _channels(groups: Groups, links: Links) -> list[Outcome]:
    """Every channel, unless one is asked for."""
    asked = links.filters.get("channel")
    return [
        _outcome(channel, str(Channel(channel).label), groups.channels.get(channel, Tally()), links, channel=channel)
        for channel in Channel.values
        if asked in (None, channel)
    ]


def _agents(groups: Groups, names: Names, links: Links) -> list[Outcome]:
    """Those that had a conversation, the busiest first."""
    busiest = sorted(groups.agents.items(), key=lambda item: (-item[1].total, item[0]))
    return [_outcome(key, names.agent(key), tally, links, agentConfigId=key) for key, tally in busiest]


def _steps(groups: Groups, stages: dict[int, str], links: Links) -> list[Step]:
    reached = total = groups.tally.total
    steps = []
    for index, name in stages.items():
        is_last, stayed = index == max(stages), groups.stages.get(index, 0)
        steps.append(
            Step(
                index,
                name,
                links.number(reached, stageReached=str(index)),
                Rate(reached, total),
                None if is_last else links.number(stayed, stageIndex=str(index)),
            )
        )
        reached -= stayed
    return steps


def _stops(groups: Groups, stages: dict[int, str], links: Links) -> tuple[list[str], list[Stop]]:
    """Who wrote last, and how often at which stage."""
    numbers = groups.stops
    shown = {Role.LEAD, Role.AGENT, *(role for _, role in numbers)}
    roles = [(role, str(label)) for role, label in LAST_ROLES if role in shown]
    most = max(numbers.values(), default=0)
    stops = []
    for stage in sorted({stage for stage, _ in numbers}):
        at = {**stopped_at(stage), "status": str(Status.DROPPED)}
        row = [numbers.get((stage, role), 0) for role, _ in roles]
        cells = [links.number(number, **at, lastRole=role) for number, (role, _) in zip(row, roles, strict=True)]
        shades = [-(-4 * number // most) for number in row]
        stops.append(Stop(stages[stage], list(zip(cells, shades, strict=True)), links.number(sum(row), **at)))
    return [label for _, label in roles], stops
