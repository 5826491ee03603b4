"""Signing in and out, which environment a person looks at, and how they want the dashboard."""

from copy import copy

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import PreferencesForm, ShortcutsForm, ThemeForm
from accounts.models import Environment
from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config import __version__
from config.storage.moments import now

WRONG = "That e-mail and password do not match. Check both and try again."
YEAR = 365 * 24 * 3600


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
    return _back(request)


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.DASHBOARD_VIEW)
def preferences(request: AccountRequest) -> HttpResponse:
    """How the person wants the dashboard, in every account."""
    # A copy: what is refused must not show on the page that says so.
    form = PreferencesForm(request.POST if request.method == "POST" else None, instance=copy(request.user))
    if form.is_valid():
        person = form.save()
        messages.success(request, "Saved.")
        return _remember_theme(redirect("preferences"), person.theme)
    status = 400 if form.is_bound else 200
    return render(request, "accounts/preferences.html", {"form": form, "now": now()}, status=status)


@require_safe
@scope_required(Scope.DASHBOARD_VIEW)
def home(request: AccountRequest) -> HttpResponse:
    """The first page that the person may see."""
    may_read = request.membership.has_scope(Scope.CONVERSATIONS_VIEW)
    return redirect("conversations:list" if may_read else "preferences")


@require_POST
@scope_required(Scope.DASHBOARD_VIEW)
def switch_theme(request: AccountRequest) -> HttpResponse:
    """The switch in the header; then back to ``next``."""
    form = ThemeForm(request.POST, instance=copy(request.user))
    if not form.is_valid():
        return _back(request)
    return _remember_theme(_back(request), form.save().theme)


@require_POST
@scope_required(Scope.DASHBOARD_VIEW)
def switch_shortcuts(request: AccountRequest) -> HttpResponse:
    """The switch in the help on shortcuts; then back to ``next``."""
    form = ShortcutsForm(request.POST, instance=copy(request.user))
    if form.is_valid():
        form.save()
    return _back(request)


def _remember_theme(response: HttpResponse, theme: str) -> HttpResponse:
    """In the cookie that static/page.js sets too, for the pages that know nobody."""
    if theme:
        response.set_cookie("theme", theme, max_age=YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response


def _back(request: HttpRequest) -> HttpResponse:
    target = request.POST.get("next", "")
    return redirect(target if _is_ours(request, target) else "conversations:list")


def _is_ours(request: HttpRequest, target: str) -> bool:
    return url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
