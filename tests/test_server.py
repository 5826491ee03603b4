"""The real server process and a real HTTP client: what granian, WSGI and Django make of the contract together."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.factories import WireConversation, message
from tests.serving import Running, serving

pytestmark = pytest.mark.server

COUNT = 1_500


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("server"), conversations=conversations(), static=True) as running:
        yield running


def conversations() -> list[WireConversation]:
    return [
        WireConversation(
            id=f"{number:024x}", messages=[message(f"Message {index} " + "x" * 500) for index in range(40)]
        )
        for number in range(COUNT)
    ]


def get(server: Running, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(server.address)
    client = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        client.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = client.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        client.close()


def resident_memory(pid: int) -> int:
    """Bytes of a process and its children (Linux)."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if re.search(rf"^(Pid|PPid):\t{pid}$", text, re.MULTILINE):
            found = re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
            total += int(found[1]) * 1024 if found else 0
    return total


def test_refusals_come_over_the_wire_as_documented(server: Running) -> None:
    status, headers, body = get(server, "/api/conversations")
    assert (status, headers["content-type"]) == (401, "application/json")
    assert json.loads(body)["error"].startswith("Authentication required.")
    status, _, body = get(server, "/api/conversations", X_API_Key="nl_live_nonsense")
    assert (status, json.loads(body)) == (401, {"error": "Invalid or expired API key"})
    status, headers, body = get(server, "/api/nothing", X_API_Key=server.token)
    assert (status, json.loads(body)) == (404, {"error": "Not found"})
    status, _, body = get(server, "/api/conversations?limit=0", X_API_Key=server.token)
    assert (status, json.loads(body)["error"]) == (400, "Validation failed")


def test_every_answer_carries_the_headers_it_must(server: Running) -> None:
    for path in ("/api/conversations?limit=1", "/login/", "/conversations/", "/nothing", "/static/parley.css"):
        _, headers, _ = get(server, path, X_API_Key=server.token)
        assert re.fullmatch(r"[0-9a-f]{32}", headers["x-request-id"]), path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["server"] == "parley", path  # what serves it, and its version, is nobody's business
        if "/static/" not in path:
            assert headers["cache-control"] == "private, no-store", path
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path


def test_whole_account_is_streamed_in_constant_memory(server: Running) -> None:
    get(server, "/api/conversations?limit=1", X_API_Key=server.token)
    before = resident_memory(server.pid)
    parts = urlsplit(server.address)
    client = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    client.request("GET", "/api/conversations", headers={"X-API-Key": server.token})
    response = client.getresponse()
    size, peak, pieces = 0, 0, []
    while piece := response.read(1 << 20):
        size += len(piece)
        pieces.append(piece)
        peak = max(peak, resident_memory(server.pid))
    client.close()
    shown = json.loads(b"".join(pieces))
    assert len(shown) == COUNT
    assert {conversation["_id"] for conversation in shown} == {f"{number:024x}" for number in range(COUNT)}
    assert size > 30_000_000
    assert peak - before < 0.2 * size, (before, peak, size)
    print(f"{size / 1e6:.0f} MB streamed, memory grew by {(peak - before) / 1e6:.1f} MB")


def test_client_that_leaves_early_does_no_harm(server: Running) -> None:
    for _ in range(5):
        parts = urlsplit(server.address)
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as client:
            request = f"GET /api/conversations HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {server.token}\r\n\r\n"
            client.sendall(request.encode())
            client.recv(1000)
    status, headers, _ = get(server, "/api/conversations?limit=1", X_API_Key=server.token)
    assert (status, headers["x-total-count"]) == (200, str(COUNT))


def test_link_walks_the_account_over_the_wire(server: Running) -> None:
    seen: list[Any] = []
    path: str | None = "/api/conversations?limit=700"
    while path:
        _, headers, body = get(server, path, X_API_Key=server.token)
        seen += [conversation["_id"] for conversation in json.loads(body)]
        link = re.fullmatch(rf'<{server.address}(.+)>; rel="next"', headers.get("link", ""))
        path = link[1] if link else None
    assert len(seen) == len(set(seen)) == COUNT


def test_bearer_works_over_the_wire(server: Running) -> None:
    status, _, body = get(
        server, "/api/conversations?search=MESSAGE+39&limit=2", Authorization=f"Bearer {server.token}"
    )
    assert status == 200
    assert len(json.loads(body)) == 2
