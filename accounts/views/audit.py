"""The audit log: a page of it, and all that its filters leave as a file."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.audit_api import FORMATS, as_file
from accounts.audit_query import DAY, LABELS, PAGE, Query, actors_of, chips, fields
from accounts.filters import SEARCH_LENGTH, Events, entries_for
from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from accounts.sentences import Things

EXPORTS = {"csv": "CSV", "tsv": "TSV", "jsonl": "JSON Lines"}


@require_safe
@scope_required(Scope.AUDIT_VIEW)
def audit_log(request: AccountRequest) -> HttpResponse:
    """What happened in the environment that the person looks at, and to the account as a whole, newest first."""
    query = Query.read(request.GET)
    keys = list(request.account.api_keys.all())
    actors = actors_of(request.account, keys)
    filterset = query.filterset(_entries(request))
    context: dict[str, Any] = {
        "query": query,
        "fields": fields(query, actors),
        "chips": chips(query, actors),
        "days": [
            (name, LABELS[name], value, "date" if not value or DAY.fullmatch(value) else "text")
            for name, value in ((name, query.values.get(name, "")) for name in ("from", "to"))
        ],
        "clear_link": query.link(**dict.fromkeys(LABELS, "")),
        "exports": [(query.suffix(format=kind), EXPORTS[kind]) for kind in FORMATS],
        "errors": {str(LABELS[name]): list(faults) for name, faults in filterset.errors.items()},
        "most": SEARCH_LENGTH[1],
    }
    if filterset.is_valid():
        found = list(filterset.qs[query.skip : query.skip + PAGE + 1])
        things = Things.of(request, found[:PAGE], keys)
        context |= {
            "entries": [things.tell(entry) for entry in found[:PAGE]],
            "first": query.skip + 1,
            "last": query.skip + len(found[:PAGE]),
            "page": {"newer": query.newer, "older": query.older if len(found) > PAGE else ""},
        }
    return render(request, "accounts/audit.html", context)


@require_safe
@scope_required(Scope.AUDIT_VIEW)
def audit_export(request: AccountRequest) -> HttpResponseBase:
    """What cannot be listed leads to the log, which says why."""
    query = Query.read(request.GET)
    kind = request.GET.get("format", FORMATS[0])
    filterset = query.filterset(_entries(request))
    if not filterset.is_valid() or kind not in FORMATS:
        return redirect(query.link())
    return as_file(request, filterset.qs, kind)


def _entries(request: AccountRequest) -> Events:
    return entries_for(request).order_by("-timestamp", "-id")
