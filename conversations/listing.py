"""What the list page shows, made ready for its template: tabs, chips, rows and the way to the next ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString

from config.storage.expressions import LastDocument
from conversations.filters import ConversationFilter
from conversations.highlight import hits, marked, phone_hits, snippet
from conversations.messages import Role
from conversations.models import Channel, Conversation, ConversationQuerySet, Status
from conversations.pagination import Cursor
from conversations.transcript import UNKNOWN_SENDER, moment_of, stage_of

PAGE_SIZE = 50
ROW_FIELDS = (
    "account_id",  # else each row would ask for it
    "lead_id",
    "channel",
    "lead_phone",
    "lead_email",
    "status",
    "current_stage_index",
    "current_stage_name",
    "qualified",
    "message_count",
    "updated_at",
)
"""What a row needs. Messages and the search text, which may be megabytes, stay in the store."""

PREVIEW = 160
CHIPS = {
    "search": "Search",
    "channel": "Channel",
    "qualified": "Qualified",
    "leadId": "Lead",
    "campaignId": "Campaign",
    "agentConfigId": "Agent",
    "createdAfter": "Started from",
    "createdBefore": "Started before",
    "updatedAfter": "Changed from",
    "updatedBefore": "Changed before",
}
FIELDS = ("search", "channel", "qualified")
TABS = ("", Status.ACTIVE, Status.HANDED_OFF, Status.COMPLETED, Status.DROPPED)
"""The statuses in a manager's order: what goes on, what waits for a person, what is over. Empty for all."""


@dataclass(frozen=True)
class Query:
    """The page's state as it stands in the URL: status, search and filters, without what says the page."""

    values: Mapping[str, str]

    @classmethod
    def read(cls, data: QueryDict) -> "Query":
        return cls({name: str(data[name]) for name in ("status", *CHIPS) if data.get(name)})

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the form on the page has no field for, and has to pass on."""
        return [(name, value) for name, value in self.values.items() if name not in FIELDS]

    @property
    def status(self) -> str:
        return self.values.get("status", "")

    def link(self, **changes: str) -> str:
        """The list's URL with some parameters changed; an empty value drops one."""
        return f"{reverse('conversations:list')}{self.suffix(**changes)}"

    def suffix(self, **changes: str) -> str:
        values = {name: value for name, value in {**self.values, **changes}.items() if value}
        return f"?{urlencode(values)}" if values else ""


@dataclass(frozen=True)
class Tab:
    value: str
    label: str
    count: int | None
    link: str
    is_current: bool


@dataclass(frozen=True)
class Chip:
    """A filter that applies, and the list without it."""

    name: str
    value: str
    link: str


@dataclass(frozen=True)
class Snippet:
    """Where a search hit the messages of a conversation: the first hit, and how many messages have one."""

    number: int
    role: str
    moment: datetime | None
    html: SafeString
    count: int


@dataclass(frozen=True)
class Row:
    conversation: Conversation
    link: str
    name: SafeString
    detail: SafeString | str
    stage: str
    speaker: str
    text: str
    snippet: Snippet | None


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    newer: str
    older: str


def tabs(query: Query, counts: Mapping[str, int] | None) -> list[Tab]:
    return [
        Tab(
            str(value),
            Status(value).label if value else "All",
            None if counts is None else (counts[value] if value else sum(counts.values())),
            query.link(status=value),
            value == query.status,
        )
        for value in TABS
    ]


def chips(query: Query) -> list[Chip]:
    return [
        Chip(label, _shown(name, query.values[name]), query.link(**{name: ""}))
        for name, label in CHIPS.items()
        if name in query.values
    ]


def _shown(name: str, value: str) -> str:
    if name == "channel" and value in Channel.values:
        return str(Channel(value).label)
    if name == "qualified":
        return {"true": "yes", "false": "no"}.get(value, value)
    return f"“{value}”" if name == "search" else value


def counts_of(query: Query, conversations: ConversationQuerySet) -> dict[str, int]:
    """How many conversations each tab holds: search and filters apply, the status does not."""
    data = {name: value for name, value in query.values.items() if name != "status"}
    counts: dict[str, int] = ConversationFilter(data, conversations).qs.count_by_status()
    return counts


