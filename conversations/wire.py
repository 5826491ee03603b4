"""The wire shape of a conversation, in the one place that knows it (contract, section 1).

Reading does not parse what it only passes on: on SQL the messages column already is the JSON that the client gets, and
the database itself puts a conversation's text together around it (``SHAPE``). On MongoDB messages come as documents and
are serialised once (``document``). Both give the same bytes; a test compares them.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import orjson
from django.db import connection, models
from django.db.models import Func
from rest_framework.renderers import BaseRenderer

from accounts.tables import log_end
from config.storage.expressions import StoredDocuments
from config.storage.json_text import DIALECTS, Dialect
from config.storage.prepared import Prepared
from config.storage.search import engine_of, is_none, looked_up, page_of
from config.storage.transaction import snapshot
from conversations.messages import format_moment
from conversations.models import Conversation, ConversationQuerySet
from conversations.places import ID_LENGTH

COLUMNS = (
    "id",
    "lead_id",
    "account_id",
    "agent_config_id",
    "channel",
    "lead_phone",
    "status",
    "current_stage_index",
    "stored_messages",
    "message_count",
    "created_at",
    "updated_at",
    "campaign_id",
    "lead_email",
    "current_stage_name",
    "summary",
    "qualified",
    "qualification_reason",
)
Row = tuple[Any, ...]

SHAPE = (
    ("_id", "_id", "id"),
    ("leadId", "lead_id", "text"),
    ("accountId", "account_id", "id"),
    ("agentConfigId", "agent_config_id", "id"),
    ("channel", "channel", "text"),
    ("leadPhone", "lead_phone", "text"),
    ("status", "status", "text"),
    ("currentStageIndex", "current_stage_index", "integer"),
    ("messages", "messages", "json"),
    ("messageCount", "message_count", "integer"),
    ("createdAt", "created_at", "moment"),
    ("updatedAt", "updated_at", "moment"),
    ("campaignId", "campaign_id", "optional"),
    ("leadEmail", "lead_email", "optional"),
    ("currentStageName", "current_stage_name", "optional"),
    ("summary", "summary", "optional"),
)
"""The wire's name, the column and its kind; ``qualificationResult``, which is made of two columns, comes last."""

QUOTED = {"id": '"%s"', "text": "%s", "integer": "%s", "json": "%s"}
"""How a value stands in the text, but for a moment; an id has nothing that would need escaping."""

ID_AT, CHANGED_AT = '{"_id":"', '","updatedAt":"'
"""Where in such a text its id stands, and when it changed: in no value, for there quotes are escaped."""

MOMENT_LENGTH = len("2026-11-01T00:00:00.000Z")

STREAM_ROWS = 20
"""Conversations fetched at a time while an account is streamed; few, for each may be megabytes."""

STREAM_BYTES = 1 << 17
"""What is sent at a time, at least."""


def rows(conversations: ConversationQuerySet) -> Any:
    """The columns an answer is made of, as tuples in the order of ``COLUMNS``."""
    return conversations.annotate(stored_messages=StoredDocuments("messages")).values_list(*COLUMNS)


class Written(Func):
    """A whole conversation as its text on the wire, put together by the database."""

    output_field = models.TextField()

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:  # type: ignore[override]
        dialect = DIALECTS[connection.vendor]
        table = connection.ops.quote_name(compiler.query.get_initial_alias())
        return _written(dialect).replace("{table}", table), ()


@cache
def _written(dialect: Dialect) -> str:
    """SQL for a conversation's text, of the columns of ``{table}``.

    One call of a function that formats: a chain of as many ``||`` copies its beginning again with each.
    """
    template, values = [], []
    for name, column, kind in SHAPE:
        key, at = f'"{name}":', f"{{table}}.{column}"
        if kind == "optional":
            value = dialect.text.replace("{column}", at)
            template.append("%s")
            values.append(f"CASE WHEN {at} <> '' THEN ',{key}' || {value} ELSE '' END")
            continue
        place = dialect.moment_place if kind == "moment" else QUOTED[kind]
        template.append(f"{',' if template else '{'}{key}{place}")
        values.append(at if kind == "id" else getattr(dialect, kind).replace("{column}", at))
    reason = dialect.text.replace("{column}", "{table}.qualification_reason")
    qualified = dialect.true.replace("{column}", "{table}.qualified")
    template.append("%s}")
    values.append(
        """CASE WHEN {table}.qualified IS NULL THEN '' ELSE ',"qualificationResult":{"qualified":' || """
        f"""CASE WHEN {qualified} THEN 'true' ELSE 'false' END || ',"reason":' || {reason} || '}}' END"""
    )
    text = "".join(template).replace("%", "%%")  # a query has parameters, whose places are written the same way
    return dialect.whole.replace("{whole}", f"{dialect.format}('{text}', {', '.join(values)})")


