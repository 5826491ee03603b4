"""The account itself: its name, and which one of several a person looks at."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import resolve, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.middleware import look_at
from accounts.models import Environment, Membership
from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from accounts.team_forms import AccountForm
from accounts.views.sign_in import back

SECTIONS = (
    "conversations:list",
    "analytics",
    "names:list",
    "settings:keys",
    "settings:audit",
    "settings:people",
    "settings:account",
    "privacy:settings",
    "preferences",
)
"""Where each section begins: what is below it belongs to one account and is not found in another."""


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.TEAM_MANAGE)
def account(request: AccountRequest) -> HttpResponse:
    form = AccountForm(request.POST if request.method == "POST" else None, initial={"name": request.account.name})
    if form.is_valid():
        request.account.rename(form.cleaned_data["name"], by=request.user)
        messages.success(request, _("Saved."))
        return redirect("settings:account")
    return render(request, "accounts/account.html", {"form": form}, status=400 if form.is_bound else 200)


@require_POST
@scope_required(Scope.DASHBOARD_VIEW)
def switch_account(request: AccountRequest) -> HttpResponse:
    """To another account of the person's, and there to the section they were in. Live or test stays as it is, but for
    who comes from a page that names the ``environment``: it is in the other account, and they go back to it.

    What is none of theirs changes nothing, and is told apart by nothing from what is not there.
    """
    chosen = next((one for one in request.memberships if one.account_id == request.POST.get("account")), None)
    if chosen is None:
        return redirect("home")
    look_at(request, chosen.account)
    if (environment := request.POST.get("environment")) in Environment.values:
        request.session["environment"] = environment
        return back(request)
    return redirect(_section_of(request.POST.get("next", ""), chosen))


def _section_of(path: str, membership: Membership) -> str:
    """The beginning of the section that ``path`` lies in, where the person may see it in that account."""
    for start in map(reverse, SECTIONS):
        if path.startswith(start) and membership.has_scope(resolve(start).func.scope):  # type: ignore[attr-defined]
            return start
    return "home"
