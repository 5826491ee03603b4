"""Demo conversations for an account that has none yet, to look around in."""

from django.contrib import messages
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope


@require_POST
@scope_required(Scope.TEAM_MANAGE)
def load_demo(request: AccountRequest) -> HttpResponse:
    """For owners, as the demo is not taken away again at a click."""
    account = request.account
    try:
        call_command("load_demo", into=account.pk, by=request.user)
    except CommandError:
        text = _("Nothing was loaded: %(account)s has conversations, and the demo is for an empty account.")
        messages.error(request, text % {"account": account})
    else:
        messages.success(request, _("%(account)s has demo conversations now.") % {"account": account})
    return redirect("conversations:list")
