"""Folding documents with differences into fewer that add up to the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import WriteConcern
from pymongo.errors import OperationFailure

from config.storage.outages import by_the_way

FOLDED_AT_ONCE = 10_000
"""Documents that one fold takes, at most."""

WRITE_CONFLICT = 112


@contextmanager
def folding(connection: Any, what: str) -> Iterator[Any]:
    """The session of a transaction that is given up where somebody else folds the same."""
    # Nobody waits until a majority has it: where it is lost, all of it is, and the sums are what they were.
    quickly = WriteConcern(1)
    with by_the_way(what):
        try:
            with connection.connection.start_session() as session, session.start_transaction(write_concern=quickly):
                yield session
        except OperationFailure as error:
            if error.code != WRITE_CONFLICT:
                raise
