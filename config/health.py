"""What load balancers and supervisors ask: is the process alive, and may it have requests."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from config.storage.migrated import missing_migrations
from config.storage.search import engine_of, index_of
from conversations.models import Conversation

log = logging.getLogger(__name__)

_migrated = False


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers. It asks nothing of the store: a restart would not bring that back."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 where the store answers and has every migration; else 503 with what is wrong, in a word."""
    checks = {"store": "ok", "migrations": "ok"}
    try:
        ask_store()
    except (DatabaseError, OSError) as error:
        log.error("Not ready: %s", error)
        checks = {"store": "unreachable", "migrations": "unknown"}
    else:
        if not _is_migrated():
            checks["migrations"] = "missing"
    is_ready = set(checks.values()) == {"ok"}
    return JsonResponse({"status": "ok" if is_ready else "unavailable", **checks}, status=200 if is_ready else 503)


def ask_store() -> None:
    """Raises DatabaseError or OSError where it does not answer."""
    if connection.vendor == "mongodb":
        from config.storage.mongodb.ping import ping

        ping(connection)
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")


def has_search_index() -> bool | None:
    """Whether the index of the search is there; None on a store that has none."""
    engine = engine_of(connection)
    return engine.exists(index_of(Conversation, "search_text")) if engine else None


def _is_migrated() -> bool:
    """Looked at until it is so: a running release does not lose a migration."""
    global _migrated
    if not _migrated:
        _migrated = not missing_migrations()
    return _migrated
