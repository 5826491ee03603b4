"""A line in the log for each request: what was asked for, how it went, and how long it took until its last byte."""

import logging
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse

from accounts.origin import current_origin
from config.logs import parameter_names, shown_path

log = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
TOO_MANY_REQUESTS = 429
"""Of these there is no line: whoever floods the API must not flood the log too."""


class AccessMiddleware:
    """Outermost but for the one that gives each request its id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = perf_counter()
        origin = current_origin()
        try:
            response = self.get_response(request)
        except Exception:  # not even a page that says so could be made
            write_line(request, 500, perf_counter() - began, origin.request_id)
            raise

        def done() -> None:
            write_line(request, response.status_code, perf_counter() - began, origin.request_id)

        if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
            response.streaming_content = Watched(response.streaming_content, done)  # type: ignore[arg-type]
        else:
            done()
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
