"""A provider of OpenID Connect, small and real: HTTP on this machine, tokens that it signs, codes that it gives once.

Nobody signs in there: it says of everybody what its owner has told it to say. ``lie`` makes it break the rules.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "parley", "a-secret-of-the-client"


class Provider:
    """``person`` are the claims of whoever comes next."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.person: dict[str, Any] = {}
        self.lie = ""
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.key, self.another = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "jwks_uri": f"{self.address}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def keys(self) -> dict[str, Any]:
        return {"keys": [{**jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True), "kid": "1"}]}

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes next."""
        if self.lie == "cancelled":
            return f"{query['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': query['state']})}"
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proof = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if not asked or asked["code_challenge"] != proof or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        if (form["client_id"], form["client_secret"]) != (CLIENT, SECRET):
            return None
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "iat": int(time.time()),
            "exp": int(time.time()) + 60,
            **self.person,
        }
        claims |= {"iss": "https://evil.example"} if self.lie == "issuer" else {}
        claims |= {"aud": "somebody-else"} if self.lie == "audience" else {}
        claims |= {"exp": int(time.time()) - 60} if self.lie == "expired" else {}
        key = self.another if self.lie == "signature" else self.key
        return {
            "access_token": "access",
            "token_type": "Bearer",
            "id_token": jwt.encode(claims, key, algorithm="RS256", headers={"kid": "1"}),
        }

    def userinfo(self) -> dict[str, Any]:
        return {**self.person, "sub": "another"} if self.lie == "userinfo" else self.person


@contextmanager
def provider() -> Iterator[Provider]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.provider = Provider(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.provider  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        provider.asked.append(parts.path)
        if parts.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", provider.authorize({k: v[0] for k, v in parse_qs(parts.query).items()}))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif parts.path == "/userinfo" and self.headers["Authorization"] == "Bearer access":
            self.answer(provider.userinfo())
        elif parts.path == "/keys":
            self.answer(provider.keys())
        elif parts.path == "/.well-known/openid-configuration":
            self.answer(provider.discovery())
        else:
            self.answer({"error": "not found"}, 404)

    def do_POST(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = provider.token({k: v[0] for k, v in parse_qs(body).items()})
        self.answer(given or {"error": "invalid_grant"}, 200 if given else 400)

    def answer(self, body: Any, status: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""
