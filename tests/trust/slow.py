"""``python -m tests.trust.slow``: 1,000 clients that send a byte now and then, and what everybody else notices.

They are slow with their headers; with ``--bodies`` half of them are slow with a body, for each of which a thread of the
server waits: a proxy that reads bodies before it passes them on is what helps there. Ends with 1 where another client
got a server error, or its 99th percentile was 500 ms or more.
"""

import argparse
import resource
import selectors
import socket
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.serving import Running, serving

MOST = 0.5
"""Seconds that 99 of 100 requests of others may take at most."""

EVERY = 0.02
"""Seconds between two requests of others."""


@dataclass
class Found:
    idle: list[float]
    beside: list[float]
    server_errors: int
    opened: int
    open_at_the_end: int

    @property
    def ratio(self) -> float:
        return percentile(self.beside) / percentile(self.idle)

    def __str__(self) -> str:
        return (
            f"{self.opened:,} slow clients, {self.open_at_the_end:,} still connected at the end; others: "
            f"p99 {percentile(self.idle) * 1000:.0f} ms idle, {percentile(self.beside) * 1000:.0f} ms beside them "
            f"({self.ratio:.1f} ×), {len(self.beside):,} requests, {self.server_errors} server errors"
        )


def percentile(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


@dataclass
class Slow:
    server: Running
    clients: int
    seconds: float
    has_bodies: bool = False
    errors: int = 0
    sockets: list[socket.socket] = field(default_factory=list)

    def measure(self) -> Found:
        idle = self.others(min(self.seconds, 5))
        crawling = threading.Event()
        crawl = threading.Thread(target=self.crawl, args=(crawling,))
        crawl.start()
        crawling.wait(60)
        beside = self.others(self.seconds)
        crawling.clear()
        crawl.join()
        still = sum(is_open(each) for each in self.sockets)
        for each in self.sockets:
            each.close()
        return Found(idle, beside, self.errors, len(self.sockets), still)

    def others(self, seconds: float) -> list[float]:
        """What single requests take for so long, each over a connection of its own."""
        parts, taken, end = urlsplit(self.server.address), list[float](), time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            client = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
            client.request("GET", "/api/conversations?limit=5", headers={"X-API-Key": self.server.token})
            answer = client.getresponse()
            answer.read()
            client.close()
            self.errors += answer.status >= 500
            taken.append(time.monotonic() - began)
            time.sleep(EVERY)
        return taken

    def crawl(self, crawling: threading.Event) -> None:
        """Open all connections, then a byte on each, again and again, until told to stop."""
        parts = urlsplit(self.server.address)
        head = b"GET /api/conversations HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
        body = (
            f"POST /api/conversations HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {self.server.token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n["
        ).encode()
        for number in range(self.clients):
            client = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)
            client.sendall(body if self.has_bodies and number % 2 else head)
            client.setblocking(False)
            self.sockets.append(client)
        crawling.set()
        while crawling.is_set():
            for client in self.sockets:
                try:
                    client.send(b" ")
                except OSError:  # the server had enough of it
                    continue
            time.sleep(1)


def is_open(client: socket.socket) -> bool:
    """Whether the server has not hung up."""
    with selectors.DefaultSelector() as ready:
        ready.register(client, selectors.EVENT_READ)
        if not ready.select(0):
            return True
    try:
        return bool(client.recv(1))
    except OSError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trust.slow", description=__doc__)
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--bodies", action="store_true", help="half of them with a body")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, options.clients * 2 + 500)), hard))
    unlimited: dict[str, Any] = {f"RATE_LIMIT_{window}": "0" for window in ("ADDRESS", "KEY", "ACCOUNT")}
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), conversations=[], **unlimited) as server:
        found = Slow(server, options.clients, options.seconds, options.bodies).measure()
        errors = (Path(folder) / "log").read_text().count(" ERROR ")
    print(f"{found}; {errors} errors in the server's log")
    return int(bool(found.server_errors or errors or percentile(found.beside) >= MOST))


if __name__ == "__main__":
    sys.exit(main())
