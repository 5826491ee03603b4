"""What is told of each request: what was asked for, how it went, and how long it took until its last byte.

A line in the log; and where ``METRICS_TOKEN`` is set, it is counted.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse

from accounts.origin import current_origin
from config.logs import parameter_names, shown_path
from config.turns import CAME

log = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NOBODY_ASKED = "parley.nobody_asked"
"""Of a request's environment: it is the server's own, and not counted."""

TOO_MANY_REQUESTS = 429
"""Of these there is no line: whoever floods the API must not flood the log too."""


class AccessMiddleware:
    """Outermost but for the one that gives each request its id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.observe: Callable[[HttpRequest, str, int, float], None] | None = None
        if settings.METRICS_TOKEN:
            from config.metrics import observe

            self.observe = observe

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = request.META.get(CAME) or perf_counter()
        request_id = current_origin().request_id

        def done(status: int) -> None:
            seconds = perf_counter() - began
            if self.observe and NOBODY_ASKED not in request.META:
                self.observe(request, method_of(request), status, seconds)
            write_line(request, status, seconds, request_id)

        try:
            response = self.get_response(request)
        except Exception:  # not even a page that says so could be made
            done(500)
            raise
        if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
            pieces: Any = response.streaming_content
            response.streaming_content = Watched(pieces, lambda: done(response.status_code))
        else:
            done(response.status_code)
        return response


class Watched:
    """What is streamed; ``done`` is called when it has ended, however it ends."""

    def __init__(self, pieces: Iterable[bytes], done: Callable[[], None]) -> None:
        self.pieces, self.done = pieces, done

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)

    def close(self) -> None:
        """Django calls it when the answer was sent, or its reader has left."""
        self.done()


def write_line(request: Any, status: int, seconds: float, request_id: str) -> None:
    level = logging.INFO if status < 400 else logging.WARNING
    if status == TOO_MANY_REQUESTS or not log.isEnabledFor(level):
        return
    method, path = method_of(request), shown_path(request.path)
    facts: dict[str, Any] = {"method": method, "path": path, "status": status, "duration_ms": round(seconds * 1e3, 1)}
    if query := request.META.get("QUERY_STRING"):
        facts["parameters"] = parameter_names(query)
    if key := getattr(request, "auth", None):
        facts |= {"account": key.account_id, "key": key.pk}
    elif account := getattr(request, "account", None):
        facts["account"] = account.pk
    log.log(level, "%s %s %s", method, path, status, extra={"facts": facts, "request_id": request_id})


def method_of(request: HttpRequest) -> str:
    """A client may send any word."""
    return request.method if request.method in METHODS else "other"
