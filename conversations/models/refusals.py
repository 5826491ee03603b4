"""Why something cannot be done with a conversation."""

from django.core.exceptions import ValidationError


class ConversationFull(ValidationError):
    """The conversation cannot hold that much more."""


class StatusNotAllowed(ValidationError):
    """``active`` is where a conversation begins: nothing returns to it."""


class StatusMoved(Exception):
    """Somebody else has changed the status since it was looked at."""
