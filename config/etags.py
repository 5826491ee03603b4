"""Conditional requests: what has not changed is not read again, and not sent again."""

import hashlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags, quote_etag
from rest_framework.request import Request

from config import __version__


def conditional(
    request: HttpRequest | Request, answer: Callable[[], HttpResponseBase], *parts: object
) -> HttpResponseBase:
    """``answer()``, or 304 where the client has it. ``parts`` change with everything that the answer shows.

    The product's version is one of them: an upgrade may change how things are shown.
    """
    text = ":".join(map(str, (__version__, *parts)))
    etag = quote_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
    if is_held(request, etag):
        return HttpResponse(status=304, headers={"ETag": etag})
    response = answer()
    response["ETag"] = etag
    return response


def is_held(request: HttpRequest | Request, etag: str) -> bool:
    """Whether the client has what ``etag`` names."""
    held = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in held or any(other.removeprefix("W/") == etag for other in held)
