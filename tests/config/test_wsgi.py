"""The API goes through fewer middleware than pages: it must answer as it would through all."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from config import wsgi
from conversations.models import Conversation
from tests.conftest import Api

Record = Callable[..., Conversation]

EACH_ITS_OWN = {"X-Request-Id", "RateLimit-Remaining", "RateLimit-Reset"}


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """As Django's test client does: a request must not close the connection that the test's transaction is on."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def ask(handler: Any, path: str, **environ: str) -> tuple[str, dict[str, str], bytes]:
    query = path.partition("?")
    given: dict[str, Any] = {"PATH_INFO": query[0], "QUERY_STRING": query[2], "REMOTE_ADDR": "127.0.0.1", **environ}
    given["wsgi.input"] = BytesIO(b"")
    setup_testing_defaults(given)
    started: list[Any] = []
    content = b"".join(handler(given, lambda *args: started.append(args)))
    status, headers = started[0][:2]
    return status, {name: value for name, value in headers if name not in EACH_ITS_OWN}, content


@pytest.mark.parametrize(
    ("path", "environ"),
    [
        ("/api/conversations?limit=1", {}),
        ("/api/conversations?limit=1", {"HTTP_ACCEPT_ENCODING": "gzip"}),
        ("/api/conversations", {}),
        ("/api/conversations?limit=none", {}),
        ("/api/conversations?search=%00", {}),
        ("/api/nothing", {}),
        ("/api/conversations/", {}),
        ("/api/conversations", {"HTTP_X_API_KEY": "nl_live_no"}),
        ("/api/conversations", {"REQUEST_METHOD": "DELETE"}),
        ("/api/conversations", {"HTTP_HOST": "evil.example.com"}),
        ("/api/conversations", {"HTTP_ACCEPT_LANGUAGE": "es"}),
    ],
)
def test_the_short_way_answers_as_the_full_one(api: Api, record: Record, path: str, environ: Any) -> None:
    record()
    record()
    given = {"HTTP_X_API_KEY": api.token, **environ}
    short = ask(wsgi.api, path, **given)
    assert short == ask(wsgi.pages, path, **given) == ask(wsgi.application, path, **given)
    assert short[1]["Content-Security-Policy"]


def test_pages_under_api_go_the_full_way(api: Api) -> None:
    status, headers, content = ask(wsgi.application, "/api/docs")
    assert (status, headers["Content-Type"]) == ("200 OK", "text/html; charset=utf-8")
    assert b"Parley" in content


def test_the_short_way_is_part_of_the_full_one_in_its_order() -> None:
    assert [name for name in settings.MIDDLEWARE if name in settings.API_MIDDLEWARE] == settings.API_MIDDLEWARE
