"""The rows of the list page, made ready for its template, and the way to those before and after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.models import User
from conversations.highlight import hits, marked, phone_hits, snippet
from conversations.listing.cells import cells_of
from conversations.listing.ordering import Place
from conversations.listing.query import Query
from conversations.messages import speaker_of
from conversations.models import Conversation, ConversationQuerySet
from conversations.names import Names
from conversations.transcript.lines import hits_in, moment_of

PAGE_SIZE = 50
ROW_FIELDS = (
    "account_id",  # else each row would ask for it
    "lead_id",
    "agent_config_id",
    "campaign_id",
    "channel",
    "lead_phone",
    "lead_email",
    "status",
    "current_stage_index",
    "current_stage_name",
    "qualified",
    "message_count",
    "created_at",
    "updated_at",
    "revision",
    "last_role",
    "last_text",
)
"""What a row needs. Messages and the search text, which may be megabytes, stay in the store."""

NOBODY = "0" * 24


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
    cells: SafeString
    snippet: Snippet | None
    is_unread: bool


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    newer: str
    older: str


@dataclass(frozen=True)
class Reader:
    """Whose list it is: what is asked for, under which names, in which columns, and what of it is new to the person."""

    query: Query
    names: Names
    columns: Sequence[str]
    user: User
    seen_at: datetime

    def page(self, conversations: ConversationQuerySet, *, cursor: Place | None, before: Place | None) -> Page:
        """The rows after ``cursor``, or those before ``before``, or the first ones."""
        order = self.query.order
        if before:
            found = self._read(order.before(conversations, before), "before", str(before))
            if len(found) >= PAGE_SIZE:
                return self._page(found[:PAGE_SIZE][::-1], has_newer=len(found) > PAGE_SIZE, has_older=True)
        elif cursor:
            found = self._read(order.after(conversations, cursor), "cursor", str(cursor))
            return self._page(found[:PAGE_SIZE], has_newer=True, has_older=len(found) > PAGE_SIZE)
        # Where fewer than a page are newer, the first page shows them together with what follows.
        found = self._read(order.of(conversations))
        return self._page(found[:PAGE_SIZE], has_newer=False, has_older=len(found) > PAGE_SIZE)

    def _page(self, rows: list[Row], *, has_newer: bool, has_older: bool) -> Page:
        newer = older = ""
        if has_newer:
            newer = self.query.link(before=self._place(rows[0])) if rows else self.query.link()
        if has_older and rows:
            older = self.query.link(cursor=self._place(rows[-1]))
        return Page(rows, newer, older)

    def _place(self, row: Row) -> str:
        return str(self.query.order.place_of(row.conversation))

    def _read(self, conversations: ConversationQuerySet, name: str = "", place: str = "") -> list[Row]:
        """One more row than a page has. A search needs messages; then few conversations at a time are in memory."""
        search = self.query.search
        fields = (*ROW_FIELDS, "messages") if search else ROW_FIELDS
        suffix = self.query.suffix(**{name: place} if name else {})
        found = conversations.only(*fields).first_of(PAGE_SIZE + 1)
        shown = [
            (conversation, self._snippet(conversation))
            for conversation in (found.iterator(chunk_size=10) if search else found)
        ]
        read = self.user.read_marks.revisions([conversation.pk for conversation, _ in shown])
        pattern = reverse("conversations:transcript", args=[NOBODY]) + suffix  # one look-up for all rows
        return [
            self._row(conversation, pattern.replace(NOBODY, conversation.pk, 1), snippet, read)
            for conversation, snippet in shown
        ]

    def _snippet(self, conversation: Any) -> Snippet | None:
        if not self.query.search:
            return None
        found = snippet_of(conversation.messages, self.query.search)
        del conversation.messages  # deferred again: what the row does not show need not stay in memory
        return found

    def _row(self, conversation: Any, link: str, found: Snippet | None, read: dict[str, int]) -> Row:
        search = self.query.search
        phone, email = conversation.lead_phone, conversation.lead_email
        found_in = ((email, hits(email, search)), (phone, phone_hits(phone, search)))
        parts = [marked(text, spans) for text, spans in found_in if text]
        return Row(
            conversation,
            f"{link}#m-{found.number}" if found else link,
            name=parts[0] if parts else marked(conversation.lead_name, []),
            detail=parts[1] if len(parts) > 1 else "",
            cells=cells_of(conversation, self.names, self.columns),
            snippet=found,
            is_unread=conversation.updated_at > self.seen_at and read.get(conversation.pk, 0) < conversation.revision,
        )


def snippet_of(messages: object, search: str) -> Snippet | None:
    """Where ``search`` hits stored messages; None when it hits elsewhere."""
    found = list(hits_in(messages, search))
    if not found:
        return None
    number, message = found[0]
    html = snippet(message["content"], hits(message["content"], search))
    return Snippet(number, speaker_of(message.get("role")), moment_of(message), html, len(found))
