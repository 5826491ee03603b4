"""Pages of other sites get nothing: no answer allows another origin to read it, and no preflight is granted."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Account, User
from config import wsgi
from conversations.models import Conversation
from tests.config.test_conventions import routes
from tests.config.test_wsgi import ask, one_connection
from tests.conftest import Api, client_of

__all__ = ["one_connection"]

pytestmark = pytest.mark.skipif(
    settings.STORE.name != "sqlite", reason="whom an answer allows to read it does not depend on the store"
)

ORIGINS = (
    "https://evil.example",
    "null",
    "http://127.0.0.1:8000.evil.example",
    "http://localhost:3000",
    "file://",
    "*",
)
ASKING = ("GET", "POST", "OPTIONS")


def paths(pk: str) -> list[str]:
    found = {re.sub(r"<[^>]+>|\(\?P.*?\)(?=[-/$])", pk, path.strip("^$")) for path, _ in routes()}
    plain = sorted(path.replace("\\Z", "") for path in found if "(" not in path)
    return [f"/{path}" for path in (*plain, "static/parley.css", "nothing")]


def allowed(headers: Any) -> list[str]:
    return [name for name in headers if name.lower().startswith(("access-control-", "timing-allow-origin"))]


@pytest.mark.parametrize("origin", ORIGINS)
def test_no_answer_allows_another_origin(acme: Account, alice: User, record: Any, origin: str) -> None:
    conversation: Conversation = record()
    api, browser = Api(acme), client_of(alice)
    browser.raise_request_exception = False
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "x-api-key, content-type",
        "Access-Control-Request-Private-Network": "true",
        "X-API-Key": api.token,
    }
    tried = 0
    for path in paths(conversation.pk):
        for method in ASKING:
            client = Client(raise_request_exception=False) if path.startswith("/logout") else browser
            answer = client.generic(method, path, headers=asked)
            _read = answer.getvalue() if answer.streaming else b""
            assert not allowed(answer.headers), (method, path)
            if path.startswith("/api/") and not path.startswith(("/api/docs", "/api/schema")) and method == "OPTIONS":
                assert answer.status_code >= 400, path  # not even a preflight's 200
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", (method, path)
            tried += 1
    assert tried > 250


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
def test_the_short_way_of_the_api_allows_none_either(api: Api, origin: str, method: str) -> None:
    given = {"HTTP_ORIGIN": origin, "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET", "REQUEST_METHOD": method}
    for key in ({}, {"HTTP_X_API_KEY": api.token}):
        for path in ("/api/conversations", "/api/nothing"):
            _status, headers, _body = ask(wsgi.application, path, **given, **key)
            assert not allowed(headers)
