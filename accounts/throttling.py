"""How many requests the API takes in 60 seconds from one address, one key and one account (contract, section 6).

Each request under ``/api`` counts on its address first, before anything is looked up: so guessing keys is limited, and
whoever is refused costs next to nothing. With a good key it then counts on the key and the account, on both or on
neither, before scopes are looked at. Refused requests are not counted by the window that refuses them.

Where the counters do not answer, requests pass uncounted and the log says so. The limits keep the API fair between its
clients; they guard no secret, and a broken limiter must not turn away those whom it is for.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from accounts.authentication import ApiKeyAuthentication
from accounts.models import ApiKey
from accounts.origin import current_origin
from config.storage.counters import CountersUnavailable, Use, Window, counters

REFUSALS = {
    "address": "Too many requests, please try again later",
    "key": "API key rate limit exceeded, please try again later",
    "account": "Account rate limit exceeded, please try again later",
}


class TooManyRequests(APIException):
    status_code = 429


class ThrottlingMiddleware:
    """Counts requests under ``/api`` by address, and tells every answer's reader how much is left."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponseBase:
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        request.uses = []
        response: HttpResponseBase
        try:
            count(request, Window(f"address:{network_of(current_origin().address)}", settings.RATE_LIMIT_ADDRESS))
            response = self.get_response(request)
        except TooManyRequests as refusal:
            response = refused(refusal)
        if request.uses:
            tightest = min(request.uses, key=lambda use: (use.admitted, use.remaining))
            for name, value in headers(tightest).items():
                response[name] = value
        return response


class ThrottledKeyAuthentication(ApiKeyAuthentication):
    """A good key, which has not been used too often.

    Not one of DRF's throttles, because DRF asks those after the permissions: a key without a scope could go on forever.
    """

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        found = super().authenticate(request)
        if found:
            count_key(request, found[1])
        return found


def count_key(request: Any, key: ApiKey) -> None:
    """Count ``request`` on its key and the key's account. Raises TooManyRequests."""
    count(
        request,
        Window(f"key:{key.pk}", key.rate_limit or settings.RATE_LIMIT_KEY),  # the narrow one first
        Window(f"account:{key.account_id}", key.account.rate_limit or settings.RATE_LIMIT_ACCOUNT),
    )


def count(request: Any, *windows: Window) -> None:
    """Count ``request`` in those of ``windows`` that have a limit. Raises TooManyRequests where one is full."""
    limited = [window for window in windows if window.limit]
    if not limited:
        return
    try:
        uses = counters().take(limited, milliseconds())
    except CountersUnavailable:
        return
    request.uses += uses
    if not uses[-1].admitted:
        raise TooManyRequests(REFUSALS[uses[-1].window.name.partition(":")[0]])


def refused(refusal: TooManyRequests) -> HttpResponseBase:
    return JsonResponse({"error": str(refusal.detail)}, status=refusal.status_code)


def headers(use: Use) -> dict[str, str]:
    shown = {"RateLimit-Limit": use.window.limit, "RateLimit-Remaining": use.remaining, "RateLimit-Reset": use.reset}
    if not use.admitted:
        shown["Retry-After"] = use.retry_after
    return {name: str(number) for name, number in shown.items()}


@lru_cache(maxsize=10_000)
def network_of(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 that an IPv6 subscriber has at the least.

    Clients without a readable address count together: being unreadable must not be a way around the limit.
    """
    if not address:
        return "unknown"
    parsed = ip_address(address)
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or f"{IPv6Address(int(parsed) >> 64 << 64)}/64")


def milliseconds() -> int:
    return time.time_ns() // 1_000_000
