"""What opens something is nowhere but where it was shown: not in the store's files, its backup, the log or a page."""

import gzip
import json
import re
import time
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import pytest

from tests.factories import WireConversation
from tests.serving import Running, serving

pytestmark = pytest.mark.server

PASSWORD = "correct horse battery staple"

SIGN_UP = f"""
from accounts.models import User
alice = User.objects.get(email="alice@example.com")
alice.set_password({PASSWORD!r})
alice.is_staff = alice.is_superuser = True
alice.save()
"""

ADMIN = (
    *("accounts/apikey", "accounts/auditevent", "accounts/user", "accounts/account", "accounts/membership"),
    *("accounts/invitation", "conversations/conversation"),
)


class Browser:
    """Keeps cookies, sends forms with their token, and remembers all that it was shown."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.opener: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))
        self.shown: list[str] = []

    def get(self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> str:
        request = Request(f"{self.address}{path}", body, {"Referer": f"{self.address}{path}", **(headers or {})})
        try:
            with self.opener.open(request, timeout=60) as answer:
                text = answer.read().decode(errors="replace")
        except HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
        self.shown.append(text)
        return text

    def send(self, path: str, **fields: str) -> str:
        page = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, page[:500]
        more = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        return self.get(path, urlencode({**more, **fields, "csrfmiddlewaretoken": token[1]}).encode())


def keys_of(server: Running) -> list[str]:
    """Made by the command, by the API, and by rotating that one."""
    body = {"name": "CRM", "environment": "live", "scopes": ["conversations:view"]}
    made = server.call("POST", "/api/api-keys", body)
    rotated = server.call("POST", f"/api/api-keys/{made['apiKey']['_id']}/rotate", {})
    found = re.findall(r"nl_(?:live|test)_[0-9a-f]{64}", json.dumps([made, rotated]))
    assert len(set(found)) == 2
    return [server.token, *found]


def links_in(mails: Path, number: int) -> list[str]:
    """The secrets of the links in what was sent."""
    deadline = time.monotonic() + 30
    found: set[str] = set()
    while len(found) < number and time.monotonic() < deadline:
        time.sleep(0.2)
        texts = "\n".join(file.read_text() for file in mails.glob("*")).replace("=\n", "").replace("=3D", "=")
        found = {link[1] for link in re.finditer(r"/(?:invitations|login/reset)/([\w-]{20,})/", texts)}
    return sorted(found)


def test_no_secret_is_found_where_it_was_not_shown(tmp_path: Path) -> None:
    mails = tmp_path / "mails"
    mails.mkdir()
    variables: dict[str, Any] = {"EMAIL_URL": f"filemail:///{mails}", "LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json"}
    with serving(tmp_path, conversations=[WireConversation()], static=True, **variables) as server:
        server.manage("shell", "--command", SIGN_UP)
        keys = keys_of(server)
        browser, stranger = Browser(server.address), Browser(server.address)
        stranger.send("/login/reset/", email="alice@example.com")
        browser.send("/login/", login="alice@example.com", password=PASSWORD)
        browser.shown.clear()
        browser.send("/settings/people/invite/", email="new@example.com", roles="analyst")
        links = links_in(mails, 2)
        assert len(links) == 2, list(mails.glob("*"))
        secrets = [*keys, *links, PASSWORD]
        for secret in secrets:  # used, and misused
            browser.get("/api/conversations?limit=1", None, {"X-API-Key": secret})
            browser.get("/api/conversations", b"{", {"Authorization": f"Bearer {secret}", "Content-Type": "text/x"})
            stranger.get(f"/invitations/{secret.replace(' ', '-')}/")
        stranger.get(f"/login/reset/{next(link for link in links if re.match('[0-9a-z]+-', link))}/")
        pages = [
            "/settings/api-keys/",
            "/settings/people/",
            "/settings/audit/",
            "/settings/security/",
            "/admin/health/",
        ]
        for path in (*pages, *(f"/admin/{name}/" for name in ADMIN)):
            page = browser.get(path)
            assert "Page not found" not in page or "invitation" in path, path
            for row in re.findall(r'href="(/admin/[a-z/]+/[0-9a-f]{24}/change/)', page)[:3]:
                browser.get(row)
        shown = "\n".join(browser.shown)
        assert shown.count("<h1") > 15
        files = {path.name: path.read_bytes() for path in tmp_path.glob("parley.sqlite3*")}
        assert {"parley.sqlite3", "parley.sqlite3-wal"} <= set(files)
        server.manage("backup", str(tmp_path / "all.bak"))
        files["backup"] = gzip.decompress((tmp_path / "all.bak").read_bytes())
        files["log"] = (tmp_path / "log").read_bytes()
        files["pages"] = shown.encode()
    assert b"Acme" in files["backup"]
    assert b"config.access" in files["log"]
    for name, content in files.items():
        for secret in secrets:
            assert secret.encode() not in content, (name, secret[:12])
            assert len(secret) < 40 or secret[-40:].encode() not in content, (name, secret[:12])
