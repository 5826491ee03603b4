"""What of a conversation may hold its lead's phone or e-mail, masked (``accounts.masking``)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from accounts.masking import HIDDEN, mask_email, mask_phone, mask_text

ERASED = "erased"
"""Stands where the phone of a lead stood that was erased: a conversation must have one."""

TEXTS = ("current_stage_name", "summary", "qualification_reason", "last_text")
MESSAGES = ("messages", "stored_messages")


def masked_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of ``values``, by their fields' names, that are not what they were."""
    phone, email = str(values.get("lead_phone") or ""), str(values.get("lead_email") or "")
    mask = partial(mask_text, phone=phone, email=email)
    found: dict[str, Any] = {}
    if phone and phone != ERASED:
        found["lead_phone"] = mask_phone(phone)
    if email:
        found["lead_email"] = mask_email(email)
    for name in TEXTS:
        if isinstance(values.get(name), str):
            found[name] = mask(values[name])
    for name in MESSAGES:
        if name in values:
            found[name] = _messages(values[name], mask)
    if values.get("lead_id"):
        found["lead_id"] = _lead_id(str(values["lead_id"]), mask)
    if "search_text" in values:
        found["search_text"] = ""
    return found


def holds_masked(values: Mapping[str, Any]) -> bool:
    """Whether what somebody sends was masked when they read it: to keep it would be to lose what it stands for."""
    texts = [values.get(name) for name in ("lead_id", "lead_phone", "lead_email", *TEXTS)]
    texts += [message.get("content") for message in values.get("messages") or () if isinstance(message, dict)]
    return any(isinstance(text, str) and HIDDEN in text for text in texts)


def _lead_id(lead_id: str, mask: Callable[[str], str]) -> str:
    """The caller's own number stays, however long it is; one that is made of the phone or e-mail does not."""
    shown = mask(lead_id)
    is_number = lead_id.isdigit() and shown == mask_text(lead_id)
    return lead_id if is_number else shown


def _messages(stored: Any, mask: Callable[[str], str]) -> Any:
    """Stored messages, whatever lies there: JSON on SQL, documents on MongoDB. What is damaged stays so, masked."""
    if isinstance(stored, str | bytes):
        try:
            stored = orjson.loads(stored)
        except orjson.JSONDecodeError:
            text = stored.decode(errors="replace") if isinstance(stored, bytes) else stored
            return [mask(text)]
    return _texts(stored, mask)


def _texts(value: Any, mask: Callable[[str], str]) -> Any:
    """Messages with their contents masked; the rest of a sound one holds no text of anybody's."""
    if not isinstance(value, list):
        return mask(value) if isinstance(value, str) else value
    return [
        {**message, "content": mask(message["content"])}
        if isinstance(message, dict) and isinstance(message.get("content"), str)
        else _deep(message, mask)
        for message in value
    ]


def _deep(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _deep(one, mask) for key, one in value.items()}
    if isinstance(value, list):
        return [_deep(one, mask) for one in value]
    return mask(value) if isinstance(value, str) else value
