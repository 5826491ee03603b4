"""Django's cache in the store itself, so that all processes share it and ``add`` happens once.

It is for the little that signing in has to remember between requests: which codes were used, how often somebody asked
for a mail. Django's own cache in the database has no MongoDB, and a table that no migration makes; one in memory is
each process's own, which would let every worker accept the same code again.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import IntegrityError, connection, transaction

from config.storage.moments import now

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
CLEAN_EVERY = 600  # seconds


class StoreCache(BaseCache):
    """Keeps what JSON can say."""

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._clean_at = 0.0

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        found = self._entries.filter(pk=self._name(key, version), expires_at__gt=now()).values_list("value", flat=True)
        return next(iter(found[:1]), default)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        name = self._name(key, version)
        values = {"value": value, "expires_at": self._end(timeout)}
        if not self._entries.filter(pk=name).update(**values) and not self._insert(name, **values):
            self._entries.filter(pk=name).update(**values)  # another process was first
        self._clean()

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Whether it was not there. Of several at once, exactly one is told so."""
        name = self._name(key, version)
        values = {"value": value, "expires_at": self._end(timeout)}
        # What has expired is taken over by one statement, that only one process can win.
        added = bool(self._entries.filter(pk=name, expires_at__lte=now()).update(**values)) or (
            not self._entries.filter(pk=name).exists() and self._insert(name, **values)
        )
        self._clean()
        return added

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        entry = self._entries.filter(pk=self._name(key, version), expires_at__gt=now())
        return bool(entry.update(expires_at=self._end(timeout)))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._entries.filter(pk=self._name(key, version)).delete()[0])

    def clear(self) -> None:
        self._entries.all().delete()

    @property
    def _entries(self) -> Any:
        from accounts.models.remembered import Remembered

        return Remembered.objects

    def _name(self, key: str, version: int | None) -> str:
        return self.make_and_validate_key(key, version=version)

    def _end(self, timeout: Any) -> datetime:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return FOREVER if seconds is None else now() + timedelta(seconds=seconds)

    def _insert(self, name: str, **values: Any) -> bool:
        try:
            if connection.vendor == "mongodb":  # an insert is one write there, and needs no transaction
                self._entries.model(pk=name, **values).save(force_insert=True)
            else:
                with transaction.atomic():
                    self._entries.model(pk=name, **values).save(force_insert=True)
        except IntegrityError:
            return False
        return True

    def _clean(self) -> None:
        if time.monotonic() >= self._clean_at:
            self._clean_at = time.monotonic() + CLEAN_EVERY
            self._entries.filter(expires_at__lte=now()).delete()
