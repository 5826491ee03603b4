"""Which account and environment a signed-in person looks at."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from accounts.models import Environment, Membership


class AccountMiddleware:
    """Sets ``request.membership``, ``request.account`` and ``request.environment``.

    Where nobody is signed in, or belongs to no account: None, None and live.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> None:
        request.membership = request.account = None
        request.environment = Environment.LIVE
        if not request.path.startswith("/api/") and request.user.is_authenticated:
            request.membership = _membership_of(request)
            request.account = request.membership and request.membership.account
            if request.session.get("environment") == Environment.TEST:
                request.environment = Environment.TEST


def _membership_of(request: Any) -> Membership | None:
    memberships = list(request.user.memberships.select_related("account"))
    chosen = request.session.get("account")
    return next((one for one in memberships if one.account_id == chosen), memberships[0] if memberships else None)
