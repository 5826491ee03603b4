"""Hostile input on every endpoint: never a server error, always JSON with a request id."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import getitem
from typing import Any

import pytest

from accounts.models import Account
from conversations.models import Conversation
from tests.conftest import Api
from tests.factories import WireConversation, message
from tests.serving import ROOT
from tests.test_access_matrix import API

Record = Callable[..., Conversation]

IDS = [
    "", "0" * 23, "0" * 25, "g" * 24, "A" * 24, "１" * 24, "a" * 24 + "%0A", "%00", "%ff", "%2e%2e%2f", "a" * 10_000,
    "null", "[object Object]", '{"$ne":1}', "id[$gt]=", "undefined", "-1", "'", "%27%20OR%201=1--",
    "%0d%0aSet-Cookie:a=b", "%00%01%02%03%04%05%06%07%08%09%0a%0b", "%F0%9F%91%8B" * 6, "a" * 24 + "%20", "{id}",
]  # fmt: skip

VALUES = [
    "", " ", "x" * 100, "x" * 101, "👋" * 100, "e\u0301" * 50, "a\x00b", "%", "_", "\\", ".*", "(a+)+$", "[", "$where",
    "'", "--", "\u202eabc", "ПРИВЕТ", "ß", "SS", "İ", "+1 (555) 01", "ACTIVE", "open", "-1", "0", "1e3", "1.5", "abc",
    str(2**31), str(2**63), str(10**20), "9" * 5_000, "true", "TRUE", "null", "2026-01-01",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-12-31T23:59:60Z", "2026-01-01T00:00:00Z", "٣", "\ud7ff\ufffe",
]  # fmt: skip

DESCRIBED = json.loads((ROOT / "docs/openapi.json").read_bytes())
"""The served description, which ``tests/test_schema.py`` compares with this file."""

QUERIES = [
    "status[]=active", "status=active&status=dropped", "search=%ff%fe", "a;b=c;limit=1", "limit=1&limit=2", "&&&=&=x",
    "&".join(f"p{number}=1" for number in range(1_001)), "search[$ne]=1", "limit[]=1", "%00=1", "=" * 500,
    "search=+1555", "search=%2B1555", "search=" + "%EF%BF%BE" * 30, "limit=1&limit", "cursor=%00",
    "cursor=" + "A" * 5_000,
    "format=api", "format=xml", "_method=DELETE", "callback=alert", "fields=*", "ordering=account__name", "pk=1&id=1",
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
    {"Accept": "text/html, */*;q=0"},
    {"Accept": "x" * 5_000},
    {"Accept-Charset": "utf-7"},
    {"Content-Type": ""},
    {"Cookie": "sessionid=x; csrftoken=" + "y" * 4_000},
    {"If-Modified-Since": "never"},
    {"Origin": "null", "Referer": "data:"},
    {"X-Requested-With": "XMLHttpRequest", "HX-Request": "true"},
    {"Transfer-Encoding": "identity"},
]

TYPES = [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data",
    "application/json; charset=rot13", "application/json; charset=utf-16", "application/json; charset=",
    "application/json;",
    "application/xml", "image/png", "json", "", "\x00", "application/json, text/plain", "a" * 5_000,
]  # fmt: skip

MOMENTS = [
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00",
    "2026-12-31T23:59:60Z", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z", "2100-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2026-01-01", "now", "", 0, 1e15, -1, True, None, [], {}, "２０２６-01-01T00:00:00Z",
    "2026-01-01T00:00:00.1234567890Z",
]  # fmt: skip

PIECES = [
    *MOMENTS, " ", "\t\n", "x" * 4_097, "x" * 16_001, "\x00", "\ud800", "\u202e", "$where", "a.b", {"$ne": None},
    {"$gt": ""},
    ["a"], [[]], {"a": {"b": {}}}, -(2**31), 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 1.5, 1e308, "1e999",
    "NaN",
    "a" * 24, "A" * 24, "g" * 24, "active", "ACTIVE", "open", "+15551234567", "=1+1", "e\u0301" * 100, "İ",
    "\ud7ff\ufffe",
]  # fmt: skip

STRANGE = ["_id", "accountId", "account_id", "environment", "status", "messages", "__proto__", "$set", "a.b", "x"]
"""What hardly any body has; fields of others among it."""

KEYS = [
    ({}, 401),
    ({"X-API-Key": ""}, 401),
    ({"X-API-Key": " "}, 401),
    ({"X-API-Key": "{key},{key}"}, 401),
    ({"X-API-Key": "{key} "}, 200),
    ({"X-API-Key": "{key}x"}, 401),
    ({"X-API-Key": "\u00e9"}, 401),
    ({"X-API-Key": "nl_live_" + "0" * 10_000}, 401),
    ({"X-API-Key": "nl_live_" + "f" * 63 + "\u0661"}, 401),
    ({"Authorization": "bearer {key}"}, 200),
    ({"Authorization": "BEARER   {key}  "}, 200),
    ({"Authorization": "Bearer"}, 401),
    ({"Authorization": "Bearer {key} {key}"}, 401),
    ({"Authorization": "Basic {key}"}, 401),
    ({"Authorization": "Bearer " + "nl_" * 4_000}, 401),
    ({"X-API-Key": "nl_live_nonsense", "Authorization": "Bearer {key}"}, 401),
    ({"X-API-Key": "{key}", "Authorization": "Bearer nl_live_nonsense"}, 200),
    ({"Cookie": "X-API-Key={key}"}, 401),
]
"""What names the key, and what an answer that it opens or not has to be: of two, the header of the API's own counts."""

