"""Hostile input on every endpoint: never a server error, always JSON with a request id."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Account
from conversations.models import Conversation
from tests.conftest import Api
from tests.test_access_matrix import API

Record = Callable[..., Conversation]

IDS = [
    "0" * 23, "0" * 25, "g" * 24, "A" * 24, "１" * 24, "a" * 24 + "%0A", "%00", "%ff", "%2e%2e%2f", "a" * 10_000,
    "null", "[object Object]", '{"$ne":1}', "id[$gt]=", "undefined", "-1", "'", "%27%20OR%201=1--",
]  # fmt: skip

VALUES = [
    "", " ", "x" * 100, "x" * 101, "👋" * 100, "e\u0301" * 50, "a\x00b", "%", "_", "\\", ".*", "(a+)+$", "[", "$where",
    "'", "--", "\u202eabc", "ПРИВЕТ", "ß", "SS", "İ", "+1 (555) 01", "ACTIVE", "open", "-1", "0", "1e3", "1.5", "abc",
    str(2**31), str(2**63), str(10**20), "9" * 5_000, "true", "TRUE", "null", "2026-01-01", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-12-31T23:59:60Z", "2026-01-01T00:00:00Z", "٣", "\ud7ff\ufffe",
]  # fmt: skip

NAMES = [
    "status",
    "search",
    "channel",
    "campaignId",
    "agentConfigId",
    "leadId",
    "qualified",
    "createdAfter",
    "createdBefore",
    "updatedAfter",
    "updatedBefore",
    "limit",
    "skip",
    "cursor",
    "format",
    "range",
    "action",
    "resourceType",
    "actorType",
    "actorId",
    "from",
    "to",
]

QUERIES = [
    "status[]=active", "status=active&status=dropped", "search=%ff%fe", "a;b=c;limit=1", "limit=1&limit=2", "&&&=&=x",
    "&".join(f"p{number}=1" for number in range(1_001)), "search[$ne]=1", "limit[]=1", "%00=1", "=" * 500,
]  # fmt: skip

BODIES = [
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"5",
    b"true",
    b"{}",
    b"[[]]",
    b"[null]",
    b"{",
    b"NaN",
    b"[1e999]",
    b"1" * 4_301,
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"a":1,"a":2}',
    b'{"messages":"\\ud800"}',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00",
    b'{"__proto__": {"x": 1}, "$where": "1", "a.b": 1}',
    b'{"status": {"$ne": null}}',
    b'{"status": ["dropped"]}',
    b'{"role": "lead", "content": "\\u0000"}',
    b'{"role": "lead", "content": "\\ud800"}',
    b'{"content": "x"}',
    b'{"name": "\\ud800", "scopes": ["\\ud800"], "environment": {}}',
    b'{"expiresAt": 1e400}',
    b'{"leadId": 1e15}',
    b'{"currentStageIndex": 9007199254740993}',
    b'{"currentStageIndex": "1"}',
    b'{"qualificationResult": []}',
    b'{"leadId": "1", "agentConfigId": "' + b"a" * 24 + b'", "channel": "email", "messages": [{}]}',
    json.dumps({f"k{number}": number for number in range(100_000)}).encode()[: 1 << 20],
]

HEADERS: list[dict[str, str]] = [
    {"Accept": "application/xml"},
    {"Accept-Language": "x," * 2_500},
    {"If-None-Match": "*"},
    {"If-None-Match": '"'},
    {"If-Match": '"x"'},
    {"X-HTTP-Method-Override": "DELETE"},
    {"Authorization": "Bearer \u00e9"},
    {"Range": "bytes=0-1"},
    {"Accept-Encoding": "gzip;q=x, *;q=0"},
    {"Content-Encoding": "gzip"},
    {"X-Forwarded-For": "' OR 1=1", "Forwarded": "for=x"},
    {"Idempotency-Key": "\u00e9"},
    {"Idempotency-Key": "x" * 10_000},
    {"Host": "localhost", "X-Request-Id": "a\tb"},
]


@pytest.fixture
def hostile(acme: Account, record: Record, settings: Any) -> Api:
    settings.RATE_LIMIT_ADDRESS = settings.RATE_LIMIT_KEY = settings.RATE_LIMIT_ACCOUNT = 0
    record()
    return Api(acme)


def check(response: Any, what: object) -> None:
    assert response.status_code < 500, (what, response.status_code)
    assert len(response.headers["X-Request-Id"]) == 32, what
    if response.status_code >= 400:
        body = json.loads(response.getvalue())
        assert body["error"], what
        assert body.keys() <= {"error", "details", "message"}, what


GET_ROUTES = [path for path, view in API if "get" in view.actions]
WRITE_ROUTES = [(path, method) for path, view in API for method in view.actions if method in ("post", "patch")]


@pytest.mark.parametrize("path", GET_ROUTES)
def test_no_parameter_breaks_a_read(hostile: Api, path: str) -> None:
    address = "/" + path.replace("<str:pk>", Conversation.objects.get().pk)
    for name in NAMES:
        for value in VALUES:
            check(hostile.client.get(address, {name: value}, headers={"X-API-Key": hostile.token}), (name, value))
    for query in QUERIES:
        check(hostile.client.get(f"{address}?{query}", headers={"X-API-Key": hostile.token}), query[:80])


@pytest.mark.parametrize("path", [path for path, _ in API if "<" in path])
def test_no_id_breaks_anything(hostile: Api, path: str) -> None:
    for pk in IDS:
        for method in ("GET", "POST", "PATCH", "DELETE"):
            check(hostile.send(method, "/" + path.replace("<str:pk>", pk), {"status": "dropped"}), (method, pk[:40]))


@pytest.mark.parametrize(("path", "method"), WRITE_ROUTES)
def test_no_body_breaks_a_write(hostile: Api, path: str, method: str) -> None:
    pk = Conversation.objects.get().pk if "conversations" in path else hostile.key.pk
    for body in BODIES:
        check(hostile.send(method.upper(), "/" + path.replace("<str:pk>", pk), body), body[:60])


@pytest.mark.parametrize("path", [path for path, _ in API])
def test_no_header_breaks_anything(hostile: Api, path: str) -> None:
    address = "/" + path.replace("<str:pk>", Conversation.objects.get().pk)
    for headers in HEADERS:
        for method in ("GET", "POST"):
            check(hostile.send(method, address, {}, headers=headers), headers)


def test_unknown_names_of_every_kind_are_json_404s(hostile: Api) -> None:
    for path in ("/api/", "/api/x", "/api/conversations/a/b/c", "/api/%00", "/api/%ff", "/api//", "/api/admin/"):
        response = hostile.get(path)
        check(response, path)
        assert response.status_code == 404
