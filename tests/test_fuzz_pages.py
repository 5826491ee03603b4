"""Hostile input on every page: never a server error, for a guest nothing, and always a page that says what is wrong.

The routes are those of the URLs; ``tests.test_access_matrix.ROWS`` knows how each is asked for.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from accounts.models import Account, User
from conversations.models import Conversation
from tests.config.test_conventions import OPEN, routes
from tests.conftest import client_of
from tests.factories import CAMPAIGN
from tests.test_access_matrix import PAGES, ROWS
from tests.test_fuzz import IDS, METHODS, QUERIES, VALUES, shared_out

Record = Callable[..., Conversation]

PARAMETERS = {
    "conversations/": (
        *("status", "search", "channel", "stage", "agentConfigId", "campaignId", "qualified", "activity", "unread"),
        *(
            "leadId",
            "createdAfter",
            "updatedBefore",
            "repliedAfter",
            "finished",
            "stageReached",
            "stageIndex",
            "lastRole",
            "lastWords",
        ),
        *("sort", "cursor", "before", "changed"),
    ),
    "conversations/<str:pk>/": ("search", "at", "find", "all", "wanted", "reason", "status", "sort", "notes"),
    "conversations/export/": ("format", "search", "sort"),
    "conversations/new/": ("since", "of", "search"),
    "conversations/bulk/": ("to", "id", "all", "search"),
    "analytics/": ("range", "from", "to", "channel", "agentConfigId", "campaignId", "csv", "status"),
    "analytics/last-words/": ("range", "from", "to", "channel", "agentConfigId", "campaignId", "csv", "status"),
    "settings/audit/": ("search", "action", "resourceType", "actorType", "actorId", "from", "to", "skip"),
    "settings/audit/export/": ("format", "search", "from"),
}
"""What a page reads of its address. Every other page gets all of these names at once, and does without."""

NAMES = sorted({name for names in PARAMETERS.values() for name in names})
READ = [path for path, _ in PAGES if ROWS[path].reads]
GUESTS = sorted(path for path, _ in routes() if path in OPEN and not path.startswith(("api/", "^")))


@pytest.fixture
def hostile(acme: Account, alice: User, record: Record) -> Client:
    record(campaignId=CAMPAIGN)
    client = client_of(alice)
    client.raise_request_exception = False
    return client


def address_of(path: str, pk: str) -> str:
    return "/" + path.replace("<str:pk>", pk).replace("<str:note>", pk).replace("<path:token>", pk)


def check(response: Any, what: object) -> None:
    assert response.status_code < 500, (what, response.status_code)
    assert len(response.headers["X-Request-Id"]) == 32, what
    if response.status_code in (301, 302):
        assert response.headers["Location"].startswith("/"), (what, response.headers["Location"])
        assert not response.headers["Location"].startswith(("//", "/\\")), what


@pytest.mark.parametrize("path", READ)
def test_no_parameter_breaks_a_page(hostile: Client, path: str) -> None:
    address = address_of(path, Conversation.objects.get().pk)
    names = PARAMETERS.get(path)
    for name, value in shared_out(VALUES, names or ()):
        check(hostile.get(address, {name: value}), (name, value[:40]))
    for value in VALUES if names is None else ():
        check(hostile.get(address, dict.fromkeys(NAMES, value)), value[:40])
    for query in QUERIES:
        check(hostile.get(f"{address}?{query}"), query[:80])


@pytest.mark.parametrize("path", [path for path, _ in PAGES])
def test_no_method_breaks_a_page(hostile: Client, alice: User, path: str) -> None:
    for method in METHODS:
        check(hostile.generic(method, address_of(path, "0" * 24)), method)
        hostile.force_login(alice)


@pytest.mark.parametrize("path", GUESTS)
def test_no_guest_breaks_a_page(db: None, path: str) -> None:
    """What is open to everybody, with nobody signed in."""
    client = Client(raise_request_exception=False)
    for value in (*VALUES, *IDS):
        address = address_of(path, quote(value, safe="%"))
        for request in (client.get(address, {"next": value}), client.post(address, {"login": value, "email": value})):
            check(request, (path, value[:40]))
    for method in METHODS:
        check(client.generic(method, address_of(path, "x")), method)


def test_no_header_breaks_a_page(hostile: Client) -> None:
    for path in ("/", "/conversations/", "/settings/people/", "/login/", "/nothing/", "/static/nothing.css"):
        for headers in (
            {"Accept-Language": "x," * 2_500},
            {"Accept-Language": "es-\x00"},
            {"Cookie": "sessionid=" + "x" * 4_000},
            {"Cookie": "sessionid=\u00e9; csrftoken=;;;=,"},
            {"Host": "evil.example"},
            {"Host": "127.0.0.1:99999999"},
            {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
            {"Referer": "javascript:alert(1)", "Origin": "https://evil.example"},
            {"If-None-Match": "*", "If-Modified-Since": "x", "Range": "bytes=9-1"},
            {"X-Timezone": "../etc/passwd"},
            {"User-Agent": "\u202e" + "x" * 5_000},
        ):
            response = hostile.get(path, headers=headers)
            assert response.status_code < 500, (path, headers)
            assert "evil.example" not in str(response.headers) + response.getvalue().decode(), (path, headers)
