"""Messages: what one may be. They are stored in the wire's own shape, so that reading can pass them on as they lie."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.validators import validate_text
from config.storage.fields import is_object_id
from config.storage.moments import format_moment as format_moment
from config.storage.moments import parse_moment as parse_moment

MAX_CONTENT_LENGTH = 16_000
"""Characters a message."""

MAX_MESSAGES = 5_000
"""Messages a conversation."""


class Role(TextChoices):
    """Who wrote a message. The product documents ``agent``; the others are ours (contract, section 1)."""

    AGENT = "agent", _("AI agent")
    LEAD = "lead", _("Lead")
    HUMAN = "human", _("Sales team")
    SYSTEM = "system", _("System")


NO_ROLE = "none"
LAST_ROLES = [*Role.choices, (NO_ROLE, _("Nobody"))]
"""Who wrote last; nobody, where there are no messages."""

PREVIEW = 160
"""Characters of the last message that a list shows."""

UNKNOWN_SENDER = "Unknown sender"
ROLES = frozenset(map(str, Role))
KEYS = ("role", "content", "timestamp", "agentConfigId")


def clean_messages(given: object, *, default_timestamp: datetime) -> list[dict[str, Any]]:
    """Messages as they are stored, from what a caller sent.

    Unknown keys are dropped, a missing timestamp is ``default_timestamp``, others become UTC milliseconds.
    Raises ValidationError with one line for each fault, such as ``messages[3].content: …``.
    """
    if not isinstance(given, list):
        raise ValidationError("Must be a list of messages.")
    if len(given) > MAX_MESSAGES:
        raise ValidationError(f"At most {MAX_MESSAGES:,} messages a conversation.")
    messages, faults = [], []
    for index, message in enumerate(given):
        try:
            messages.append(_clean_message(message, default_timestamp))
        except ValueError as error:
            faults.append(f"messages[{index}]{error}")
            if len(faults) == 20:
                break
    if faults:
        raise ValidationError(faults)
    return messages


def _clean_message(given: object, default_timestamp: datetime) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError(": Must be an object.")
    _check_role(given.get("role"))
    _check_content(given.get("content"))
    timestamp = given.get("timestamp")
    try:
        moment = default_timestamp if timestamp is None else parse_moment(timestamp)
    except ValueError as error:
        raise ValueError(f".timestamp: {error}") from None
    message = {"role": given["role"], "content": given["content"], "timestamp": format_moment(moment)}
    agent = given.get("agentConfigId")
    if agent is not None:
        _check_agent(agent)
        message["agentConfigId"] = agent
    return message


def validate_messages(messages: object) -> None:
    """Refuse messages that are not in their stored shape already."""
    if not isinstance(messages, list) or len(messages) > MAX_MESSAGES:
        raise ValidationError(f"Must be a list of at most {MAX_MESSAGES:,} messages.")
    for index, message in enumerate(messages):
        try:
            if not isinstance(message, dict) or not message.keys() <= set(KEYS):
                raise ValueError(f": Must be an object of {', '.join(KEYS)}.")
            _check_role(message.get("role"))
            _check_content(message.get("content"))
            if format_moment(parse_moment(message.get("timestamp"))) != message["timestamp"]:
                raise ValueError(".timestamp: Must be UTC with milliseconds.")
            if "agentConfigId" in message:
                _check_agent(message["agentConfigId"])
        except ValueError as error:
            raise ValidationError(f"messages[{index}]{error}") from None


def _check_role(role: object) -> None:
    if not isinstance(role, str) or role not in ROLES:
        raise ValueError(f".role: Must be one of {', '.join(Role.values)}.")


def _check_content(content: object) -> None:
    if not isinstance(content, str):
        raise ValueError(".content: Must be a string.")
    if len(content) > MAX_CONTENT_LENGTH:
        raise ValueError(f".content: At most {MAX_CONTENT_LENGTH:,} characters.")
    try:
        validate_text(content)
    except ValidationError as error:
        raise ValueError(f".content: {error.message}") from None


def _check_agent(agent: object) -> None:
    if not is_object_id(agent):
        raise ValueError(".agentConfigId: Must be an ObjectId: 24 lower-case hexadecimal digits.")


def ending_of(messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A conversation's ``last_role``, ``last_text`` and ``last_lead_at``: the end of it, and the lead's last word."""
    by_lead = next((message for message in reversed(messages) if message["role"] == Role.LEAD), None)
    return {
        "last_role": messages[-1]["role"] if messages else "",
        "last_text": " ".join(messages[-1]["content"][: 2 * PREVIEW].split())[:PREVIEW] if messages else "",
        "last_lead_at": parse_moment(by_lead["timestamp"]) if by_lead else None,
    }


def beginning_of(messages: Sequence[dict[str, Any]], *, is_asked: bool = False) -> dict[str, Any]:
    """A conversation's ``first_lead_at``, and ``first_reply_at``: the first answer after it, an agent's or a person's.

    ``is_asked``: the lead has written before these messages.
    """
    asked = None
    for message in messages:
        if asked is None and message["role"] == Role.LEAD:
            asked = parse_moment(message["timestamp"])
        elif (is_asked or asked) and message["role"] in (Role.AGENT, Role.HUMAN):
            return {"first_lead_at": asked, "first_reply_at": parse_moment(message["timestamp"])}
    return {"first_lead_at": asked, "first_reply_at": None}


def speaker_of(role: object) -> str:
    """Who wrote a stored message, in a word."""
    return str(Role(role).label) if isinstance(role, str) and role in ROLES else gettext("Unknown sender")


def contents_of(messages: Iterable[Any]) -> list[str]:
    """The texts of stored messages; a damaged message has none."""
    return [
        message["content"]
        for message in messages
        if isinstance(message, dict) and isinstance(message.get("content"), str)
    ]


def bytes_of(messages: list[dict[str, Any]], text: str) -> int:
    """What messages and their search text take in the store, in bytes, a little generously."""
    overhead = 80  # a message's keys, timestamp and agent id, in JSON or BSON
    return sum(len(content.encode()) + overhead for content in contents_of(messages)) + len(text.encode())
