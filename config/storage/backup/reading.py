"""Reading a file into a store. What is wrong with the file is a BadBackup, before anything is written."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from django.db import connection, models, transaction

from config import __version__
from config.storage.backup.tables import (
    BATCH_BYTES,
    BATCH_ROWS,
    FORMAT,
    BadBackup,
    NotEmpty,
    Table,
    fields_of,
    hashed,
    migrations,
    tables,
)
from config.storage.transaction import snapshot_of_all


def check(path: Path) -> list[Table]:
    """Read the whole file. Raises BadBackup where it is not what was written, or of another release."""
    found = []
    with _opened(path) as lines:
        header = next(lines)
        if header.get("migrations") != migrations():
            raise BadBackup(
                f"The backup was made by Parley {header.get('parley')}, whose tables are not those of {__version__}. "
                "Restore it with that release, then upgrade."
            )
        for model, rows in _sections(lines):
            digest, number = sha256(), 0
            for line in rows:
                digest.update(line)
                number += 1
            found.append(Table(model._meta.label, number, digest.hexdigest()))
    return found


def restore(path: Path) -> tuple[list[Table], list[Table]]:
    """Fill an empty store, all or nothing. Returns what the file says and what the store then holds: the same.

    Raises BadBackup, before anything is written, and NotEmpty.
    """
    asked = check(path)
    for model in tables():
        if model._base_manager.exists():
            raise NotEmpty(model._meta.label)
    if connection.vendor == "mongodb":  # a transaction there is bounded to 16 MB and a minute
        try:
            _load(path)
        except BaseException:
            for model in reversed(tables()):
                model._base_manager.all().delete()
            raise
    else:
        with transaction.atomic():
            _load(path)
    with snapshot_of_all():
        return asked, [hashed(model) for model in tables()]


def _load(path: Path) -> None:
    with _opened(path) as lines:
        next(lines)
        for model, rows in _sections(lines):
            batch: list[models.Model] = []
            size = 0
            for line in rows:
                batch.append(_row(model, line))
                size += len(line)
                if len(batch) >= BATCH_ROWS or size >= BATCH_BYTES:
                    model._base_manager.bulk_create(batch)
                    batch, size = [], 0
            model._base_manager.bulk_create(batch)


def _row(model: type[models.Model], line: bytes) -> models.Model:
    values = zip(fields_of(model), orjson.loads(line), strict=True)
    return model(**{field.attname: field.to_python(value) for field, value in values})


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[Any]]:
    """The lines of a file: objects parsed, rows as they are. What is wrong with the file is a BadBackup."""
    try:
        with gzip.open(path, "rb") as file:
            lines = (line if line.startswith(b"[") else orjson.loads(line) for line in file)
            header = next(lines, None)
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                raise BadBackup("This is not a backup that this release can read.")
            yield _from(header, lines)
    except (gzip.BadGzipFile, EOFError, orjson.JSONDecodeError) as error:
        raise BadBackup(f"The file is damaged: {error}") from None


def _from(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _sections(lines: Iterator[Any]) -> Iterator[tuple[type[models.Model], Iterator[bytes]]]:
    """Each table with its rows, which are to be read before the next. Raises BadBackup where the file lacks some."""
    expected = {model._meta.label: model for model in tables()}
    for line in lines:
        if not isinstance(line, dict):
            raise BadBackup("The file is damaged: a row stands outside of a table.")
        if line.get("whole"):
            if expected:
                raise BadBackup(f"The backup has no {', '.join(expected)}.")
            return
        model = expected.pop(str(line.get("table")), None)
        if model is None or line.get("fields") != [field.attname for field in fields_of(model)]:
            raise BadBackup(f"This release has no such table: {line.get('table')}.")
        yield model, _rows(lines)
    raise BadBackup("The file is damaged: it ends too early.")


def _rows(lines: Iterator[Any]) -> Iterator[bytes]:
    digest = sha256()
    for number, line in enumerate(lines):
        if isinstance(line, dict):
            if (number, digest.hexdigest()) != (line.get("rows"), line.get("sha256")):
                raise BadBackup("The file is damaged: a table is not what was written.")
            return
        digest.update(line)
        yield line
    raise BadBackup("The file is damaged: it ends too early.")
