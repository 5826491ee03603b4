"""Saving a list under a name, and forgetting it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.storage.fields import find
from conversations import listing


@require_POST
@scope_required(Scope.CONVERSATIONS_VIEW)
def save_view(request: AccountRequest) -> HttpResponse:
    """``name`` and ``query``, and ``shared`` for everybody of the account; then back to the list."""
    query = listing.Query.parse(request.POST.get("query", "").removeprefix("?"))
    name = " ".join(request.POST.get("name", "").split())
    try:
        request.account.saved_views.save_view(
            account=request.account,
            by=request.user,
            name=name,
            query=query.suffix().removeprefix("?"),
            is_shared="shared" in request.POST,
        )
    except ValidationError as error:
        faults = "; ".join(f"{field}: {' '.join(said)}" for field, said in error.message_dict.items())
        text = _("The view was not saved.")
        messages.error(request, f"{text} {faults}")
    else:
        messages.success(request, _("Saved the view “%s”.") % name)
    return redirect(query.link())


@require_POST
@scope_required(Scope.CONVERSATIONS_VIEW)
def remove_view(request: AccountRequest, pk: str) -> HttpResponse:
    """One's own only; another person's is not found."""
    mine = find(request.account.saved_views, pk)
    if mine is None or mine.user_id != request.user.pk:
        raise Http404
    query = listing.Query.parse(mine.query)
    mine.remove(by=request.user)
    messages.success(request, _("Removed the view “%s”.") % mine.name)
    return redirect(query.link())
