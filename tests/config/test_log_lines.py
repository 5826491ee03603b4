"""What the real server writes to its log, as text and as JSON: every request, and nothing of what was sent with it."""

import http.client
import json
import re
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import pytest

from tests.factories import WireConversation, message
from tests.serving import Running, serving

pytestmark = pytest.mark.server

PHONE = "+1 (555) 010-4477"
EMAIL = "zelda.quill@lead.example"
SEARCH = "quixotic"
TEXT = "Please call my mobile after the xylophone lesson"
REASON = "wanderlust"
PASSWORD = "correct-horse-battery"
TOKEN = "nl_live_" + 16 * "0a1b"
INVITATION = "Zx9-secret-of-the-invitation_Qw"
WORDS = (
    EMAIL,
    "zelda",
    "(555)",
    "1555",
    "010-4477",
    "0104477",
    SEARCH,
    "xylophone",
    REASON,
    PASSWORD,
    "0a1b0a1b",
    "Zx9",
    "Qw",
)


class Asked(NamedTuple):
    status: int
    request_id: str


class Served(NamedTuple):
    server: Running
    folder: Path
    form: str

    def lines(self) -> list[str]:
        return (self.folder / "log").read_text().splitlines()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Asked:
        parts = urlsplit(self.server.address)
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)) as client:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            client.request(method, path, content, {"Content-Type": "application/json", **given})
            response = client.getresponse()
            response.read()
            return Asked(response.status, response.headers.get("X-Request-Id", ""))

    def say(self, sent: bytes) -> bytes:
        parts = urlsplit(self.server.address)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as client:
            client.sendall(sent)
            client.settimeout(2)
            try:
                return client.recv(1 << 16)
            except TimeoutError:
                return b""


