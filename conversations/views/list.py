"""The list of conversations."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.masking import holds_contact
from accounts.models.preferences import Column
from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.storage.counting import AtLeast, sum_of
from config.storage.moments import format_moment, now
from conversations import listing
from conversations.analytics.said import LOOKED_AT
from conversations.filters import PageFilter
from conversations.listing.news import News
from conversations.listing.ordering import SORTS, Place
from conversations.listing.rows import Reader
from conversations.models import ConversationQuerySet, Status
from conversations.models.queries import MASKED_SEARCH
from conversations.models.tally import COUNTED_WHOLE, kept_counts
from conversations.names import Names
from conversations.search import MAX_SEARCH_LENGTH
from conversations.views.bulk import own_change

EXPORTS = [
    ("xlsx", "Excel", _("conversations and messages")),
    ("csv", "CSV", _("a row a conversation")),
    ("messages_csv", "CSV", _("a row a message")),
    ("ndjson", "JSON Lines", _("as the API has them")),
]


@require_safe
@scope_required(Scope.CONVERSATIONS_VIEW)
def conversation_list(request: AccountRequest) -> HttpResponse:
    conversations = request.account.conversations.within(request.environment)
    shown_at = now()  # before anything is read: what comes after is new
    query = listing.Query.read(request.GET)
    address = request.build_absolute_uri(reverse("api-conversations"))
    names = Names.of(request.account, request.environment)
    filterset = PageFilter(request.GET, conversations, request=request)
    seen_at = filterset.seen_at
    columns = _columns(request, query)
    shown = [column["value"] for column in columns if column["is_shown"]]
    news = News.of(conversations, seen_at)
    context: dict[str, Any] = {
        "query": query,
        "names": names,
        "news": news,
        "shown_at": format_moment(shown_at),
        "views": _views(request, query),
        "columns": columns,
        "shown": [column for column in columns if column["is_shown"]],
        "fields": listing.fields(query, names),
        "sorted_by": query.order.label,
        "exports": _exports(query),
        "can_change": request.membership.has_scope(Scope.CONVERSATIONS_CHANGE_STATUS),
        "change": own_change(request, request.GET.get("changed", "")),
        "api_call": listing.api_call(query, address),
        "chips": listing.chips(query, names),
        "clear_link": query.link(**dict.fromkeys(listing.CHIPS, "")),
        "errors": _faults(filterset),
        "max_search_length": MAX_SEARCH_LENGTH,
        "masked_search": MASKED_SEARCH if request.account.masks_contacts and query.search else 0,
        "example_url": address,
    }
    if filterset.is_valid():
        counts = _counts(request, query, filterset)
        reader = Reader(query, names, shown, request.user, seen_at)
        context |= _results(request, reader, filterset.qs, counts)
        context["words_within"] = LOOKED_AT if "lastWords" in query.values and filterset.said.is_cut else 0
        context["may_load_demo"] = not (query.narrows or context["total"]) and _may_load_demo(request)
    else:
        context["tabs"] = listing.tabs(query, None)
    return render(request, "conversations/list.html", context)


def _may_load_demo(request: AccountRequest) -> bool:
    return request.membership.has_scope(Scope.TEAM_MANAGE) and not request.account.conversations.exists()


def _counts(request: AccountRequest, query: listing.Query, filterset: PageFilter) -> dict[str, int]:
    """Status → number of conversations, as the filters leave them."""
    is_whole = query.values.keys() <= {"status", "sort"}
    kept = kept_counts(request.account, request.environment) if is_whole or query.search else None
    if kept and is_whole:
        return kept
    found = filterset.whatever_status()
    if kept and sum(kept.values()) <= COUNTED_WHOLE:
        return found.each_by_status()
    return found.glance_by_status()


def _results(
    request: AccountRequest, reader: Reader, found: ConversationQuerySet, counts: dict[str, int]
) -> dict[str, Any]:
    query, every = reader.query, sum_of(counts.values())
    total = counts[query.status] if query.status else every
    cursor, before = (Place.parse(request.GET.get(name, "")) for name in ("cursor", "before"))
    page = reader.page(found, cursor=cursor, before=before)
    if isinstance(total, AtLeast):
        total = AtLeast(max(total, len(page.rows)))
    return {
        "tabs": listing.tabs(query, counts),
        "total": total,
        "page": page,
        "status_label": Status(query.status).label if query.status else "",
        "elsewhere": every - total,
        "any_status_link": query.link(status=""),
    }


def _views(request: AccountRequest, query: listing.Query) -> list[dict[str, Any]]:
    """The saved views that the person sees, with their links."""
    here = query.suffix()
    shown = []
    for view in request.account.saved_views.shown_to(request.user):
        saved = listing.Query.parse(view.query)
        if request.account.masks_contacts and holds_contact(f"{view.name} {' '.join(saved.values.values())}"):
            continue
        shown.append(
            {
                "view": view,
                "link": saved.link(),
                "is_current": saved.suffix() == here,
                "is_own": view.user_id == request.user.pk,
            }
        )
    return shown


def _columns(request: AccountRequest, query: listing.Query) -> list[dict[str, Any]]:
    """All columns there are, and how the person has them."""
    return [
        {
            "value": column.value,
            "label": column.label,
            "is_shown": column in request.user.columns,
            "sort": listing.sort_link(query, SORTS[column]) if column in SORTS else None,
        }
        for column in Column
    ]


def _exports(query: listing.Query) -> list[dict[str, Any]]:
    address = reverse("conversations:export")
    return [
        {"link": f"{address}{query.suffix(format=kind)}", "label": label, "detail": detail}
        for kind, label, detail in EXPORTS
    ]


def _faults(filterset: PageFilter) -> dict[str, list[str]]:
    """The form's errors under the names that the page shows."""
    return {str(listing.CHIPS.get(name, name.capitalize())): list(faults) for name, faults in filterset.errors.items()}
