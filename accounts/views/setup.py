"""``/setup/``: the first owner of a server on which there is nobody yet. Afterwards it leads to the sign-in page."""

from typing import Any

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.setup import AlreadySetUp, is_waiting_for_owner, may_set_up, set_up
from accounts.setup_forms import SetupForm
from config import __version__


@sensitive_post_parameters("password", "token")
@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
def setup(request: HttpRequest) -> HttpResponse:
    if not is_waiting_for_owner():
        return _too_late(request)
    context: dict[str, Any] = {
        "version": __version__,
        "token": request.POST.get("token") or request.GET.get("token", ""),
    }
    if not may_set_up(context["token"]):
        return render(request, "accounts/setup_closed.html", context, status=403)
    form = SetupForm(request.POST or None)
    if form.is_valid():
        try:
            return _set_up(request, form)
        except AlreadySetUp:
            return _too_late(request)
        except ValidationError as error:
            form.add_error(None, error)
    context |= {"form": form, "fields": _fields(form)}
    return render(request, "accounts/setup.html", context, status=400 if form.is_bound else 200)


def _too_late(request: HttpRequest) -> HttpResponse:
    """Somebody who has filled the page in reads why it led nowhere."""
    if request.method == "POST":
        messages.error(
            request, _("Nothing was set up: this server has its owner already. Sign in, or ask to be invited.")
        )
    return redirect("account_login")


def _fields(form: SetupForm) -> list[tuple[BoundField, str, str, str]]:
    """Each field with its label, its type, and what browsers fill in."""
    return [
        (form["account"], _("Company or team"), "text", "organization"),
        (form["name"], _("Your name"), "text", "name"),
        (form["email"], _("E-mail"), "email", "username"),
    ]


def _set_up(request: HttpRequest, form: SetupForm) -> HttpResponse:
    values = {**form.cleaned_data}
    wants_demo = values.pop("demo")
    owner, account = set_up(**values)
    if wants_demo:
        call_command("load_demo", into=account.pk)
        messages.success(request, _("%(account)s is ready, with demo conversations.") % {"account": account})
    else:
        messages.success(request, _("%(account)s is ready.") % {"account": account})
    response: HttpResponse = perform_login(request, owner)
    return response
