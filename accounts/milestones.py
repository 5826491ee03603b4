"""When what operators do last was done: an import, a backup. The health page tells of it."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError
from django.utils.dateparse import parse_datetime

from config.storage.moments import now


def remember(event: str, **facts: int) -> None:
    """``event`` is done. Where that cannot be written, what was done still stands."""
    with suppress(DatabaseError):
        cache.set(f"last:{event}", {"at": now().isoformat(), **facts}, None)


def last(event: str) -> tuple[datetime, dict[str, Any]] | None:
    """When it was done last, and with which facts."""
    told = cache.get(f"last:{event}")
    moment = parse_datetime(told.pop("at", "")) if isinstance(told, dict) else None
    return (moment, told) if moment else None
