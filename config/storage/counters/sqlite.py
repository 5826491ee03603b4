"""Counters in a SQLite file of their own beside the main one: ``parley.limits.sqlite3`` beside ``parley.sqlite3``.

One connection a process and a lock: threads of their own connections would meet in SQLite's busy handler, which sleeps
milliseconds, where a transaction takes microseconds. The journal is in memory, so that the file is all there is, and
whoever deletes it deletes everything.
"""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from django.db import connection

from config.storage.counters.base import PATIENCE, TABLE, Counters
from config.storage.counters.window import Use, Window

CREATE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    name text PRIMARY KEY, started integer NOT NULL, counted integer NOT NULL, before integer NOT NULL
) WITHOUT ROWID
"""
FIND = f"SELECT started, counted, before FROM {TABLE} WHERE name = ?"  # noqa: S608
KEEP = f"REPLACE INTO {TABLE} (name, started, counted, before) VALUES (?, ?, ?, ?)"  # noqa: S608
GIVE_BACK = f"UPDATE {TABLE} SET counted = counted - 1 WHERE name = ? AND started = ? AND counted > 0"  # noqa: S608
PURGE = f"DELETE FROM {TABLE} WHERE started <= ?"  # noqa: S608


def limits_file(main: str) -> Path | None:
    """The file of the counters beside the ``main`` one; None beside a store that is in memory."""
    path = Path(main)
    return path.with_name(f"{path.stem}.limits{path.suffix}") if path.is_absolute() else None


class SQLiteCounters(Counters):
    errors = (sqlite3.Error, OSError)

    def __init__(self) -> None:
        super().__init__(Lock())
        self._connection: sqlite3.Connection | None = None
        self._file: Path | None = None
        self._opened: tuple[int, int] | None = None

    def _open(self) -> sqlite3.Connection:
        """The connection, to the file that is there now: another process may have deleted or replaced it."""
        if self._connection and self._is_current():
            return self._connection
        self._close()
        self._file = limits_file(str(connection.settings_dict["NAME"]))
        self._connection = sqlite3.connect(
            self._file or ":memory:", timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        self._opened = _identity(self._file) if self._file else None
        self._connection.execute("PRAGMA journal_mode = MEMORY")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute(CREATE)
        return self._connection

    def _is_current(self) -> bool:
        return self._file is None or (self._opened is not None and self._opened == _identity(self._file))

    def _take(self, windows: Sequence[Window], moment: int, firm: int) -> list[Use]:
        counters = self._open()
        execute = counters.execute
        execute("BEGIN IMMEDIATE")
        try:
            uses: list[Use] = []
            for window in windows:
                use = window.use(moment, execute(FIND, (window.name,)).fetchone())
                uses.append(use)
                if not use.admitted:
                    break
            for kept in uses if use.admitted else uses[: min(firm, len(uses) - 1)]:
                execute(KEEP, (kept.window.name, kept.started, kept.counted, kept.before))
            execute("COMMIT")
            return uses
        finally:
            if counters.in_transaction:
                execute("ROLLBACK")

    def _give_back(self, use: Use) -> None:
        self._open().execute(GIVE_BACK, (use.window.name, use.started))

    def _purge(self, moment: int) -> None:
        self._open().execute(PURGE, (moment,))

    def _mend(self, error: Exception) -> bool:
        """A file that cannot be used, damaged or of another version, is replaced: it is worth a minute of counting."""
        is_ours = self._is_current()
        self._close()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return False
        if self._file and is_ours:  # else another process has replaced it already
            self._file.unlink(missing_ok=True)
        return True

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = self._opened = None

    def _clear(self) -> None:
        if self._connection:
            self._close()
            if self._file:
                self._file.unlink(missing_ok=True)


def _identity(file: Path) -> tuple[int, int] | None:
    """Which file has this name now; None where none has."""
    try:
        found = os.stat(file)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