METHODS = ("TRACE", "OPTIONS", "HEAD", "PROPFIND", "DELETE", "PUT", "PATCH", "GET", "CONNECT", "x", "get")


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


def described(path: str, method: str) -> Any:
    return DESCRIBED["paths"]["/" + path.replace("<str:pk>", "{id}")][method]


def resolved(part: Any) -> Any:
    while "$ref" in part:
        _, *names = part["$ref"].split("/")
        part = reduce(getitem, names, DESCRIBED)
    return part


def parameters_of(path: str) -> set[str]:
    """What a read knows in its address."""
    found = map(resolved, described(path, "get").get("parameters", ()))
    return {each["name"] for each in found if each["in"] == "query"}


def fields_of(path: str, method: str) -> set[str]:
    """What a write knows in its body, or in the first of the bodies that it takes."""
    content = described(path, method).get("requestBody", {}).get("content", {})
    schema = resolved(content.get("application/json", {}).get("schema", {}))
    return set(resolved(schema.get("oneOf", [schema])[0])["properties"]) if schema else set()


EVERY_PARAMETER = sorted(set().union(*map(parameters_of, GET_ROUTES)))


def shared_out(values: Sequence[Any], names: Iterable[str], known: Iterable[str] = ()) -> Iterator[tuple[str, Any]]:
    """What is known with each value; all else with every fourth: what nobody reads is ignored whatever it holds."""
    for name in sorted(known):
        for value in values:
            yield name, value
    for number, name in enumerate(sorted(set(names).difference(known))):
        for value in values[number % 4 :: 4]:
            yield name, value


@pytest.mark.parametrize("path", GET_ROUTES)
def test_no_parameter_breaks_a_read(hostile: Api, path: str) -> None:
    address = "/" + path.replace("<str:pk>", Conversation.objects.get().pk)
    for name, value in shared_out(VALUES, EVERY_PARAMETER, parameters_of(path)):
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


