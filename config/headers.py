"""The headers that every answer carries, beside those of Django's own middleware and the CSP."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Server": "parley",  # granian names itself where an answer does not; leaving it out is not possible
    "X-Content-Type-Options": "nosniff",
}


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
