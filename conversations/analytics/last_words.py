"""Last words: who wrote last in what was dropped, and after which of the agent's lines leads fell silent."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from config.formats import grouped
from config.storage.moments import format_moment
from config.storage.transaction import snapshot_of_all
from conversations.analytics.lines import WORDLESS
from conversations.analytics.numbers import Links, Number, Rate
from conversations.analytics.period import Period
from conversations.analytics.said import LOOKED_AT, Dropped, Said
from conversations.analytics.stages import stage_names, stopped_at
from conversations.analytics.started import Started
from conversations.analytics.tiles import Tile
from conversations.messages import NO_ROLE, PREVIEW, Role
from conversations.models import Conversation, Status
from conversations.models.cells import LAST_STAGE
from conversations.names import Names

STAGES_SHOWN = 3
"""Of a line, where most were dropped after it."""

ENDINGS = {
    Role.AGENT: (
        gettext_lazy("The agent wrote last"),
        gettext_lazy("The lead did not answer any more. These are the lines below."),
    ),
    Role.LEAD: (
        gettext_lazy("The lead wrote last"),
        gettext_lazy("Nobody answered the lead, or there was nothing left to say."),
    ),
    Role.HUMAN: (
        gettext_lazy("The team wrote last"),
        gettext_lazy("Somebody of the sales team did, and the lead did not answer."),
    ),
    Role.SYSTEM: (gettext_lazy("The system wrote last"), gettext_lazy("A message that neither side wrote.")),
    NO_ROLE: (gettext_lazy("Nobody wrote"), gettext_lazy("Dropped without any message.")),
}


@dataclass(frozen=True)
class Line:
    """``text`` is how most of the lines that are one are worded; empty where they have no words."""

    text: str
    is_cut: bool
    share: Rate
    """Of all dropped that were looked at."""
    number: Number
    stages: list[tuple[str, Number]]
    has_more_stages: bool


@dataclass(frozen=True)
class LastWords:
    looked_at: int
    since: str
    """Only what began from then on was looked at; empty where all of the period was."""
    tiles: list[Tile]
    lines: list[Line]
    left_out: int
    """Lines beyond those."""


def last_words(
    started: Started, period: Period, names: Names, links: Links, *, is_masked: bool, most: int
) -> LastWords:
    """``links`` are of the period; ``is_masked``: as who sees contacts masked may read it. ``most`` lines."""
    with snapshot_of_all():
        said = Said.of(started.rows, period.start, period.end)
        total = started.spans([period.start, period.end])[0].dropped if said.is_cut else len(said.dropped)
    every = links.within(status=Status.DROPPED)
    looked = every.within(createdAfter=format_moment(said.since)) if said.is_cut else every
    by_agent, number = looked.within(lastRole=Role.AGENT), len(said.dropped)
    groups = sorted(said.lines.items(), key=lambda group: -len(group[1]))
    return LastWords(
        number,
        format_moment(said.since) if said.is_cut else "",
        list(_tiles(said, every.number(total), looked)),
        [
            Line(
                _text(_usual(rows), is_masked=is_masked) if common != WORDLESS else "",
                len(_usual(rows).text) >= PREVIEW,
                Rate(len(rows), number),
                *_counted(rows, names, by_agent.within(lastWords=common)),
            )
            for common, rows in groups[:most]
        ],
        max(len(groups) - most, 0),
    )


def _usual(rows: list[Dropped]) -> Dropped:
    """The newest with the wording that most of them have."""
    [(text, _)] = Counter(row.text for row in rows).most_common(1)
    return next(row for row in rows if row.text == text)


def _text(row: Dropped, *, is_masked: bool) -> str:
    """The line, with contacts as the reader may see them. Read again by its id, it would take a second statement."""
    values = {"last_text": row.text, "lead_phone": row.phone, "lead_email": row.email}
    return str((Conversation.masked(values) if is_masked else values)["last_text"])


def _counted(rows: list[Dropped], names: Names, links: Links) -> tuple[Number, list[tuple[str, Number]], bool]:
    """All of them, those of the stages at which most are, and whether there are more stages."""
    at = Counter(min(row.stage, LAST_STAGE) for row in rows)
    called = stage_names(at, {row.agent for row in rows}, names)
    most = at.most_common(STAGES_SHOWN)
    shown = [(called[stage], links.number(number, **stopped_at(stage))) for stage, number in most]
    return links.number(len(rows)), shown, len(at) > len(most)


def _tiles(said: Said, every: Number, looked: Links) -> Iterable[Tile]:
    number = looked.number(len(said.dropped))
    detail = format_html(_("the newest of {}") if said.is_cut else _("all {} of the period"), every.html)
    meaning = _("Dropped conversations that started in the period, as they stand now. At most %s are looked at.")
    yield Tile(pgettext("conversations", "Dropped"), number.text, number, detail, meaning % grouped(LOOKED_AT))
    endings = Counter(row.role or NO_ROLE for row in said.dropped)
    text = ngettext("{} of {} dropped", "{} of {} dropped", number.value)
    for role, (name, means) in ENDINGS.items():
        if not endings[role] and role not in (Role.AGENT, Role.LEAD):
            continue
        part, rate = looked.number(endings[role], lastRole=role), Rate(endings[role], number.value)
        yield Tile(
            str(name), rate.text, part, format_html(text, part.html, number.html), str(means), None, rate.is_thin
        )
