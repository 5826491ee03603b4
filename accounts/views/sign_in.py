"""Signing in and out, the first page, and which environment a person looks at."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Environment
from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config import __version__

WRONG = "That e-mail and password do not match. Check both and try again."


class SignInForm(AuthenticationForm):
    """The same words for an unknown e-mail, a wrong password and a closed account."""

    error_messages = {"invalid_login": WRONG, "inactive": WRONG}


class SignIn(LoginView):
    """One neutral error for an unknown e-mail and a wrong password; returns to the page asked for."""

    template_name = "accounts/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True
    extra_context = {"version": __version__}


@method_decorator(login_not_required, name="dispatch")
class SignOut(LogoutView):
    http_method_names = ["post"]


@require_POST
@scope_required(Scope.DASHBOARD_VIEW)
def switch_environment(request: AccountRequest) -> HttpResponse:
    """From live to test data or back; then to ``next``, a page of ours, else to the list."""
    chosen = request.POST.get("environment")
    request.session["environment"] = Environment.TEST if chosen == Environment.TEST else Environment.LIVE
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
    return redirect(target if _is_ours(request, target) else "conversations:list")


def _is_ours(request: HttpRequest, target: str) -> bool:
    return url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