@pytest.mark.parametrize(("path", "method"), WRITE_ROUTES)
def test_no_type_of_a_body_breaks_a_write(hostile: Api, path: str, method: str) -> None:
    pk = Conversation.objects.get().pk if "conversations" in path else hostile.key.pk
    address = "/" + path.replace("<str:pk>", pk)
    for content_type in TYPES:
        for body in (b"", b"{}", b"a=1&b=2", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--'):
            answer = hostile.client.generic(
                method.upper(), address, body, content_type=content_type, headers={"X-API-Key": hostile.token}
            )
            check(answer, (content_type[:60], body))


@pytest.mark.parametrize(("path", "method"), WRITE_ROUTES)
def test_no_value_of_a_field_breaks_a_write(hostile: Api, path: str, method: str) -> None:
    """Each field that there is with each value that there should not be, in a body that is right but for that."""
    kind = "messages" if path.endswith("messages") else "api-keys" if "api-keys" in path else "conversations"
    bases: dict[str, dict[str, Any]] = {
        "conversations": dict(WireConversation(status="dropped")),
        "messages": message("Hi"),
        "api-keys": {"name": "New", "environment": "test", "scopes": ["team:view"]},
    }
    base = bases[kind]
    pk = Conversation.objects.get().pk if "conversations" in path else hostile.key.pk
    address = "/" + path.replace("<str:pk>", pk)
    for name, value in shared_out(PIECES, STRANGE, fields_of(path, method)):
        check(hostile.send(method.upper(), address, {**base, name: value}), (name, value))
    if path == "api/conversations":
        for name, value in shared_out(PIECES, STRANGE, fields_of(f"{path}/<str:pk>/messages", "post")):
            body = {**base, "messages": [{**message("Hi"), name: value}]}
            check(hostile.post(address, body), (name, value))


@pytest.mark.parametrize(("path", "method"), WRITE_ROUTES)
def test_no_size_of_a_body_breaks_a_write(hostile: Api, path: str, method: str) -> None:
    """Larger than allowed, said to be larger or smaller than it is, and compressed to look small."""
    pk = Conversation.objects.get().pk if "conversations" in path else hostile.key.pk
    address, key = "/" + path.replace("<str:pk>", pk), {"X-API-Key": hostile.token}
    bomb = gzip.compress(b"[" + b" " * (50 << 20) + b"]")
    given: list[tuple[bytes, dict[str, Any], set[int]]] = [
        (b'"' + b"x" * (11 << 20) + b'"', {}, {413}),
        (b"{}", {"CONTENT_LENGTH": str(1 << 30)}, {413}),
        (b"{}", {"CONTENT_LENGTH": str(10**30)}, {413}),
        (b"{", {"CONTENT_LENGTH": "-1"}, {200, 201, 400, 413}),
        (b"{", {"CONTENT_LENGTH": "x"}, {200, 201, 400, 413}),  # read as none by Django
        (b'{"a": 1}', {"CONTENT_LENGTH": "3"}, {400}),
        (bomb, {"HTTP_CONTENT_ENCODING": "gzip"}, {415}),
        (bomb, {"HTTP_CONTENT_ENCODING": "GZIP, identity"}, {415}),
        (bomb, {}, {400}),
    ]
    for body, extra, expected in given:
        answer = hostile.client.generic(method.upper(), address, body, "application/json", headers=key, **extra)
        check(answer, (len(body), extra))
        # What takes no body reads none: of a conversation, a key.
        reads = not path.endswith(("rotate", "revoke"))
        assert answer.status_code in expected or not reads, (answer.status_code, extra)


@pytest.mark.parametrize("path", [path for path, _ in API])
def test_no_key_that_is_none_opens_anything(hostile: Api, path: str) -> None:
    address = "/" + path.replace("<str:pk>", Conversation.objects.get().pk)
    for headers, status in KEYS:
        given = {name: value.replace("{key}", hostile.token) for name, value in headers.items()}
        answer = hostile.client.get(address, headers=given)
        check(answer, headers)
        assert (answer.status_code == 401) == (status == 401), (headers, answer.status_code)
    for query in ("api_key", "key", "X-API-Key", "access_token", "token"):
        assert hostile.client.get(address, {query: hostile.token}).status_code == 401


@pytest.mark.parametrize("path", [path for path, _ in API] + ["api/", "api/nothing", "api/schema", "api/docs"])
def test_no_method_breaks_anything(hostile: Api, path: str) -> None:
    address = "/" + path.replace("<str:pk>", "0" * 24)
    for method in METHODS:
        for override in ({}, {"X-HTTP-Method-Override": "DELETE"}):
            answer = hostile.send(method, address, {}, headers=override)
            assert answer.status_code < 500, method
            if method != "HEAD":
                check(answer, method)


def test_unknown_names_of_every_kind_are_json_404s(hostile: Api) -> None:
    for path in ("/api/", "/api/x", "/api/conversations/a/b/c", "/api/%00", "/api/%ff", "/api//", "/api/admin/"):
        response = hostile.get(path)
        check(response, path)
        assert response.status_code == 404
