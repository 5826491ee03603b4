"""What no client library sends, byte by byte, to the real server: never an error of it, and nobody is kept waiting.

``python -m tests.trust.slow`` is the large form of the last test.
"""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.factories import WireConversation
from tests.serving import Running, serving
from tests.trust.slow import Slow

pytestmark = pytest.mark.server

FINE = b"GET /api/conversations?limit=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key}\r\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("raw")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Running]:
    with serving(folder, conversations=[WireConversation() for _ in range(20)], static=True) as running:
        yield running


def said(server: Running, sent: bytes, *, patience: float = 20, quiet: float = 1) -> bytes:
    """What comes back until the server closes, or says nothing more for ``quiet`` seconds."""
    parts = urlsplit(server.address)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=patience) as client:
        pieces = b""
        try:
            client.sendall(sent.replace(b"{key}", server.token.encode()))
            while piece := client.recv(1 << 16):
                pieces += piece
                client.settimeout(quiet)
        except (TimeoutError, ConnectionError):
            pass
        return pieces


def statuses(answer: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"^HTTP/1\.1 (\d{3})", answer, re.MULTILINE)]


def faults(log: str) -> list[str]:
    """Errors of the server's own. A host that is not ours is Django's word for an error of the client."""
    errors = re.findall(r".* ERROR .*|^\[ERROR\].*", log, re.MULTILINE)
    return [line for line in errors if "DisallowedHost" not in line]


REQUESTS: dict[str, tuple[bytes, set[int]]] = {
    # Of what is sent, what the server may answer; an empty answer is a connection that was closed.
    "two different lengths": (
        b"POST /api/conversations HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n"
        b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
        {400},
    ),
    "length and chunks": (
        b"POST /api/conversations HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
        {400},
    ),
    "a length that is none": (b"POST /api/conversations HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", {400}),
    "a length with a sign": (b"POST /api/conversations HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}", {400}),
    "an unknown coding": (b"POST /api/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n{}", {400, 404, 501}),
    "a bad chunk": (
        b"POST /api/x HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        {400, 404},
    ),
    "200 kB of a header": (FINE + b"X: " + b"x" * 200_000 + b"\r\n\r\n", {200, 400, 431}),
    "2 MB of a header": (FINE + b"X: " + b"x" * 2_000_000 + b"\r\n\r\n", {400, 431}),
    "1,000 headers": (FINE + b"".join(b"X-%d: x\r\n" % number for number in range(1_000)) + b"\r\n", {400, 431}),
    "200 kB of an address": (b"GET /api/" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {400, 404, 414, 431}),
    "no host": (b"GET /conversations/ HTTP/1.1\r\nX-API-Key: {key}\r\n\r\n", {302, 400}),
    "two hosts": (b"GET /conversations/ HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n", {302, 400}),
    "another host": (b"GET /login/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", {400}),
    "HTTP/1.0 without a host": (b"GET /healthz HTTP/1.0\r\n\r\n", {200, 400}),
    "NUL in the address": (b"GET /api/\x00 HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "NUL in a header": (FINE + b"X: a\x00b\r\n\r\n", {400}),
    "NUL in the key": (b"GET /api/conversations HTTP/1.1\r\nHost: x\r\nX-API-Key: nl_\x00\r\n\r\n", {400}),
    "a folded header": (FINE + b"X: a\r\n b\r\n\r\n", {200, 400}),
    "a space before the colon": (FINE + b"X-Forwarded-For : 1.2.3.4\r\n\r\n", {400}),
    "a bare line feed": (b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n", {200, 400}),
    "the whole address": (b"GET http://evil.example/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", {200, 400, 404}),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", {302, 400, 404, 405}),
    "CONNECT": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n", {302, 400, 404, 405}),
    "HTTP/2 at once": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200, {400}),
    "noise": (bytes(range(256)) * 40, {400}),
    "an upgrade": (FINE + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", {200, 400, 426}),
    "Latin-1": (b"GET /api/conversations HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: \xe9\xff\r\n\r\n", {400, 401}),
    "an expectation": (
        b"POST /api/conversations HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key}\r\nExpect: 100-continue\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        {100, 400},
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_what_no_client_sends_breaks_nothing(server: Running, folder: Path, name: str) -> None:
    sent, allowed = REQUESTS[name]
    answer = said(server, sent)
    assert set(statuses(answer)) <= allowed, answer[:500]
    assert b"Traceback" not in answer
    assert b"evil.example" not in answer
    assert b"smuggled" not in answer
    assert not faults((folder / "log").read_text())
    assert server.call("GET", "/api/conversations?limit=1")


def test_requests_in_one_piece_are_answered_in_their_order(server: Running) -> None:
    """As many as the server takes: it may hang up after an answer, and a client asks again then."""
    paths = [b"/api/conversations?limit=1", b"/api/nothing", b"/healthz"] * 5
    sent = b"".join(b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key}\r\n\r\n" for path in paths)
    found = statuses(said(server, sent, quiet=5))
    assert found
    assert found == ([200, 404, 200] * 5)[: len(found)]


def test_request_in_many_pieces_is_one(server: Running) -> None:
    parts = urlsplit(server.address)
    whole = (FINE + b"\r\n").replace(b"{key}", server.token.encode())
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as client:
        for start in range(0, len(whole), 7):
            client.sendall(whole[start : start + 7])
        assert statuses(client.recv(1 << 16)) == [200]


def test_slow_clients_keep_nobody_waiting(server: Running) -> None:
    """In CI a hundred for five seconds; the ratio to the same without them says more than a time does."""
    found = Slow(server, clients=100, seconds=5).measure()
    assert not found.server_errors
    assert found.open_at_the_end > 0
    assert found.ratio < 10, found
