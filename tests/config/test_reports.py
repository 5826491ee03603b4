"""What is reported to Sentry: the real SDK in the real server, read where it arrives."""

import gzip
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from config.serve import BASE_DIR
from tests.factories import WireConversation, message
from tests.serving import Running, serving

PHONE, EMAIL, TEXT, SEARCH = "+1 (555) 010-4477", "zelda@lead.example", "after the xylophone lesson", "quixotic"
PRIVATE = ("010-4477", "0104477", "zelda", "xylophone", SEARCH, "cookie-of-mine", "agent-of-mine", "QUERY_STRING")


class Sentry:
    """Takes envelopes, and keeps them."""

    def __init__(self) -> None:
        self.envelopes: list[bytes] = []
        kept = self.envelopes

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.dsn = f"http://public@127.0.0.1:{self.server.server_port}/1"

    def events(self, number: int) -> list[dict[str, Any]]:
        deadline = time.monotonic() + 20
        while len(self.envelopes) < number and time.monotonic() < deadline:
            time.sleep(0.1)
        lines = [line for envelope in self.envelopes for line in envelope.splitlines()]
        return [event for event in map(json.loads, lines) if "event_id" in event and "level" in event]


@pytest.fixture
def sentry() -> Iterator[Sentry]:
    found = Sentry()
    thread = Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def failure(server: Running, path: str, body: Any = None) -> str:
    """The id of a request that fails."""
    headers = {
        "X-API-Key": server.token,
        "Content-Type": "application/json",
        "Cookie": "sessionid=cookie-of-mine",
        "User-Agent": "agent-of-mine",
        "Referer": f"http://x/?q={SEARCH}",
    }
    data = None if body is None else json.dumps(body).encode()
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(f"{server.address}{path}", data, headers), timeout=60).close()
    refused.value.close()
    assert refused.value.code == 500
    return str(refused.value.headers["X-Request-Id"])


@pytest.mark.server
def test_reports_hold_what_failed_and_nothing_of_anybody(sentry: Sentry, tmp_path: Path) -> None:
    said = [WireConversation(leadPhone=PHONE, leadEmail=EMAIL, messages=[message(TEXT)])]
    with serving(tmp_path, conversations=said, static=True, SENTRY_DSN=sentry.dsn) as server:
        with closing(sqlite3.connect(tmp_path / "parley.sqlite3", timeout=30)) as store:
            store.execute("ALTER TABLE conversations_conversation RENAME TO gone")
            store.execute("ALTER TABLE django_session RENAME TO gone_too")
        ids = {
            failure(server, f"/api/conversations?search={SEARCH}&limit=1"),
            failure(server, "/api/conversations", said[0]),
            failure(server, f"/conversations/?search={quote(PHONE)}"),
        }
        events = sentry.events(3)
    assert {event["tags"]["request_id"] for event in events} == ids
    for event in events:
        assert set(event) <= {
            *("event_id", "timestamp", "level", "platform", "release", "environment", "server_name", "logger", "sdk"),
            *("tags", "logentry", "exception"),
        }
        raised = event["exception"]["values"][-1]
        assert (raised["type"], raised["value"][:13]) == ("OperationalError", "no such table")
        assert all("vars" not in frame for frame in raised["stacktrace"]["frames"])
        assert event["release"].startswith("parley@")
    page = next(event for event in events if "path" in event["tags"])
    assert (page["tags"]["method"], page["tags"]["path"]) == ("GET", "/conversations/")
    arrived = b"\n".join(sentry.envelopes).decode()
    for private in (*PRIVATE, server.token, server.token[8:40]):
        assert private.casefold() not in arrived.casefold(), private


def start(dsn: str, code: str = "import config.settings") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SENTRY_DSN": dsn, "DATABASE_URL": "sqlite:///:memory:"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=False)


def test_what_ends_a_command_is_reported_without_what_it_quotes(sentry: Sentry) -> None:
    assert start(sentry.dsn, f"import config.settings\nint('{SEARCH}')").returncode == 1
    [event] = sentry.events(1)
    assert event["exception"]["values"][0]["value"] == "invalid literal for int() with base 10: …"
    assert SEARCH.encode() not in b"".join(envelope for envelope in sentry.envelopes if b"context_line" not in envelope)


def test_a_missing_package_is_said_with_what_to_do(sentry: Sentry) -> None:
    without = "import importlib.util as u\nfind = u.find_spec\n"
    without += "u.find_spec = lambda name, *more: None if name == 'sentry_sdk' else find(name, *more)\n"
    done = start(sentry.dsn, f"{without}import config.settings")
    assert done.returncode == 1
    assert "SENTRY_DSN is set, but sentry-sdk is not installed. Run: ./requirements/install.sh sentry" in done.stderr


def test_a_malformed_address_is_named() -> None:
    done = start("http://127.0.0.1")
    assert done.returncode == 1
    assert "SENTRY_DSN is malformed" in done.stderr


def test_without_an_address_the_package_is_not_even_loaded() -> None:
    done = start("", "import sys, config.settings; print(any(name.startswith('sentry_sdk') for name in sys.modules))")
    assert done.stdout == "False\n"


def test_plain_installations_do_not_bring_the_package() -> None:
    for name in ("base", "postgresql", "mongodb"):
        assert not re.search("^sentry", (BASE_DIR / "requirements" / f"{name}.txt").read_text(), re.MULTILINE)
    assert re.search("^sentry-sdk==", (BASE_DIR / "requirements" / "sentry.txt").read_text(), re.MULTILINE)
