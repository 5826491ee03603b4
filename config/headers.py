"""The headers that every answer carries, beside those of Django's own middleware and the CSP."""

from collections.abc import Callable
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Server": "parley",  # granian names itself where an answer does not; leaving it out is not possible
    "X-Content-Type-Options": "nosniff",
}


class PolicyMiddleware(CSPMiddleware):
    """django-csp, which writes the policy anew for each answer; those of the API all have the same."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self.policy = build_policy()

    def __call__(self, request: Any) -> Any:
        if not request.path.startswith("/api/"):
            return super().__call__(request)
        response = self.get_response(request)
        response.headers.setdefault(HEADER, self.policy)
        return response


class HeadersMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if not request.path.startswith(settings.STATIC_URL):
            # What stands behind a login or a key is nobody else's, and not a cache's.
            response.headers["Cache-Control"] = "private, no-store"
        if request.path.startswith("/api/"):
            patch_vary_headers(response, ("X-API-Key", "Authorization"))
        return response
