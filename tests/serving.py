"""Parley itself as a server of its own: a real process, over a new SQLite file, that ends with the block."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

from tests.servers import free_port, kill_all

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 120  # seconds for the server to answer


PREPARE = """
import sys
from os import environ

import django
from django.core.management import call_command

environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()
call_command("migrate", verbosity=0)
for account in sys.argv[1:]:
    call_command("create_account", account, owner="alice@example.com")
    call_command("import_conversations", "-", account=account)
"""
"""What ``manage.py`` would do, in the time that it takes to start once."""


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


class Parley:
    """The server's processes over one store. They may be killed, and started again at the same address.

    Its log lies in ``folder``, and its store too where ``variables``, which are of its environment, name no other.
    """

    process: "subprocess.Popen[bytes]"

    def __init__(self, folder: Path, variables: Mapping[str, str], *, user: int | None = None) -> None:
        self.folder, self.log, self.user = folder, folder / "log", user
        self.port = int(variables.get("PORT", 0)) or free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{folder}/parley.sqlite3",
            "DEBUG": "0",
            "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-served-for-tests",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "WORKERS": "1",
            **variables,
        }

    def manage(self, *arguments: str, given: bytes = b"") -> str:
        return self._run("manage.py", *arguments, given=given)

    def _run(self, *arguments: str, given: bytes) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, input=given, capture_output=True, check=False, user=self.user
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def prepare(self, conversations: Sequence[Any] | None) -> str:
        """Migrate, and give Acme these ``conversations``. Returns a key, or nothing where there is to be no account."""
        _, is_sqlite, file = self.environment["DATABASE_URL"].partition("sqlite:///")
        if is_sqlite and not self.user and not Path(file).exists():
            Path(file).write_bytes(migrated())
        given = b"" if conversations is None else json.dumps(conversations).encode()
        told = self._run("-c", PREPARE, *([] if conversations is None else ["Acme"]), given=given)
        return told.partition("\n")[0].strip()

    def launch(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "config.serve"]
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, user=self.user
            )

    def start(self, path: str = "/api/schema") -> None:
        """Launch it, and wait until it answers ``path``."""
        self.launch()
        self.wait(path)

    def wait(self, path: str) -> None:
        wait_for(f"{self.address}{path}", self.process, self.log)

    def kill(self) -> None:
        """SIGKILL, to all of its processes."""
        kill_all(self.process)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


@cache
def migrated() -> bytes:
    """The file of a new SQLite store: made once, for all servers that this process starts."""
    with TemporaryDirectory() as folder:
        Parley(Path(folder), {})._run("-c", PREPARE, given=b"")
        assert sorted(os.listdir(folder)) == ["parley.sqlite3"]  # nothing of it is left in a log
        return (Path(folder) / "parley.sqlite3").read_bytes()


@cache
def collect_static() -> None:
    """As a release does. The files lie where the settings say, for all servers: one of a run's processes collects."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    (ROOT / "var").mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, (ROOT / "var" / "static-collected-by").open("a+") as by:
        flock(by, LOCK_EX)
        by.seek(0)
        if by.read() != run:
            Parley(Path(folder), {}).manage("collectstatic", "--noinput", "--verbosity=0")
            by.truncate(0)
            by.write(run)


@contextmanager
def serving(
    folder: Path, *, conversations: Sequence[Any] | None = None, static: bool = False, **variables: str
) -> Iterator[Running]:
    """A server whose files and log lie in ``folder``; ``variables`` are of its environment.

    Acme holds ``conversations``, given in the wire's shape; without them nobody has an account, and there is no key.
    ``static``: it has the static files of a release.
    """
    parley = Parley(folder, variables)
    token = parley.prepare(conversations)
    if static:
        collect_static()
    try:
        parley.start()
        yield Running(parley.address, parley.process.pid, token, parley.manage)
    finally:
        parley.stop()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urlopen(url, timeout=5).close()
            return
        except OSError:  # refused, cut off, or answered with an error
            time.sleep(0.05)
    raise AssertionError(log.read_text())
