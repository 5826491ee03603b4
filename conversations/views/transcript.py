"""One conversation, to be read."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Environment
from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.storage.fields import find
from config.storage.moments import now, parse_moment
from conversations.models import Conversation
from conversations.transcript.address import Address
from conversations.transcript.brief import brief_of
from conversations.transcript.page import Reading
from conversations.transcript.sharing import DAYS, DEFAULT_DAYS
from conversations.transcript.text import plain_text

REVEALED = "revealed"
"""In the session: the conversations that the person sees in full, and until when."""


def is_revealed(request: AccountRequest, pk: str) -> bool:
    """Whether a person who sees contacts masked has asked a moment ago to see these."""
    until = request.session.get(REVEALED, {}).get(pk) if request.account.masks_contacts else None
    return until is not None and parse_moment(until) > now()


def conversation_of(request: AccountRequest, pk: str, *, messages: bool = True) -> Conversation:
    """The conversation of that id in the account and environment that the person looks at."""
    conversations = request.account.conversations.within(request.environment)
    if is_revealed(request, pk):
        conversations = conversations.unmasked()
    fields = ("search_text",) if messages else ("search_text", "messages")
    found: Conversation | None = find(conversations.defer(*fields), pk)
    if found is None:
        raise Http404
    return found


@require_safe
@scope_required(Scope.CONVERSATIONS_VIEW)
def conversation_transcript(request: AccountRequest, pk: str) -> HttpResponse:
    try:
        conversation = conversation_of(request, pk)
    except Http404:
        if place := _place_of(request, pk):
            return render(request, "conversations/elsewhere.html", place, status=404)
        raise
    reading = Reading(request, conversation, Address.read(pk, request.GET))
    # First the neighbours: reading it may take the conversation out of a list of what is unread.
    context = reading.head()
    request.user.read_marks.mark(conversation, by=request.user)
    context |= reading.thread() | reading.facts() | reading.refused()
    return render(request, "conversations/transcript.html", context)


def _place_of(request: AccountRequest, pk: str) -> dict[str, Any]:
    """Where else the person can read it: a colleague's link may be into test data, or another of their accounts."""
    for member in request.memberships:
        if not member.has_scope(Scope.CONVERSATIONS_VIEW):
            continue
        for environment in Environment.values:
            if find(member.account.conversations.within(environment).only("account"), pk):
                return {"account": member.account, "environment": environment}
    return {}


@require_safe
@scope_required(Scope.CONVERSATIONS_VIEW)
def conversation_text(request: AccountRequest, pk: str) -> HttpResponse:
    conversation = conversation_of(request, pk)
    reading = Reading(request, conversation, Address.read(pk, request.GET))
    text = plain_text(conversation, reading.changes, reading.names)
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="conversation-{pk}.txt"'
    return response


@require_safe
@scope_required(Scope.CONVERSATIONS_VIEW)
def conversation_brief(request: AccountRequest, pk: str) -> HttpResponse:
    """To be printed, or to be read in a minute. It shows no more of contacts than the transcript does."""
    reading = Reading(request, conversation_of(request, pk), Address.read(pk, request.GET))
    context = brief_of(reading)
    if request.membership.has_scope(Scope.CONVERSATIONS_CHANGE_STATUS) and not reading.conversation.is_erased:
        context |= {
            "share_link": reading.address.link(route="share"),
            "share_days": DAYS,
            "share_default": DEFAULT_DAYS,
        }
    return render(request, "conversations/brief.html", context)
