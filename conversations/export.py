"""Conversations as files: NDJSON as the list answers, a table of conversations, a table of messages.

All of them are streamed from one snapshot of the store; what is damaged in it is shown as it lies, and ends no export.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from accounts import tables
from config.storage.transaction import snapshot
from conversations import wire
from conversations.messages import format_moment
from conversations.models import ConversationQuerySet

TABLE_ROWS = 200
"""Conversations fetched at a time where their messages stay in the store."""

CONVERSATION_COLUMNS = tuple(column for column in wire.COLUMNS if column != "stored_messages")
LEAD_COLUMNS = ("id", "lead_id", "lead_phone", "lead_email", "channel", "status", "stored_messages")
MESSAGE_HEADER = ("number", "role", "timestamp", "agentConfigId", "content")


def ndjson(conversations: ConversationQuerySet) -> Iterator[bytes]:
    """A conversation a line: the bytes that stand for it in the list's array."""
    return tables.json_lines(map(wire.shown, stored(wire.written(conversations), wire.STREAM_ROWS)))


def conversations_csv(conversations: ConversationQuerySet) -> Iterator[bytes]:
    """A row a conversation, without its messages."""
    rows = conversations.values_list(*CONVERSATION_COLUMNS)
    moments = [position for position, name in enumerate(CONVERSATION_COLUMNS) if name.endswith("_at")]

    def shown(row: wire.Row) -> list[Any]:
        cells = list(row)
        for position in moments:
            cells[position] = format_moment(cells[position])
        return cells

    return tables.separated(list(map(wire_name, CONVERSATION_COLUMNS)), map(shown, stored(rows, TABLE_ROWS)))


def messages_csv(conversations: ConversationQuerySet) -> Iterator[bytes]:
    """A row a message, each with its conversation and lead, in the conversations' order and then their own."""
    header = ["conversationId", *map(wire_name, LEAD_COLUMNS[1:-1]), *MESSAGE_HEADER]
    fields = [wire.COLUMNS.index(name) for name in LEAD_COLUMNS]

    def rows() -> Iterator[list[Any]]:
        for row in stored(wire.rows(conversations), wire.STREAM_ROWS):
            *lead, messages = (row[field] for field in fields)
            for number, message in enumerate(messages_of(messages), start=1):
                yield [*lead, number, *message_cells(message)]

    return tables.separated(header, rows())


FORMATS = {
    "ndjson": (ndjson, tables.JSON_LINES, "conversations.ndjson"),
    "csv": (conversations_csv, tables.CSV, "conversations.csv"),
    "messages_csv": (messages_csv, tables.CSV, "messages.csv"),
}
"""Format → what writes it, its content type, and the file's name. The first is the default."""


def wire_name(column: str) -> str:
    """``agent_config_id`` → ``agentConfigId``; flat, so that a qualification is two columns."""
    first, *rest = column.split("_")
    return "_id" if column == "id" else first + "".join(map(str.capitalize, rest))


def messages_of(stored: Any) -> list[Any]:
    """The messages as they lie in the store, parsed. What is no list of messages counts as one that is damaged."""
    if not isinstance(stored, list):
        try:
            stored = orjson.loads(stored)
        except orjson.JSONDecodeError:
            stored = stored.decode(errors="replace") if isinstance(stored, bytes) else str(stored)
    return stored if isinstance(stored, list) else [stored]


def message_cells(message: Any) -> list[Any]:
    """A message under ``MESSAGE_HEADER``; a damaged one has no role, and all that is there stands as its content."""
    if isinstance(message, dict) and all(isinstance(message.get(key), str) for key in ("role", "content")):
        return [message["role"], message.get("timestamp"), message.get("agentConfigId"), message["content"]]
    whole = message if isinstance(message, str) else orjson.dumps(message, default=str).decode()
    return [None, None, None, whole]


def stored(rows: Any, number: int) -> Iterator[wire.Row]:
    """Rows, some fetched at a time, as the store was when the first was read."""
    with snapshot():
        yield from rows.iterator(chunk_size=number)
