"""Closing one conversation, or correcting how it was closed."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from conversations.forms import StatusForm
from conversations.models import StatusMoved
from conversations.transcript.address import Address
from conversations.views.transcript import conversation_of

KEPT_REASON = 200
"""Characters of a reason that go back to the form in the address, where there is not room for much."""


@require_POST
@scope_required(Scope.CONVERSATIONS_CHANGE_STATUS)
def change_status(request: AccountRequest, pk: str) -> HttpResponse:
    """Nothing is changed when the status is not the one that was shown: the transcript tells who changed it."""
    conversation = conversation_of(request, pk, messages=False)
    address = Address.read(pk, request.GET)
    form = StatusForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was changed. A reason has at most 500 characters."))
        return redirect(address.link())
    status, reason = form.cleaned_data["status"], form.cleaned_data["reason"]
    try:
        conversation.change_status(status, by=request.user, reason=reason, expected=form.cleaned_data["shown"])
    except StatusMoved:
        return redirect(address.link("status", wanted=status, reason=reason[:KEPT_REASON]))
    request.user.read_marks.mark(conversation, by=request.user)
    return redirect(address.link())
