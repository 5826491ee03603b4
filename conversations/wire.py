"""The wire shape of a conversation, in the one place that knows it (contract, section 1).

Reading does not parse what it only passes on: on SQL the messages column already is the JSON that the client gets, and
is spliced into the answer. On MongoDB messages come as documents and are serialised once.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer

from accounts.tables import log_end
from config.storage.expressions import StoredDocuments
from config.storage.transaction import snapshot
from conversations.messages import format_moment
from conversations.models import ConversationQuerySet

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

STREAM_ROWS = 20
"""Conversations fetched at a time while an account is streamed; few, for each may be megabytes."""

STREAM_BYTES = 1 << 17
"""What is sent at a time, at least."""


def rows(conversations: ConversationQuerySet) -> Any:
    """The columns an answer is made of, as tuples in the order of ``COLUMNS``."""
    return conversations.annotate(stored_messages=StoredDocuments("messages")).values_list(*COLUMNS)


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
    shown = {
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
        shown["campaignId"] = campaign_id
    if lead_email:
        shown["leadEmail"] = lead_email
    if stage_name:
        shown["currentStageName"] = stage_name
    if summary:
        shown["summary"] = summary
    if qualified is not None:
        shown["qualificationResult"] = {"qualified": qualified, "reason": reason}
    return shown


def stream(conversations: ConversationQuerySet) -> Iterator[bytes]:
    """A JSON array of all ``conversations``, piece by piece, as the store was when it began; constant memory.

    Where it breaks off, it lacks its closing bracket, on purpose: no parser takes it for the whole.
    """
    piece, separator, end = bytearray(b"["), b"", b"]"
    try:
        with snapshot():
            for row in rows(conversations).iterator(chunk_size=STREAM_ROWS):
                piece += separator + orjson.dumps(document(row), default=str)
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
