"""gzip for large answers of the API and for pages, streamed ones included. Static files are compressed already.

Django's own middleware compresses everything, at level 6: on a page of 50 conversations that takes twice the time of
level 1, for an answer a fifth smaller.

Pages hold what somebody else may have put into their address beside what only their reader may see. So their compressed
length says nothing exact (BREACH, https://breachattack.com): as Django does, up to 100 random bytes are added; its CSRF
tokens differ on each page, and cookies are not sent with other sites' requests.
"""

import gzip
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import patch_vary_headers

LEAST = 2_000
"""Bytes below which compressing does not pay."""

LEVEL = 1
MOST_PADDING = 100
TEXTS = ("text/", "application/json", "application/x-ndjson", "application/vnd.oai.openapi")


class GZipMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response: Any = self.get_response(request)
        if not is_compressible(request, response):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if not accepts_gzip(request.headers.get("Accept-Encoding", "")) or request.method == "HEAD":
            return response
        if isinstance(response, StreamingHttpResponse):
            response.streaming_content = compressed(response.streaming_content)  # type: ignore[arg-type]
        elif len(response.content) >= LEAST:
            response.content = packed(request, response)
            response["Content-Length"] = str(len(response.content))
        else:
            return response
        response["Content-Encoding"] = "gzip"
        if etag := response.get("ETag"):
            response["ETag"] = f"W/{etag.removeprefix('W/')}"  # the same to a reader, but not the same bytes
        return response


def packed(request: HttpRequest, response: Any) -> bytes:
    """The content compressed; of an answer that is given many times (``conversations.ready``), once."""
    if not request.path.startswith("/api/"):
        return padded(response.content)
    forms: dict[str, bytes] = getattr(response, "packed", {})
    if "gzip" not in forms:
        forms["gzip"] = b"".join(compressed([response.content]))
    return forms["gzip"]


def is_compressible(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Texts that are not compressed yet. What the browser keeps of static files has its own compressed copies."""
    is_text = response.get("Content-Type", "").startswith(TEXTS)
    return is_text and not request.path.startswith(settings.STATIC_URL) and not response.has_header("Content-Encoding")


def accepts_gzip(header: str) -> bool:
    """Whether ``Accept-Encoding`` names gzip (or anything) and does not refuse it with ``q=0``."""
    for part in header.lower().split(","):
        name, _, parameters = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return parameters.strip().replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def padded(content: bytes) -> bytes:
    """``content``, and a file name of random length that every reader skips."""
    buffer = BytesIO()
    name = "p" * secrets.randbelow(MOST_PADDING)
    with gzip.GzipFile(filename=name, mode="wb", compresslevel=LEVEL, fileobj=buffer, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()


def compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(LEVEL, wbits=31)
    for piece in pieces:
        if out := compressor.compress(piece):
            yield out
    yield compressor.flush()