def page(query: Query, conversations: ConversationQuerySet, *, cursor: Cursor | None, before: Cursor | None) -> Page:
    """The rows after ``cursor``, or those before ``before``, or the first ones."""
    ordered = conversations.newest_first()
    if before:
        found = _read(ordered.before(before.updated_at, before.id).reverse(), query, "before", str(before))
        if len(found) >= PAGE_SIZE:
            return _page(query, found[:PAGE_SIZE][::-1], has_newer=len(found) > PAGE_SIZE, has_older=True)
    elif cursor:
        found = _read(ordered.after(cursor.updated_at, cursor.id), query, "cursor", str(cursor))
        return _page(query, found[:PAGE_SIZE], has_newer=True, has_older=len(found) > PAGE_SIZE)
    # Where fewer than a page are newer, the first page shows them together with what follows.
    found = _read(ordered, query)
    return _page(query, found[:PAGE_SIZE], has_newer=False, has_older=len(found) > PAGE_SIZE)


def _page(query: Query, rows: list[Row], *, has_newer: bool, has_older: bool) -> Page:
    newer = older = ""
    if has_newer:
        newer = query.link(before=_place(rows[0])) if rows else query.link()
    if has_older and rows:
        older = query.link(cursor=_place(rows[-1]))
    return Page(rows, newer, older)


def _place(row: Row) -> str:
    return str(Cursor(row.conversation.updated_at, row.conversation.pk))


def _read(conversations: ConversationQuerySet, query: Query, name: str = "", place: str = "") -> list[Row]:
    """One more row than a page has. A search needs the messages; then a few conversations at a time are in memory."""
    search = query.values.get("search", "")
    fields = (*ROW_FIELDS, "messages") if search else ROW_FIELDS
    suffix = query.suffix(**{name: place} if name else {})
    found = conversations.only(*fields).annotate(last_message=LastDocument("messages"))[: PAGE_SIZE + 1]
    return list(_rows(found.iterator(chunk_size=10) if search else iter(found), search, suffix))


def _rows(conversations: Iterator[Any], search: str, suffix: str) -> Iterator[Row]:
    for conversation in conversations:
        found = snippet_of(conversation.messages, search) if search else None
        yield _row(conversation, search, suffix, found)


def _row(conversation: Any, search: str, suffix: str, found: Snippet | None) -> Row:
    if search:
        del conversation.messages  # deferred again: what the row does not show need not stay in memory
    phone, email = conversation.lead_phone, conversation.lead_email
    found_in = ((email, hits(email, search)), (phone, phone_hits(phone, search)))
    parts = [marked(text, spans) for text, spans in found_in if text]
    last = conversation.last_message if isinstance(conversation.last_message, dict) else {}
    text = last.get("content")
    link = reverse("conversations:transcript", args=[conversation.pk])
    return Row(
        conversation,
        f"{link}{suffix}{f'#m-{found.number}' if found else ''}",
        parts[0] if parts else marked(conversation.lead_name, []),
        parts[1] if len(parts) > 1 else "",
        stage_of(conversation),
        speaker_of(last.get("role")),
        " ".join(text[:PREVIEW].split()) if isinstance(text, str) else "",
        found,
    )


def snippet_of(messages: object, search: str) -> Snippet | None:
    """Where ``search`` hits stored messages; None when it hits elsewhere."""
    found = [
        (number, message, spans)
        for number, message in enumerate(messages if isinstance(messages, list) else [], start=1)
        if isinstance(message, dict)
        and isinstance(message.get("content"), str)
        and (spans := hits(message["content"], search))
    ]
    if not found:
        return None
    number, message, spans = found[0]
    html = snippet(message["content"], spans)
    return Snippet(number, speaker_of(message.get("role")), moment_of(message), html, len(found))


def speaker_of(role: object) -> str:
    """Who wrote a stored message, in a word."""
    return str(Role(role).label) if isinstance(role, str) and role in Role.values else UNKNOWN_SENDER