def written(conversations: ConversationQuerySet) -> Any:
    """Rows for ``shown`` and ``place``: texts where the database can put them together, else the columns.

    What is masked the database cannot put together.
    """
    if connection.vendor in DIALECTS and not conversations.is_masked:
        return conversations.annotate(written=Written()).values_list("written")
    return rows(conversations)


def _first(account: str, environment: str, limit: int) -> Any:
    return written(Conversation.objects.owned_by(account, environment).newest_first())[:limit]


first_rows = Prepared(_first, values=2, has_limit=True)
"""The newest of an account, the page that is asked for most: rows as of ``written``."""


def page(conversations: ConversationQuerySet, most: int) -> list[Row]:
    """The first ``most``, newest first, as rows of ``written``."""
    engine, is_plain = engine_of(connection), not conversations.is_masked
    keys = [] if is_none(conversations) else page_of(conversations, most) if is_plain else None
    if keys is None or engine is None:
        return list(written(conversations.first_of(most)))
    return _named(engine.packed(keys)) if keys else []


_named = Prepared(lambda keys: written(looked_up(Conversation.objects.all(), keys).newest_first()), values=1)
"""Those with these primary keys."""


def shown(row: Row) -> Any:
    """A conversation in an answer, of a row of ``written``."""
    return orjson.Fragment(row[0]) if len(row) == 1 else document(row)


def text_of(row: Row) -> bytes:
    """The same as bytes. A damaged row, which the database could not write, is shown as far as can be."""
    return orjson.dumps(shown(row), default=str)


def place(row: Row) -> tuple[str, str]:
    """Where a conversation of a row of ``written`` stands: when it changed, as the wire writes it, and its id."""
    if len(row) == 1:
        text = row[0].decode() if isinstance(row[0], bytes) else row[0]
        changed = text.rindex(CHANGED_AT) + len(CHANGED_AT)  # the last: stored messages may have any names
        return text[changed : changed + MOMENT_LENGTH], text[len(ID_AT) : len(ID_AT) + ID_LENGTH]
    return format_moment(row[COLUMNS.index("updated_at")]), row[0]


def document(row: Row) -> dict[str, Any]:
    """A row as the wire shows it: the seed's key order, an optional field without a value left out."""
    (
        pk,
        lead_id,
        account_id,
        agent_config_id,
        channel,
        lead_phone,
        status,
        stage_index,
        messages,
        message_count,
        created_at,
        updated_at,
        campaign_id,
        lead_email,
        stage_name,
        summary,
        qualified,
        reason,
    ) = row
    answer = {
        "_id": pk,
        "leadId": lead_id,
        "accountId": account_id,
        "agentConfigId": agent_config_id,
        "channel": channel,
        "leadPhone": lead_phone,
        "status": status,
        "currentStageIndex": stage_index,
        "messages": messages if isinstance(messages, list) else orjson.Fragment(messages),
        "messageCount": message_count,
        "createdAt": format_moment(created_at),
        "updatedAt": format_moment(updated_at),
    }
    if campaign_id:
        answer["campaignId"] = campaign_id
    if lead_email:
        answer["leadEmail"] = lead_email
    if stage_name:
        answer["currentStageName"] = stage_name
    if summary:
        answer["summary"] = summary
    if qualified is not None:
        answer["qualificationResult"] = {"qualified": qualified, "reason": reason}
    return answer


def stream(conversations: ConversationQuerySet) -> Iterator[bytes]:
    """A JSON array of all ``conversations``, piece by piece, as the store was when it began; constant memory.

    Where it breaks off, it lacks its closing bracket, on purpose: no parser takes it for the whole.
    """
    piece, separator, end = bytearray(b"["), b"", b"]"
    try:
        with snapshot():
            for row in written(conversations).iterator(chunk_size=STREAM_ROWS):
                piece += separator + text_of(row)
                separator = b","
                if len(piece) >= STREAM_BYTES:
                    yield bytes(piece)
                    piece.clear()
    except Exception as error:
        log_end(error)
        end = b""
    yield bytes(piece + end)


class WireRenderer(BaseRenderer):
    """JSON by orjson, which splices what is JSON already. The only renderer of the API."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=_plain)


def _plain(value: object) -> object:
    """What is not JSON: DRF's strings that know their code, its lists, and what a damaged document may hold."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes) else str(value)
