"""Writers that never give up: whatever becomes of a request, it is sent again under its ``Idempotency-Key``."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.factories import WireConversation, message

PATH = "/api/conversations"
AGAIN = 0.3  # seconds before a request that had no good answer is sent again
PAUSE = 0.05  # and before anything else is sent
MOST_OPEN = 6  # requests of a writer that have no good answer yet
PATIENCE = 30  # seconds for an answer
RECORD_EVERY = 10


def ids(number: int) -> list[str]:
    return [f"{each:024x}" for each in range(1, number + 1)]


def empty_conversations(number: int) -> list[Any]:
    return [WireConversation(id=pk, leadId="empty", messages=[]) for pk in ids(number)]


@dataclass
class Asked:
    """A request: a message, or a conversation that holds one; its name is the message's text and its key."""

    name: str
    path: str
    body: Any
    not_before: float = 0.0


@dataclass
class Tally:
    """What the writers of one load have seen."""

    acknowledged: list[str] = field(default_factory=list)
    replayed: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)


class Client:
    """A connection that is made again where it broke."""

    def __init__(self, address: str, token: str) -> None:
        self.parts, self.token = urlsplit(address), token
        self.connection: http.client.HTTPConnection | None = None

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body. Raises OSError or HTTPException."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.parts.hostname or "", self.parts.port, timeout=PATIENCE)
        try:
            given = {"X-API-Key": self.token, "Content-Type": "application/json", **headers}
            self.connection.request(method, path, None if body is None else json.dumps(body).encode(), given)
            response = self.connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None


class Writer(threading.Thread):
    def __init__(self, number: int, client: Client, conversations: Sequence[str], tally: Tally) -> None:
        super().__init__(daemon=True)
        self.number, self.client, self.conversations, self.tally = number, client, conversations, tally
        self.has_enough = threading.Event()
        self.sent = 0
        self.open: list[Asked] = []

    def run(self) -> None:
        try:
            self.work()
        finally:
            self.client.close()

    def work(self) -> None:
        while True:
            due = next((asked for asked in self.open if asked.not_before <= time.monotonic()), None)
            if due is None and (self.has_enough.is_set() or len(self.open) >= MOST_OPEN):
                if not self.open:
                    return
                time.sleep(0.02)
                continue
            if due is None:
                due = self.ask()
                self.open.append(due)
            if self.is_acknowledged(due):
                self.open.remove(due)
            else:
                due.not_before = time.monotonic() + AGAIN
                time.sleep(PAUSE)

    def ask(self) -> Asked:
        name = f"{self.number}-{self.sent}"
        self.sent += 1
        if self.sent % RECORD_EVERY == 0:
            return Asked(name, PATH, WireConversation(leadId=name, messages=[message(name)]))
        pk = self.conversations[self.sent % len(self.conversations)]
        return Asked(name, f"{PATH}/{pk}/messages", message(name))

    def is_acknowledged(self, asked: Asked) -> bool:
        tally = self.tally
        try:
            headers = {"Idempotency-Key": asked.name}
            status, got, body = self.client.send("POST", asked.path, asked.body, **headers)
        except (OSError, http.client.HTTPException):
            tally.answers["no answer"] += 1
            return False
        tally.answers[str(status)] += 1
        if status in (200, 201):
            tally.acknowledged.append(asked.name)
            tally.replayed += "idempotency-replayed" in got
            return True
        # 409: the request's first sending is running still, as far as the store knows.
        if status not in (409, 503) or "error" not in json.loads(body):
            tally.surprises.append(f"{status} {body[:300].decode()}")
        return False


class Load:
    """Writers at work from ``begin`` to ``end``."""

    def __init__(self, address: str, token: str, *, conversations: int, writers: int = 8) -> None:
        self.tally = Tally()
        self.reader = Client(address, token)
        self.writers = [
            Writer(number, Client(address, token), ids(conversations), self.tally) for number in range(writers)
        ]

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Ends when each request that was ever sent is acknowledged."""
        for writer in self.writers:
            writer.start()
        try:
            yield self
        finally:
            for writer in self.writers:
                writer.has_enough.set()
        for writer in self.writers:
            writer.join(120)
        assert not [writer for writer in self.writers if writer.is_alive()], "requests are open still"

    @property
    def acknowledged(self) -> int:
        return len(self.tally.acknowledged)

    def missing_and_doubled(self) -> tuple[list[str], list[str]]:
        """Compare what was acknowledged with what the server shows, which must count its messages rightly."""
        _, _, body = self.reader.send("GET", PATH)
        self.reader.close()
        stored = Counter(name for name in names_in(json.loads(body)) if not name.startswith("before-"))
        acknowledged = set(self.tally.acknowledged)
        assert stored.keys() <= acknowledged, "stored, and never acknowledged"
        return sorted(acknowledged - stored.keys()), [name for name, times in stored.items() if times > 1]


def names_in(conversations: Iterable[Any]) -> Iterator[str]:
    for conversation in conversations:
        assert conversation["messageCount"] == len(conversation["messages"]), conversation["_id"]
        for said in conversation["messages"]:
            yield said["content"]
