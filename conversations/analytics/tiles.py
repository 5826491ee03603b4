"""The figures at the top of the page, each with what it means."""

from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from config.formats import grouped
from conversations.analytics.counts import Tally
from conversations.analytics.medians import Median
from conversations.analytics.numbers import FEW, Links, Number, Rate, Trend, span_text
from conversations.models import Status


def _definition(meaning: str) -> str:
    finished = _("Finished: completed, handed off or dropped.")
    today = _("All as they stand now.")
    return f"{meaning} {finished} {today}"


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
            pgettext("conversations", "Qualified"),
            links.number(tally.qualified, finished="true", qualified="true"),
            before.qualified,
            _("Finished conversations whose qualification says yes. Below %s finished a rate says too little.") % FEW,
        ),
        (
            pgettext("conversations", "Handed off"),
            links.number(tally.handed_off, status=Status.HANDED_OFF),
            before.handed_off,
            _("Finished conversations that went over to a person. Fewer is good only while not more are dropped."),
        ),
        (
            pgettext("conversations", "Dropped"),
            dropped,
            before.dropped,
            _("Finished conversations that ended without a result."),
        ),
    )
    return [
        Tile(
            _("Conversations"),
            grouped(tally.total),
            every,
            format_html(
                "{}, {}",
                format_html(ngettext("{} active", "{} active", active.value), active.html),
                format_html(ngettext("{} finished", "{} finished", finished.value), finished.html),
            ),
            _definition(_("Conversations that started in the period.")),
            Trend.of_count(tally.total, before.total),
        ),
        *(_share(*share, finished, before.finished) for share in shares),
        _first_reply(reply, every),
        _silence(silence, dropped),
    ]


def _share(name: str, number: Number, number_before: int, meaning: str, finished: Number, finished_before: int) -> Tile:
    rate = Rate(number.value, finished.value)
    trend = Trend.of_rate(rate, Rate(number_before, finished_before))
    text = ngettext("{} of {} finished", "{} of {} finished", finished.value)
    detail = format_html(text, number.html, finished.html)
    return Tile(name, rate.text, number, detail, _definition(meaning), trend, rate.is_thin)


def _first_reply(reply: Median, every: Number) -> Tile:
    meaning = _(
        "From the lead’s first message to the first answer after it, by the agent or a person: half were faster. "
        "Not measured: no message by the lead, or no answer."
    )
    value, detail = span_text(reply.value), _measured(reply, every, _("{measured} measured of {every}"))
    return Tile(
        _("First reply"), value, Number(reply.measured), detail, f"{meaning} {_looked(reply)}", kind=_("median")
    )


def _silence(silence: Median, dropped: Number) -> Tile:
    meaning = _(
        "How long the lead had not written when the conversation was dropped: half had been silent for longer. "
        "Not measured: no message by the lead, or one after the drop."
    )
    text = ngettext("{measured} measured of {every} dropped", "{measured} measured of {every} dropped", dropped.value)
    value, detail = span_text(silence.value), _measured(silence, dropped, text)
    return Tile(
        _("Silence before a drop"),
        value,
        Number(silence.measured),
        detail,
        f"{meaning} {_looked(silence)}",
        kind=_("median"),
    )


def _measured(figure: Median, every: Number, text: str) -> SafeString:
    of = every.html
    if figure.looked_at < every.value:
        of = format_html(_("the newest {} of {}"), grouped(figure.looked_at), every.html)
    return format_html(text, measured=grouped(figure.measured), every=of)


def _looked(figure: Median) -> str:
    return _("Looked at: the newest %s that started in the period.") % grouped(figure.looked_at)
