"""How a place in a list stands in a URL: what it is ordered by there, and the conversation's id among equals."""

import base64

from config.storage.fields import is_object_id

ID_LENGTH = 24


def pack(value: str, pk: str) -> str:
    return base64.urlsafe_b64encode(f"{value}{pk}".encode()).decode().rstrip("=")


def unpack(text: str) -> tuple[str, str]:
    """Value and id. Raises ValueError for what ``pack`` never gives."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except ValueError:  # of which binascii.Error is one
        plain = ""
    value, pk = plain[:-ID_LENGTH], plain[-ID_LENGTH:]
    if not is_object_id(pk):
        raise ValueError("Is not a cursor that this API gave.")
    return value, pk
