"""The figures at the top of the page, each with what it means."""

from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.analytics.counts import Tally
from conversations.analytics.medians import Median
from conversations.analytics.numbers import FEW, Links, Number, Rate, Trend, span_text
from conversations.models import Status

FINISHED = "Finished: completed, handed off or dropped."
TODAY = "All as they stand now."


@dataclass(frozen=True)
class Tile:
    """``number`` is what ``value`` opens; ``detail`` says of how many."""

    name: str
    value: str
    number: Number
    detail: SafeString
    meaning: str
    trend: Trend | None = None
    is_thin: bool = False
    kind: str = ""

    @property
    def html(self) -> SafeString:
        return self.number.shown(self.value)


def tiles(tally: Tally, before: Tally, reply: Median, silence: Median, links: Links) -> list[Tile]:
    every = links.number(tally.total)
    active = links.number(tally.active, status=Status.ACTIVE)
    finished = links.number(tally.finished, finished="true")
    dropped = links.number(tally.dropped, status=Status.DROPPED)
    shares = (
        (
            "Qualified",
            links.number(tally.qualified, finished="true", qualified="true"),
            before.qualified,
            f"Finished conversations whose qualification says yes. Below {FEW} finished a rate says too little.",
        ),
        (
            "Handed off",
            links.number(tally.handed_off, status=Status.HANDED_OFF),
            before.handed_off,
            "Finished conversations that went over to a person. Fewer is good only while not more are dropped.",
        ),
        ("Dropped", dropped, before.dropped, "Finished conversations that ended without a result."),
    )
    return [
        Tile(
            "Conversations",
            f"{tally.total:,}",
            every,
            format_html("{} active, {} finished", active.html, finished.html),
            f"Conversations that started in the period. {FINISHED} {TODAY}",
            Trend.of_count(tally.total, before.total),
        ),
        *(_share(*share, finished, before.finished) for share in shares),
        _first_reply(reply, every),
        _silence(silence, dropped),
    ]


def _share(name: str, number: Number, number_before: int, meaning: str, finished: Number, finished_before: int) -> Tile:
    rate = Rate(number.value, finished.value)
    trend = Trend.of_rate(rate, Rate(number_before, finished_before))
    detail = format_html("{} of {} finished", number.html, finished.html)
    return Tile(name, rate.text, number, detail, f"{meaning} {FINISHED} {TODAY}", trend, rate.is_thin)


def _first_reply(reply: Median, every: Number) -> Tile:
    meaning = (
        "From the lead’s first message to the first answer after it, by the agent or a person: half were faster. "
        f"Not measured: no message by the lead, or no answer. {_looked(reply)}"
    )
    number = Number(reply.measured)
    return Tile("First reply", span_text(reply.value), number, _measured(reply, every), meaning, kind="median")


def _silence(silence: Median, dropped: Number) -> Tile:
    meaning = (
        "How long the lead had not written when the conversation was dropped: half had been silent for longer. "
        f"Not measured: no message by the lead, or one after the drop. {_looked(silence)}"
    )
    number, detail = Number(silence.measured), _measured(silence, dropped, " dropped")
    return Tile("Silence before a drop", span_text(silence.value), number, detail, meaning, kind="median")


def _measured(figure: Median, every: Number, what: str = "") -> SafeString:
    newest = format_html("the newest {} of ", f"{figure.looked_at:,}") if figure.looked_at < every.value else ""
    return format_html("{} measured of {}{}{}", f"{figure.measured:,}", newest, every.html, what)


def _looked(figure: Median) -> str:
    return f"Looked at: the newest {figure.looked_at:,} that started in the period."
