"""Where the present request comes from: its id and the client's address, for answers, logs and the audit log."""

import logging
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase


@dataclass(frozen=True)
class Origin:
    request_id: str = "-"
    address: str = ""


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 (frozen)


def current_origin() -> Origin:
    """The present request's origin; outside a request one without an address."""
    return _origin.get()


class OriginMiddleware:
    """Outermost: each request gets an id of ours, which its answer and each of its log lines carry."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        origin = Origin(secrets.token_hex(16), client_address(request))
        # Not taken back afterwards: Django logs a failed answer when the middleware is through with it.
        _origin.set(origin)
        response = self.get_response(request)
        response["X-Request-Id"] = origin.request_id
        return response


def client_address(request: HttpRequest) -> str:
    """The client's IP address: the connection's, or behind ``TRUSTED_PROXIES`` proxies the one the outermost saw."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(hops) >= settings.TRUSTED_PROXIES:
            address = hops[-settings.TRUSTED_PROXIES]
    return _readable(address)


@lru_cache(maxsize=10_000)
def _readable(address: str) -> str:
    try:
        return str(ip_address(address))
    except ValueError:
        return ""


SECRET_PATH = re.compile(r"(?<!people)(/invitations/|/shared/link/|/login/reset/(?=\w+-))[^\s?]+")
"""What stands in a path and is a secret: the link of an invitation, of a brief, or of a password's reset."""


class NoTracebackFilter(logging.Filter):
    """For what strangers cause and nobody needs to look into: how the code got there says nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        record.exc_text = None
        return True
