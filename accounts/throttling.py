"""How many requests the API takes in 60 seconds from one address, one key and one account (contract, section 6).

Each request under ``/api`` counts on its address: so guessing keys is limited. With a good key it then counts on the
key and the account, on both or on neither, before scopes are looked at. Refused requests are not counted by the window
that refuses them, but on the address all the same where it is the key or the account that is full.

All three are counted at once, when the key is known, for that takes hardly longer than one of them alone. Only an
address that has used up its limit, and one that sends nothing like a key, counts before anything is looked up: whoever
is refused costs next to nothing.

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

from accounts.authentication import ApiKeyAuthentication, token_of
from accounts.models import ApiKey
from accounts.models.key import TOKEN
from accounts.origin import current_origin
from config.storage.counters import CountersUnavailable, Use, Window, counters

REFUSALS = {
    "address": "Too many requests, please try again later",
    "key": "API key rate limit exceeded, please try again later",
    "account": "Account rate limit exceeded, please try again later",
}

MOST_REMEMBERED = 10_000
"""Addresses that have used up their limit, of which a process knows."""


class TooManyRequests(APIException):
    status_code = 429


class ThrottlingMiddleware:
    """Counts requests under ``/api`` by address, and tells every answer's reader how much is left."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.used_up: set[str] = set()

    def __call__(self, request: Any) -> HttpResponseBase:
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        address = Window(f"address:{network_of(current_origin().address)}", settings.RATE_LIMIT_ADDRESS)
        request.uses, request.uncounted = [], [address]
        response: HttpResponseBase
        try:
            if address.name in self.used_up or not TOKEN.fullmatch(token_of(request) or ""):
                count(request)
            response = self.get_response(request)
            count(request)  # where nobody asked for a key
        except TooManyRequests as refusal:
            response = refused(refusal)
        if request.uses:
            if request.uses[0].window == address:
                self.remember(request.uses[0])
            tightest = min(request.uses, key=lambda use: (use.admitted, use.remaining))
            for name, value in headers(tightest).items():
                response[name] = value
        return response

    def remember(self, use: Use) -> None:
        """What one request found tells whether the next one from that address is likely to be refused."""
        if use.remaining:
            self.used_up.discard(use.window.name)
            return
        if len(self.used_up) >= MOST_REMEMBERED:
            self.used_up.clear()
        self.used_up.add(use.window.name)


class ThrottledKeyAuthentication(ApiKeyAuthentication):
    """A good key, which has not been used too often.

    Not one of DRF's throttles, because DRF asks those after the permissions: a key without a scope could go on forever.
    """

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        try:
            found = super().authenticate(request)
        except APIException:
            count(request)
            raise
        if found:
            count_key(request, found[1])
        return found


def count_key(request: Any, key: ApiKey) -> None:
    """Count ``request`` on its address, its key and the key's account. Raises TooManyRequests."""
    count(
        request,
        Window(f"key:{key.pk}", key.rate_limit or settings.RATE_LIMIT_KEY),  # the narrow one first
        Window(f"account:{key.account_id}", key.account.rate_limit or settings.RATE_LIMIT_ACCOUNT),
    )


def count(request: Any, *windows: Window) -> None:
    """Count ``request`` on its address, unless that was done, and in those of ``windows`` that have a limit.

    Raises TooManyRequests where one is full.
    """
    address = [window for window in request.uncounted if window.limit]
    request.uncounted.clear()
    limited = [*address, *(window for window in windows if window.limit)]
    if not limited:
        return
    try:
        uses = counters().take(limited, milliseconds(), len(address))
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
