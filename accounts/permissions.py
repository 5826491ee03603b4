"""What the caller may do, on the API and on pages. Closed by default: what names no scope is refused."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied as PageDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.authentication import NO_KEY
from accounts.models import ApiKey
from accounts.scopes import Scope

KEY_LACKS = "API key does not have the required scope (requires: {scope})."
PERSON_LACKS = _("You do not have permission to perform this action (requires: {scope}).")


class ScopeLacking(PageDenied):
    """A person asks for what takes ``scope``, and holds it in none of their roles."""

    def __init__(self, scope: str) -> None:
        super().__init__(str(PERSON_LACKS).format(scope=scope))
        self.scope = scope

    @property
    def label(self) -> str:
        """What the scope allows, in words."""
        return str(Scope(self.scope).label)


def lacks(scope: str) -> ScopeLacking:
    """What refuses a page to a person without ``scope``."""
    return ScopeLacking(scope)


class HasScope(BasePermission):
    """The key holds the scope that the viewset's ``scopes`` table names for the action."""

    def has_permission(self, request: Request, view: Any) -> bool:
        key: ApiKey | None = request.auth  # type: ignore[assignment]
        if key is None:
            raise NotAuthenticated(NO_KEY)
        if view.action in (None, "metadata"):  # a method without a route, OPTIONS among them
            raise MethodNotAllowed(request.method or "")
        scope = view.scopes[view.action]
        if not key.has_scope(scope):
            raise PermissionDenied(KEY_LACKS.format(scope=scope))
        return True


class NoAccount(PageDenied):
    """Who asks belongs to no account, or not any more: there is nothing to show them, whatever they ask for."""


View = Callable[..., HttpResponseBase]


def scope_required(scope: Scope) -> Callable[[View], View]:
    """A page for people who hold ``scope`` in the account they look at. A test walks the URLs for pages without one."""

    def decorate(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            membership = request.membership  # type: ignore[attr-defined]
            if membership is None:
                raise NoAccount
            if not membership.has_scope(scope):
                raise lacks(scope)
            return view(request, *args, **kwargs)

        inner.scope = scope  # type: ignore[attr-defined]
        return inner

    return decorate


def own_page(view: View) -> View:
    """A page about the person alone: open to everybody who is signed in, whatever account they are in, if any."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:  # LoginRequiredMiddleware has asked before
            raise PageDenied
        return view(request, *args, **kwargs)

    inner.is_own = True  # type: ignore[attr-defined]
    return inner