@pytest.fixture(scope="module", params=["text", "json"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("logs")
    conversations = [WireConversation(leadPhone="+15550104477", leadEmail=EMAIL, messages=[message(TEXT)])]
    with serving(
        folder, conversations=conversations, LOG_FORMAT=request.param, LOG_LEVEL="DEBUG", static=True
    ) as server:
        yield Served(server, folder, request.param)


def test_log_holds_every_request_and_nothing_that_was_sent(served: Served) -> None:
    asked = good(served) + refused(served) + failed(served)
    time.sleep(0.5)
    log = "\n".join(served.lines())
    for word in (*WORDS, served.server.token, served.server.token[8:40]):
        assert word.casefold() not in log.casefold(), [line for line in served.lines() if word in line][:3]
    assert {200, 201, 400, 401, 403, 404, 405, 415, 500} <= {one.status for one in asked}
    for one in asked:
        assert one.request_id in log, one
    if served.form == "json":
        in_json(served, asked)
    else:
        in_text(served, asked)


def in_json(served: Served, asked: list[Asked]) -> None:
    lines = [json.loads(line) for line in served.lines()]
    for line in lines:
        assert {"time", "level", "logger", "message", "request_id"} <= set(line)
    access = {line["request_id"]: line for line in lines if line["logger"] == "config.access"}
    for one in asked:
        line = access[one.request_id]
        assert line["status"] == one.status
        assert line["duration_ms"] >= 0
        assert line["message"] == f"{line['method']} {line['path']} {line['status']}"
    listed = next(line for line in access.values() if line.get("parameters") == ["search", "limit", "…"])
    assert listed["path"] == "/api/conversations"
    assert re.fullmatch("[0-9a-f]{24}", listed["account"])
    assert re.fullmatch("[0-9a-f]{24}", listed["key"])
    [failure] = [line for line in lines if line["message"] == "API view failed"][:1]
    assert failure["error"].startswith("django.db.utils.OperationalError: no such table: conversations_conversation")
    assert "config/" in failure["traceback"]
    assert failure["request_id"] in access


def in_text(served: Served, asked: list[Asked]) -> None:
    log = served.lines()
    for one in asked:
        [line] = [line for line in log if f" {one.request_id} config.access: " in line]
        assert re.search(rf" (INFO|WARNING) {one.request_id} config.access: [A-Za-z]+ \S+ {one.status} duration", line)
    assert any("parameters=search,limit,…" in line for line in log)
    assert any(line.startswith("django.db.utils.OperationalError: no such table") for line in log)


def good(served: Served) -> list[Asked]:
    key = served.server.token
    conversation = WireConversation(leadPhone=PHONE, leadEmail=EMAIL, messages=[message(TEXT)], summary=TEXT)
    search = f"?search={SEARCH}&limit=2&{quote(PHONE)}={quote(EMAIL)}"
    return [
        served.ask("GET", f"/api/conversations{search}", X_API_Key=key),
        served.ask("GET", f"/api/conversations/export?search={quote(PHONE)}", Authorization=f"Bearer {key}"),
        served.ask("POST", "/api/conversations", conversation, X_API_Key=key, Idempotency_Key=SEARCH),
        served.ask("GET", f"/login/?next=/conversations/{quote('?search=' + EMAIL)}", Referer=f"http://x/?q={SEARCH}"),
        served.ask("GET", "/healthz", User_Agent=f"{EMAIL} {PHONE}"),
    ]


def refused(served: Served) -> list[Asked]:
    key = served.server.token
    token = TOKEN
    served.say(f"GET /{EMAIL} {PHONE} {SEARCH}\r\n\r\n".encode())
    served.say(
        f"GET /api/conversations?search={SEARCH} HTTP/1.1\r\nHost: x\r\nContent-Length: {SEARCH}\r\n\r\n".encode()
    )
    form = f"login={EMAIL}&password={PASSWORD}".encode()
    return [
        served.ask("GET", f"/api/conversations?search={SEARCH}", X_API_Key=token),
        served.ask("GET", f"/api/conversations?api_key={token}&{token}"),
        served.ask("GET", f"/api/conversations?limit={SEARCH}&skip={quote(PHONE)}", X_API_Key=key),
        served.ask("GET", f"/api/conversations/{quote(PHONE)}", X_API_Key=key),
        served.ask("GET", f"/api/conversations/{token}", X_API_Key=key),
        served.ask("GET", f"/{EMAIL}/{quote(PHONE)}/{token}"),
        served.ask("GET", f"/invitations/{INVITATION}/"),
        served.ask("GET", f"/login/reset/{INVITATION[:3]}-{INVITATION}/"),
        served.ask("POST", "/api/conversations", {"leadPhone": [PHONE], EMAIL: TEXT}, X_API_Key=key),
        served.ask("POST", "/api/conversations", f'{{"leadEmail": "{EMAIL}" {TEXT}'.encode(), X_API_Key=key),
        served.ask("POST", "/api/conversations", TEXT.encode(), X_API_Key=key, Content_Type="text/plain"),
        served.ask("DELETE", f"/api/conversations?search={SEARCH}", X_API_Key=key),
        served.ask("POST", "/login/", form, Content_Type="application/x-www-form-urlencoded"),
        served.ask("GET", "/login/", Host=f"{PHONE}.{EMAIL}"),
        served.ask("GET", "/login/", Cookie=f"sessionid={token}; csrftoken={SEARCH}"),
        served.ask("GET", "/conversations/", X_Request_Id=SEARCH, X_Forwarded_For=PHONE),
    ]


def failed(served: Served) -> list[Asked]:
    """The store is locked by somebody else, then has lost a table."""
    key = served.server.token
    said = message(TEXT)
    with closing(sqlite3.connect(served.folder / "parley.sqlite3", timeout=30, isolation_level=None)) as store:
        known = store.execute("SELECT _id FROM conversations_conversation").fetchone()[0]
        path = f"/api/conversations/{known}/messages"
        locked = []
        if served.form == "json":  # once is enough: that takes as long as a writer waits for its turn
            store.execute("BEGIN IMMEDIATE")
            locked = [served.ask("POST", f"{path}?token={SEARCH}", said, X_API_Key=key)]
            store.execute("ROLLBACK")
            assert locked[0].status == 503
        store.execute("ALTER TABLE conversations_conversation RENAME TO gone")
    return [
        *locked,
        served.ask("GET", f"/api/conversations?search={SEARCH}&limit=1", X_API_Key=key, Referer=EMAIL),
        served.ask("POST", path, said, X_API_Key=key),
    ]
