"""The pages of conversations."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.storage.fields import is_object_id
from conversations import listing, transcript
from conversations.filters import ConversationFilter
from conversations.highlight import hits, marked, phone_hits
from conversations.models import Channel, Conversation, ConversationQuerySet, Status
from conversations.pagination import Cursor
from conversations.search import MAX_SEARCH_LENGTH

OTHERS_SHOWN = 10
CHANGES_SHOWN = 500
UNREAD_FIELDS = ("search_text",)


@require_safe
@scope_required(Scope.CONVERSATIONS_VIEW)
def conversation_list(request: AccountRequest) -> HttpResponse:
    conversations = request.account.conversations.within(request.environment)
    query = listing.Query.read(request.GET)
    filterset = ConversationFilter(request.GET, conversations)
    context: dict[str, Any] = {
        "query": query,
        "chips": listing.chips(query),
        "clear_link": query.link(**dict.fromkeys(listing.CHIPS, "")),
        "errors": _faults(filterset),
        "channels": Channel.choices,
        "max_search_length": MAX_SEARCH_LENGTH,
        "example_url": request.build_absolute_uri(reverse("api-conversations")),
    }
    if filterset.is_valid():
        context |= _results(request, query, filterset.qs, listing.counts_of(query, conversations))
    else:
        context["tabs"] = listing.tabs(query, None)
    return render(request, "conversations/list.html", context)


@require_safe
@scope_required(Scope.CONVERSATIONS_VIEW)
def conversation_transcript(request: AccountRequest, pk: str) -> HttpResponse:
    conversations = request.account.conversations.within(request.environment)
    conversation = conversations.defer(*UNREAD_FIELDS).filter(pk=pk).first() if is_object_id(pk) else None
    if conversation is None:
        raise Http404
    query = listing.Query.read(request.GET)
    search = query.values.get("search", "")[:MAX_SEARCH_LENGTH]
    events = request.account.audit_events.of_resource(pk, actions=transcript.TIMELINE_ACTIONS)
    changes = transcript.changes_of(events[:CHANGES_SHOWN])
    lines = transcript.lines_of(conversation.messages, search)
    phone_spans = phone_hits(conversation.lead_phone, search)
    email_spans = hits(conversation.lead_email, search)
    others = conversations.of_lead(conversation.lead_id).exclude(pk=pk).newest_first()
    context = {
        "conversation": conversation,
        "days": transcript.days_of(lines, changes),
        "stages": _stages(conversation, changes),
        "stage": transcript.stage_of(conversation),
        "hits": [line.number for line in lines if line.hit],
        "search": search,
        "phone": marked(conversation.lead_phone, phone_spans),
        "email": marked(conversation.lead_email, email_spans),
        "is_lead_hit": bool(phone_spans or email_spans),
        "others": others.only(*listing.ROW_FIELDS)[:OTHERS_SHOWN],
        "back": f"{_list_link(request)}#c-{pk}",
        "is_from_results": bool(query.values),
    }
    return render(request, "conversations/transcript.html", context)


def _results(
    request: AccountRequest, query: listing.Query, found: ConversationQuerySet, counts: dict[str, int]
) -> dict[str, Any]:
    every = sum(counts.values())
    total = counts[query.status] if query.status else every
    return {
        "tabs": listing.tabs(query, counts),
        "total": total,
        "page": listing.page(query, found, cursor=_place(request, "cursor"), before=_place(request, "before")),
        "status_label": Status(query.status).label if query.status else "",
        "elsewhere": every - total,
        "any_status_link": query.link(status=""),
    }


def _faults(filterset: ConversationFilter) -> dict[str, list[str]]:
    """The form's errors under the names that the page shows."""
    return {listing.CHIPS.get(name, name.capitalize()): list(faults) for name, faults in filterset.errors.items()}


def _place(request: HttpRequest, name: str) -> Cursor | None:
    """Where a page begins; a damaged place is the beginning of the list."""
    try:
        return Cursor.parse(request.GET.get(name, ""))
    except ValueError:
        return None


def _stages(conversation: Conversation, changes: list[transcript.Change]) -> list[transcript.Stage]:
    return transcript.stages_of(
        changes,
        current=transcript.stage_of(conversation),
        began=conversation.created_at,
        until=conversation.updated_at,
    )


def _list_link(request: HttpRequest) -> str:
    """The list that the reader came from: the transcript's URL carries its state."""
    query = listing.Query.read(request.GET)
    place = {name: request.GET[name] for name in ("cursor", "before") if request.GET.get(name)}
    return query.link(**place)
