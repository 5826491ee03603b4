"""How people want the dashboard: the page, and the switches in header and help."""

from copy import copy

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import LanguageForm, PreferencesForm, ShortcutsForm, ThemeForm
from accounts.models import User
from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from accounts.views.sign_in import back
from config.storage.moments import now

YEAR = 365 * 24 * 3600


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.DASHBOARD_VIEW)
def preferences(request: AccountRequest) -> HttpResponse:
    """How the person wants the dashboard, in every account."""
    # A copy: what is refused must not show on the page that says so.
    form = PreferencesForm(request.POST if request.method == "POST" else None, instance=copy(request.user))
    if form.is_valid():
        person = form.save()
        with translation.override(person.language or translation.get_language()):
            messages.success(request, _("Saved."))
        return _remember_language(_remember_theme(redirect("preferences"), person.theme), person.language)
    status = 400 if form.is_bound else 200
    return render(request, "accounts/preferences.html", {"form": form, "now": now()}, status=status)


@require_POST
@scope_required(Scope.DASHBOARD_VIEW)
def switch_theme(request: AccountRequest) -> HttpResponse:
    """The switch in the header; then back to ``next``."""
    form = ThemeForm(request.POST, instance=copy(request.user))
    if not form.is_valid():
        return back(request)
    return _remember_theme(back(request), form.save().theme)


@login_not_required
@require_POST
def switch_language(request: HttpRequest) -> HttpResponse:
    """The switch on pages without an account, such as sign-in; then back to ``next``."""
    person = request.user if isinstance(request.user, User) else None
    form = LanguageForm(request.POST, instance=copy(person) if person else User())
    if not form.is_valid():
        return back(request)
    if person:
        form.save()
    return _remember_language(back(request), form.cleaned_data["language"])


@require_POST
@scope_required(Scope.DASHBOARD_VIEW)
def switch_shortcuts(request: AccountRequest) -> HttpResponse:
    """The switch in the help on shortcuts; then back to ``next``."""
    form = ShortcutsForm(request.POST, instance=copy(request.user))
    if form.is_valid():
        form.save()
    return back(request)


def _remember_theme(response: HttpResponse, theme: str) -> HttpResponse:
    """In the cookie that static/page.js sets too, for the pages that know nobody."""
    return _remember(response, "theme", theme)


def _remember_language(response: HttpResponse, language: str) -> HttpResponse:
    return _remember(response, settings.LANGUAGE_COOKIE_NAME, language)


def _remember(response: HttpResponse, name: str, value: str) -> HttpResponse:
    if value:
        response.set_cookie(name, value, max_age=YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)
    else:
        response.delete_cookie(name, samesite="Lax")
    return response
