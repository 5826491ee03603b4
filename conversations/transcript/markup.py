"""A thread as HTML. In Python because it may be thousands of messages, for each of which an include would take longer
than all else. Every text of a lead's or a person's goes through ``format_html`` or ``escape``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from accounts.models import User
from conversations.highlight import marked
from conversations.messages import Role
from conversations.models import Conversation
from conversations.names import Names
from conversations.templatetags.parley import stamp
from conversations.transcript.address import Address
from conversations.transcript.lines import Line
from conversations.transcript.thread import Day, Run
from conversations.transcript.timeline import Change

GAP = '<p class="event event--gap">{}</p>'
DAMAGED = (
    '<p class="event event--damaged" id="m-{number}"><svg class="icon" aria-hidden="true"><use href="#i-warning"></use>'
    '</svg> {text} <a class="event__time" href="{link}">{name}</a></p>'
)
CHANGE = (
    '<p class="event event--{kind}" id="{anchor}"><span class="event__text">{stage}<bdi>{text}</bdi>{by}{reason}</span>'
    ' <a class="event__time" href="{link}">{time}</a></p>'
)
NOTE = (
    '<section class="note" id="note-{pk}"><h3 class="note__who"><span class="note__mark">{mark}</span> '
    '<bdi class="run__name">{author}</bdi> <a class="message__time" href="{link}">{time}</a>{remove}</h3>'
    '<p class="note__text" dir="auto">{text}</p></section>'
)
REMOVE = (
    '<details class="note__remove"><summary>{remove}</summary><span>{sure} '
    '<button class="link-button" form="note-remove" formaction="{path}">{this}</button></span></details>'
)


@dataclass(frozen=True)
class Markup:
    """How one reader sees one conversation. Links name the message they lead to where not all are on the page."""

    conversation: Conversation
    names: Names
    address: Address
    reader: User
    is_window: bool

    def days(self, days: Iterable[Day]) -> list[dict[str, Any]]:
        return [{"date": day.date, "gap": day.gap, "html": self._items(day.items)} for day in days]

    def link(self, number: int, anchor: str = "") -> str:
        """The address of a message, or of what stands beside it."""
        return f"{self._start}{number if self._start else ''}#{anchor or f'm-{number}'}"

    @cached_property
    def _start(self) -> str:
        """What the links of messages have in common: made once, for there are many."""
        return self.address.link(at="0").removesuffix("0") if self.is_window else ""

    def _items(self, items: Iterable[dict[str, Any]]) -> SafeString:
        return mark_safe("".join(self._item(item) for item in items))  # noqa: S308 - each is escaped

    def _item(self, item: dict[str, Any]) -> str:
        [(kind, value)] = item.items()
        if kind == "run":
            return self._run(value)
        if kind == "change":
            return self._change(value)
        if kind == "note":
            return self._note(value)
        if kind == "damaged":
            return format_html(
                DAMAGED,
                number=value.number,
                link=self.link(value.number),
                text=_("Damaged message"),
                name=_("no. %s") % value.number,
            )
        return format_html(GAP, value)

    def _run(self, run: Run) -> str:
        human = " run--human" if run.role == Role.HUMAN else ""
        lines = "".join([self._message(line) for line in run.lines])
        return (
            f'<section class="run run--{run.side}{human}"><h3 class="run__who">{self._who(run)}</h3>{lines}</section>'
        )

    def _who(self, run: Run) -> str:
        speaker = f'<span class="run__role">{escape(run.speaker)}</span>'
        if run.role == Role.LEAD:
            return f'{speaker} <bdi class="run__name">{escape(self.conversation.lead_name)}</bdi>'
        if run.agent:
            name = escape(self.names.agent(run.agent))
            return f'{speaker} <bdi class="run__name" title="{escape(run.agent)}">{name}</bdi>'
        return speaker

    def _message(self, line: Line) -> str:
        hit = " message--hit" if line.hit else ""
        erased = _("Erased") if self.conversation.is_erased else ""
        said = line.html or f'<span class="quiet">{erased}</span>'
        time = stamp(line.moment) if line.moment else _("time unknown")
        return (
            f'<div class="message{hit}" id="m-{line.number}"><div class="message__text" dir="auto">{said}</div>'
            f'<a class="message__time" href="{escape(self.link(line.number))}">{time}</a></div>'
        )

    def _change(self, change: Change) -> SafeString:
        return format_html(
            CHANGE,
            kind=change.kind,
            anchor=change.anchor,
            stage=_("Stage: ") if change.kind == "stage" else "",
            text=change.text,
            by=format_html(' <span class="event__by">{}</span>', format_html(_("by <bdi>{}</bdi>"), change.by))
            if change.by
            else "",
            reason=format_html(' <span class="event__reason">“<bdi>{}</bdi>”</span>', change.reason)
            if change.reason
            else "",
            link=f"#{change.anchor}",
            time=stamp(change.moment),
        )

    def _note(self, note: Any) -> SafeString:
        path = reverse("conversations:remove-note", args=[self.conversation.pk, note.pk])
        mine = note.author_id == self.reader.pk
        return format_html(
            NOTE,
            pk=note.pk,
            mark=_("Team only"),
            author=note.author_name,
            link=f"#note-{note.pk}",
            time=stamp(note.created_at),
            text=marked(note.text, []),
            remove=format_html(
                REMOVE,
                path=f"{path}{self.address.suffix()}",
                remove=_("Remove"),
                sure=_("For good?"),
                this=_("Remove this note"),
            )
            if mine
            else "",
        )
