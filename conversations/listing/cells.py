"""What stands in each column of a list. HTML from here rather than from a template: a page has hundreds of cells."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from accounts.models.preferences import Column
from conversations.messages import speaker_of
from conversations.models import Conversation
from conversations.names import Names
from conversations.templatetags.components import channel, pill, qualified
from conversations.templatetags.parley import when

NOTHING = SafeString('<span class="quiet">–</span>')


def stage(conversation: Conversation, names: Names) -> SafeString:
    shown = names.stage(conversation)
    if not shown.total:
        return format_html("<bdi>{}</bdi>", shown.name)
    position = SafeString(f"{shown.number}/{shown.total}")
    return format_html('<bdi>{}</bdi> <span class="quiet">{}</span>', shown.name, position)


def agent(conversation: Conversation, names: Names) -> SafeString:
    key = conversation.agent_config_id
    return format_html('<bdi title="{}">{}</bdi>', key, names.agent(key))


def campaign(conversation: Conversation, names: Names) -> SafeString:
    key = conversation.campaign_id
    return format_html('<bdi title="{}">{}</bdi>', key, names.campaign(key)) if key else NOTHING


def last_message(conversation: Any, names: Names) -> SafeString:
    """Who wrote what last, and how many messages there are; the stage too, for narrow screens."""
    count = conversation.message_count
    if conversation.last_text:
        line = format_html(
            '<span class="row__speaker">{}:</span> <span class="row__said" dir="auto">{}</span>',
            SafeString(speaker_of(conversation.last_role)),
            conversation.last_text,
        )
    else:
        line = format_html('<span class="quiet">{}</span>', "Empty message" if count else "No messages yet")
    return format_html(
        '<span class="row__text">{}</span><span class="row__detail">{}'
        '<span class="row__stage-too"> · <bdi>{}</bdi></span></span>',
        line,
        SafeString(f"{count:,} message{'' if count == 1 else 's'}"),
        names.stage(conversation).name,
    )


CELLS: dict[str, Callable[[Any, Names], SafeString | str]] = {
    Column.CHANNEL: lambda conversation, names: channel(conversation.channel),
    Column.STATUS: lambda conversation, names: pill(conversation.status),
    Column.STAGE: stage,
    Column.QUALIFIED: lambda conversation, names: qualified(conversation.qualified),
    Column.AGENT: agent,
    Column.CAMPAIGN: campaign,
    Column.LAST_MESSAGE: last_message,
    Column.MESSAGES: lambda conversation, names: f"{conversation.message_count:,}",
    Column.STARTED: lambda conversation, names: when(conversation.created_at),
    Column.UPDATED: lambda conversation, names: when(conversation.updated_at),
}
"""Column → its cell; every column has one."""


def cells_of(conversation: Any, names: Names, columns: Sequence[str]) -> SafeString:
    """The row's cells after the lead's, in the order of ``columns``."""
    cells = (
        f'<td role="cell" class="rows__{column}">{conditional_escape(CELLS[column](conversation, names))}</td>'
        for column in columns
    )
    return mark_safe("".join(cells))  # noqa: S308 - each is escaped
