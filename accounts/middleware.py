"""Which account and environment a signed-in person looks at."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.models import Account, Environment, User
from accounts.scopes import Scope
from accounts.sessions import mark_seen

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


class SignInMiddleware(LoginRequiredMiddleware):
    """Django's, which asks who is signed in even where nobody has to be: of the API's callers nobody is."""

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        return super().process_view(request, view, args, kwargs) if getattr(view, "login_required", True) else None


class AccountMiddleware:
    """Sets ``request.membership``, ``request.account``, ``request.environment`` and ``request.memberships``, all of the
    person's own, and ``request.suspended``: those of their accounts that are closed.

    Where nobody is signed in, or belongs to no account: None, None, live and none.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        request.membership = request.account = None
        request.memberships = []
        request.suspended = []
        request.environment = Environment.LIVE
        if request.path.startswith("/api/") or not request.user.is_authenticated:
            return None
        if request.session.get("environment") == Environment.TEST:
            request.environment = Environment.TEST
        memberships = list(request.user.memberships.select_related("account"))
        request.memberships = [one for one in memberships if one.account.suspended_at is None]
        request.suspended = [one.account for one in memberships if one.account.suspended_at]
        request.memberships_by_name = sorted(request.memberships, key=lambda one: one.account.name.casefold())
        chosen = request.session.get("account")
        found = next((one for one in request.memberships if one.account_id == chosen), None)
        request.membership = found or next(iter(request.memberships), None)
        request.account = request.membership and request.membership.account
        if request.membership:
            request.account.masks_contacts = not request.membership.has_scope(Scope.CONTACTS_READ)
        if request.membership and hasattr(view, "scope"):  # a page of an account
            request.membership.touch()
            if found is None:
                return _fall_back(request, had_chosen=chosen is not None)
        return None


class LastSeenMiddleware:
    """Keeps the list of a person's sessions true. The API has none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/api/") and request.user.is_authenticated:
            mark_seen(request)
        return self.get_response(request)


def begin(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Who signs in looks at their first account, unless they looked at another one of theirs. A receiver of Django's
    signal, so that pages need not write."""
    memberships = list(user.memberships.all())
    chosen = request.session.get("account")
    for membership in [one for one in memberships if one.account_id == chosen] or memberships[:1]:
        request.session["account"] = membership.account_id
        membership.touch()


def look_at(request: HttpRequest, account: Account) -> None:
    """From now on at this one of the person's accounts.

    Forms that are open in another tab were meant for the account of before: with another token they are refused.
    """
    request.session["account"] = account.pk
    rotate_token(request)


def _fall_back(request: Any, *, had_chosen: bool) -> HttpResponseBase | None:
    """Another account, where the one that was looked at is gone: what was sent to that one must not reach this one."""
    if not had_chosen:
        request.session["account"] = request.account.pk
        return None
    look_at(request, request.account)
    text = _("The account that you looked at is not open to you any more. This is %(name)s.")
    messages.warning(request, text % {"name": request.account.name})
    return None if request.method in SAFE else redirect("home")
