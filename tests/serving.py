"""Parley itself as a server of its own: a real process, over a new SQLite file, that ends with the block."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60  # seconds for the server to answer


class Running(NamedTuple):
    """Where the server is, its process id, and a live key of Acme with every scope."""

    address: str
    pid: int
    token: str
    manage: Any

    def open(self, path: str, method: str = "GET", body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-API-Key": self.token, "Content-Type": "application/json"}
        return urlopen(Request(f"{self.address}{path}", data, headers, method=method), timeout=PATIENCE)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        with self.open(path, method, body) as response:
            return json.load(response)


@contextmanager
def serving(
    folder: Path, *, conversations: Sequence[Any] | None = None, static: bool = False, **variables: str
) -> Iterator[Running]:
    """A server whose files and log lie in ``folder``; ``variables`` are of its environment.

    Acme holds ``conversations``, given in the wire's shape; without them nobody has an account, and there is no key.
    ``static`` collects the static files first, as a release does.
    """
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder}/parley.sqlite3",
        "DEBUG": "0",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-served-for-tests",
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "WORKERS": "1",
        **variables,
    }

    def manage(*arguments: str, given: bytes = b"") -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, input=given, capture_output=True, check=True)
        return done.stdout.decode()

    manage("migrate", "--verbosity=0")
    if static:
        manage("collectstatic", "--noinput", "--verbosity=0")
    token = ""
    if conversations is not None:
        token = manage("create_account", "Acme", "--owner", "alice@example.com").strip()
        manage("import_conversations", "-", "--account", "Acme", given=json.dumps(conversations).encode())
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "config.serve"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{environment['PORT']}"
        wait_for(address, process, folder / "log")
        yield Running(address, process.pid, token, manage)
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(PATIENCE * 10):
        if process.poll() is not None:
            break
        try:
            urlopen(f"{address}/api/schema", timeout=PATIENCE).close()
            return
        except URLError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())
