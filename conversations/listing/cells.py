"""What stands in each column of a list. A page has hundreds of cells, so they are written here, as plain
strings: what a cell takes from a conversation goes through ``escape``.
"""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models.preferences import Column
from config.formats import grouped
from conversations.highlight import marked
from conversations.messages import speaker_of
from conversations.names import Names
from conversations.templatetags.components import channel, pill, qualified
from conversations.templatetags.parley import when

NOTHING = '<span class="quiet">–</span>'


def stage(conversation: Any, names: Names) -> str:
    shown = names.stage(conversation)
    position = f' <span class="quiet">{shown.number}/{shown.total}</span>' if shown.total else ""
    return f"<bdi>{escape(shown.name)}</bdi>{position}"


def agent(conversation: Any, names: Names) -> str:
    key = conversation.agent_config_id
    return f'<bdi title="{escape(key)}">{escape(names.agent(key))}</bdi>'


def campaign(conversation: Any, names: Names) -> str:
    key = conversation.campaign_id
    return f'<bdi title="{escape(key)}">{escape(names.campaign(key))}</bdi>' if key else NOTHING


def last_message(conversation: Any, names: Names) -> str:
    """Who wrote what last, and how many messages there are; the stage too, for narrow screens."""
    count = conversation.message_count
    if conversation.last_text:
        line = (
            f'<span class="row__speaker">{escape(speaker_of(conversation.last_role))}:</span> '
            f'<span class="row__said" dir="auto">{marked(conversation.last_text, [])}</span>'
        )
    else:
        nothing = _("Empty message") if count else _("No messages yet")
        line = f'<span class="quiet">{nothing}</span>'
    number = ngettext("%(number)s message", "%(number)s messages", count) % {"number": grouped(count)}
    return (
        f'<span class="row__text">{line}</span><span class="row__detail">{number}'
        f'<span class="row__stage-too"> · <bdi>{escape(names.stage(conversation).name)}</bdi></span></span>'
    )


CELLS: dict[str, Callable[[Any, Names], str]] = {
    Column.CHANNEL: lambda conversation, names: channel(conversation.channel),
    Column.STATUS: lambda conversation, names: pill(conversation.status),
    Column.STAGE: stage,
    Column.QUALIFIED: lambda conversation, names: qualified(conversation.qualified),
    Column.AGENT: agent,
    Column.CAMPAIGN: campaign,
    Column.LAST_MESSAGE: last_message,
    Column.MESSAGES: lambda conversation, names: grouped(conversation.message_count),
    Column.STARTED: lambda conversation, names: when(conversation.created_at),
    Column.UPDATED: lambda conversation, names: when(conversation.updated_at),
}
"""Column → its cell, as HTML; every column has one."""


def cells_of(conversation: Any, names: Names, columns: Sequence[str]) -> SafeString:
    """The row's cells after the lead's, in the order of ``columns``."""
    return mark_safe(  # noqa: S308 - each cell escapes what it is made of
        "".join(
            [f'<td role="cell" class="rows__{column}">{CELLS[column](conversation, names)}</td>' for column in columns]
        )
    )
