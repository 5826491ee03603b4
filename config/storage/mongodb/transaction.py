"""Transactions and snapshots on MongoDB (a replica set or a sharded cluster)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import DatabaseError
from django_mongodb_backend.query import wrap_database_errors
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError
from pymongo.read_concern import ReadConcern

R = TypeVar("R")


@wrap_database_errors
def run_in_transaction(connection: Any, function: Callable[[], R]) -> R:
    """Run ``function`` in a transaction, again on a passing conflict, for at most the driver's two minutes.

    Where no server was found, as long as ``serverSelectionTimeoutMS`` says, nothing is tried again.
    """
    if connection.in_atomic_block_mongo:
        return function()

    hooks = list(connection.run_on_commit)

    def attempt(session: Any) -> R:
        connection.session, connection.in_atomic_block_mongo = session, True
        connection.run_on_commit = list(hooks)  # without those of an attempt that failed
        try:
            return function()
        except (DatabaseError, PyMongoError) as error:
            cause = error if isinstance(error, PyMongoError) else error.__cause__
            if isinstance(cause, ServerSelectionTimeoutError):
                raise DatabaseError(str(cause)) from cause  # which the driver leaves alone
            # The driver knows its own errors only, so a conflict has to reach it unwrapped.
            if isinstance(cause, PyMongoError) and cause.has_error_label("TransientTransactionError"):
                raise cause from None
            raise
        finally:
            connection.session, connection.in_atomic_block_mongo = None, False

    connection.ensure_connection()
    with connection.connection.start_session() as session:
        result: R = session.with_transaction(attempt)
    if not connection.in_atomic_block:  # Django's own, which the admin is in, calls them at its end
        connection.run_and_clear_commit_hooks()
    return result


@contextmanager
def snapshot_session(connection: Any) -> Iterator[None]:
    """Reads inside see one point in time; the server keeps it for five minutes (minSnapshotHistoryWindowInSeconds)."""
    if connection.session is not None:
        yield
        return
    connection.ensure_connection()
    with connection.connection.start_session(snapshot=True) as session:
        connection.session = session
        try:
            yield
        finally:
            connection.session = None


@contextmanager
def read_at_once(connection: Any) -> Iterator[None]:
    """The reads inside, which take no time, see one moment, and all that was acknowledged before."""
    connection.ensure_connection()
    if connection.session is not None:
        yield
    elif connection.connection.write_concern.document.get("w") == "majority":
        with snapshot_session(connection):  # of what a majority has
            yield
    else:
        with connection.connection.start_session() as session:
            session.start_transaction(ReadConcern("local"))
            connection.session = session
            try:
                yield
            finally:
                connection.session = None
                session.abort_transaction()  # which waits for nobody, unlike a commit
