"""The JSON API of the audit log (contract, section 8): a page of it, and all of it as a file."""

from collections.abc import Iterator
from typing import Any

import orjson
from django.http import HttpRequest, StreamingHttpResponse
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts import tables
from accounts.filters import SYSTEM_NAME, AuditEventFilter, Events, entries_for
from accounts.models import AuditEvent
from accounts.parameters import MAX_SKIP, read_choice, read_integer
from accounts.permissions import HasScope
from accounts.scopes import Scope
from config.storage.moments import format_moment
from config.storage.transaction import snapshot

LIMIT, MAX_LIMIT = 50, 200
FORMATS = ("csv", "tsv", "jsonl")
EXPORT_ROWS = 200
"""Entries fetched at a time while the log is exported."""

COLUMNS = (
    "id",
    "account_id",
    "actor_type",
    "actor_id",
    "actor_ip",
    "actor_name",
    "action",
    "resource_type",
    "resource_id",
    "timestamp",
    "metadata",
)
HEADER = (
    "_id",
    "accountId",
    "actorType",
    "actorId",
    "actorIp",
    "actorDisplayName",
    "action",
    "resourceType",
    "resourceId",
    "timestamp",
    "metadata",
)
"""An entry's fields where there are columns; the filters have the same names."""


class AuditViewSet(GenericViewSet[AuditEvent]):
    """What was done in the key's account and environment, newest first."""

    permission_classes = (HasScope,)
    scopes = {"list": Scope.AUDIT_VIEW, "export": Scope.AUDIT_VIEW}
    filter_backends = (DjangoFilterBackend,)
    filterset_class = AuditEventFilter

    def get_queryset(self) -> Events:
        return entries_for(self.request.auth).order_by("-timestamp", "-id")  # type: ignore[arg-type]

    def list(self, request: Request) -> Response:
        limit = read_integer(request, "limit", least=1, most=MAX_LIMIT) or LIMIT
        skip = read_integer(request, "skip", least=0, most=MAX_SKIP) or 0
        events = self.filter_queryset(self.get_queryset())
        page = events.values_list(*COLUMNS)[skip : skip + limit]
        return Response({"data": list(map(entry, page)), "total": events.count(), "skip": skip, "limit": limit})

    def export(self, request: Request) -> StreamingHttpResponse:
        """All that the filters leave, streamed; ``limit`` and ``skip`` are of pages, and ignored."""
        kind = read_choice(request, "format", FORMATS)
        return as_file(request, self.filter_queryset(self.get_queryset()), kind)


def as_file(request: HttpRequest | Request, events: Events, kind: str) -> StreamingHttpResponse:
    """``events`` in their order, as one of ``FORMATS``."""
    if kind == "jsonl":
        pieces, content_type = tables.json_lines(map(entry, stored(events))), tables.JSON_LINES
    else:
        separator, content_type = (",", tables.CSV) if kind == "csv" else ("\t", tables.TSV)
        pieces = tables.separated(HEADER, map(cells, stored(events)), separator)
    return tables.download(request, pieces, content_type=content_type, name=f"audit-log.{kind}")


def stored(events: Events) -> Iterator[tuple[Any, ...]]:
    """Rows of ``COLUMNS``, as the store was when the first was read."""
    with snapshot():
        yield from events.values_list(*COLUMNS).iterator(chunk_size=EXPORT_ROWS)


def entry(row: tuple[Any, ...]) -> dict[str, Any]:
    """A row as the API shows it; null for what an entry does not have, such as the system's id and address."""
    pk, account_id, kind, actor_id, ip, name, action, resource_type, resource_id, timestamp, metadata = row
    return {
        "_id": pk,
        "accountId": account_id,
        "actor": {"type": kind, "id": actor_id, "ip": ip or None, "displayName": name or shown_name(kind)},
        "action": action,
        "resource": {"type": resource_type or None, "id": resource_id or None},
        "timestamp": format_moment(timestamp),
        "metadata": metadata,
    }


def cells(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row under ``HEADER``: the metadata as compact JSON."""
    pk, account_id, kind, actor_id, ip, name, action, resource_type, resource_id, timestamp, metadata = row
    shown = name or shown_name(kind)
    moment, details = format_moment(timestamp), orjson.dumps(metadata, default=str).decode()
    return pk, account_id, kind, actor_id, ip, shown, action, resource_type, resource_id, moment, details


def shown_name(actor_type: str) -> str:
    return SYSTEM_NAME if actor_type == AuditEvent.ActorType.SYSTEM else ""
