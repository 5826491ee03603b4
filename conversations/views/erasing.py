"""Erasing a lead: what would be gone, and then it is."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from conversations.models.erasure import erase, erased_from, of_lead_of
from conversations.transcript.address import Address
from conversations.views.transcript import conversation_of


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.LEADS_ERASE)
def erase_lead(request: AccountRequest, pk: str) -> HttpResponse:
    """GET says how many conversations it is about; POST erases, if they are still as many."""
    conversation = conversation_of(request, pk, messages=False)
    back = Address.read(pk, request.GET).link("lead")
    if conversation.is_erased:
        return redirect(back)
    mine = request.account.conversations.within(request.environment)
    fault, found = "", [pk]
    try:
        found = of_lead_of(conversation, mine)
    except ValidationError as error:
        fault = " ".join(error.messages)
    if request.method == "POST" and not fault and request.POST.get("expected") == str(len(found)):
        number = erase(found, account=request.account, environment=request.environment, by=request.user)
        messages.success(request, erased_from(number))
        return redirect(back)
    context = {
        "conversation": conversation,
        "number": len(found),
        "fault": fault,
        "back": back,
        "has_moved": request.method == "POST",
    }
    return render(request, "conversations/erase.html", context)
