"""Signing in and out, the first page, and which environment a person looks at."""

from typing import Any

from allauth.account.views import INTERNAL_RESET_SESSION_KEY, LoginView, LogoutView, PasswordResetFromKeyView
from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST, require_safe

from accounts.adapters import is_ours
from accounts.guesses import know
from accounts.models import Environment
from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from accounts.setup import is_waiting_for_owner
from config import __version__

PROVIDER: dict[str, Any] = {"form-action": [settings.OIDC_ORIGIN]} if settings.OIDC_ORIGIN else {}
"""Browsers hold a form to the addresses that it leads on to."""


@method_decorator([login_not_required, csp_update(PROVIDER)], name="dispatch")
class SignIn(LoginView):
    """One neutral error for an unknown e-mail and a wrong password; returns to the page asked for."""

    http_method_names = ["get", "head", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_waiting_for_owner():
            return redirect("setup")
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)
        if form.retry_after:
            response.status_code, response["Retry-After"] = 429, str(form.retry_after)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"version": __version__, "sso": settings.OIDC_NAME if settings.OIDC_ISSUER else ""}


@method_decorator(login_not_required, name="dispatch")
class NewPassword(PasswordResetFromKeyView):
    """Behind the link of a mail. Whoever has the mail is no stranger to the person: see ``accounts.guesses``."""

    http_method_names = ["get", "head", "post"]

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        self.request.session.pop(INTERNAL_RESET_SESSION_KEY, None)
        know(response, self.reset_user.email)
        return response


class SignOut(LogoutView):
    """Also gives up a sign-in that waits for its second factor."""

    http_method_names = ["post"]


@require_POST
@scope_required(Scope.DASHBOARD_VIEW)
def switch_environment(request: AccountRequest) -> HttpResponse:
    """From live to test data or back; then to ``next``, a page of ours, else to the list.

    Forms that are open in another tab were meant for the data of before: with another token they are refused.
    """
    is_test = request.POST.get("environment") == Environment.TEST
    chosen = Environment.TEST if is_test else Environment.LIVE
    if chosen != request.environment:
        request.session["environment"] = chosen
        rotate_token(request)
    return back(request)


@require_safe
@scope_required(Scope.DASHBOARD_VIEW)
def home(request: AccountRequest) -> HttpResponse:
    """The first page that the person may see."""
    pages = ((Scope.CONVERSATIONS_VIEW, "conversations:list"), (Scope.API_KEYS_VIEW, "settings:keys"))
    found = (page for scope, page in pages if request.membership.has_scope(scope))
    return redirect(next(found, "preferences"))


def back(request: HttpRequest) -> HttpResponse:
    """To ``next``, a page of ours, else to the list."""
    target = request.POST.get("next", "")
    return redirect(target if is_ours(request, target) else "conversations:list")
