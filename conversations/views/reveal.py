"""Seeing one lead's phone and e-mail in full, for who sees them masked: for a while, and on record."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.storage.moments import format_moment, now, parse_moment
from conversations.transcript.address import Address
from conversations.views.transcript import REVEALED, conversation_of

LASTS = timedelta(minutes=15)
"""How long the conversation is shown in full, to this person in this session."""

MOST = 50
"""Conversations at a time."""


@require_POST
@scope_required(Scope.CONVERSATIONS_VIEW)
def reveal_contact(request: AccountRequest, pk: str) -> HttpResponse:
    """One entry in the log for each time; who sees contacts in full anyway needs none."""
    conversation = conversation_of(request, pk, messages=False)
    if conversation.masks_contacts:
        conversation.reveal(by=request.user)
        moment = now()
        open_: dict[str, str] = request.session.get(REVEALED, {})
        still = [(one, until) for one, until in open_.items() if one != pk and parse_moment(until) > moment]
        request.session[REVEALED] = {**dict(still[-MOST + 1 :]), pk: format_moment(moment + LASTS)}
    return redirect(Address.read(pk, request.GET).link("lead"))
