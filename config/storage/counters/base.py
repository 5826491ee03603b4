"""What the counters of all stores have in common."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from config.storage.counters.window import LONGEST, SPAN, Use, Window

log = logging.getLogger(__name__)

TABLE = "rate_limit_counters"

PATIENCE = 2
"""Seconds that a request waits for the counters, at most."""

REST = 5
"""Seconds in which counters that failed are not asked again: an answer must not wait for them each time."""


class CountersUnavailable(Exception):
    """The counters cannot be read or written now; the log says why, once in ``REST`` seconds."""


class Counters(ABC):
    """One object a process, shared by its threads. Subclasses say how one store counts."""

    errors: tuple[type[Exception], ...]
    """What the store raises when it fails."""

    def __init__(self, turn: AbstractContextManager[Any]) -> None:
        self._turn = turn
        self._resting_until = 0.0
        self._purge_at = 0

    def take(self, windows: Sequence[Window], moment: int, firm: int = 0) -> list[Use]:
        """Count one request in all ``windows``, or in none of them where one is full.

        The first ``firm`` of them stay counted where a later one is full. The answer has a use for each window up to
        the first that refused. Of the others put the narrow one first: what is taken there for a moment, before a wider
        one refuses, then hinders nobody who would have passed. Raises CountersUnavailable.
        """
        with self._turn:
            if time.monotonic() < self._resting_until:
                raise CountersUnavailable
            try:
                try:
                    return self._take_and_purge(windows, moment, firm)
                except self.errors as error:
                    if not self._mend(error):
                        raise
                    return self._take_and_purge(windows, moment, firm)
            except self.errors as error:
                self._resting_until = time.monotonic() + REST
                log.error("Requests are not counted for the next %s seconds: %s", REST, str(error).strip())
                raise CountersUnavailable from error

    def give_back(self, uses: Sequence[Use]) -> None:
        """Take back what ``take`` counted, as far as its windows are still the present ones."""
        with self._turn:
            try:
                for use in uses:
                    self._give_back(use)
            except self.errors as error:
                log.error("What was counted could not be given back: %s", str(error).strip())

    def clear(self) -> None:
        """Forget everything that was counted, and let go of the store."""
        with self._turn:
            self._resting_until, self._purge_at = 0.0, 0
            self._clear()

    def _take_and_purge(self, windows: Sequence[Window], moment: int, firm: int) -> list[Use]:
        if moment >= self._purge_at:
            self._purge(moment - 2 * LONGEST)
            self._purge_at = moment + SPAN
        return self._take(windows, moment, firm)

    @abstractmethod
    def _take(self, windows: Sequence[Window], moment: int, firm: int) -> list[Use]:
        """``take``, once."""

    @abstractmethod
    def _give_back(self, use: Use) -> None:
        """``give_back`` of one."""

    @abstractmethod
    def _mend(self, error: Exception) -> bool:
        """Do what may help against ``error``; whether to try once more."""

    @abstractmethod
    def _purge(self, moment: int) -> None:
        """Remove what began at ``moment`` or before: it weighs nothing any more."""

    @abstractmethod
    def _clear(self) -> None: ...
