"""``python -m config.serve`` serves Parley. With ``--prepare``, as in ``make run``, it gets everything ready first.

HOST, PORT and WORKERS come from the environment or ``.env``, like the settings. Whatever stands in the way is said in
one sentence, before anything is changed.
"""

import argparse
import atexit
import ctypes
import logging
import multiprocessing
import os
import re
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

# A slow upload or download holds one thread for as long as it takes. More threads bear more of these, but get in each
# other's way; on SQLite, where that costs the most, they take turns (``config.turns``). Each may hold a database
# connection.
THREADS = 16
GRACE = 10  # seconds for open requests to finish after Ctrl-C or SIGTERM
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  every address, and how this machine calls itself

env = environ.Env()


class CannotServe(Exception):
    """What stands in the way, as a sentence for the person at the terminal."""


@dataclass(frozen=True)
class Address:
    """Where to listen: a numeric IP address and a port."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """How a browser on this machine reaches it."""
        host = EVERYWHERE.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def is_free(self) -> bool:
        """Whether nobody listens there. Asked because granian would share the port with a second granian, silently."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except PermissionError:
                raise CannotServe(f"PORT={self.port} needs root: ports from 1024 up do not.") from None
            except OSError as error:
                if "in use" in str(error):
                    return False
                raise CannotServe(f"HOST={self.host} is not an address of this machine ({error.strerror}).") from None
        return True


def address_from_environment() -> Address:
    """HOST and PORT as an address that is free."""
    host, port = env.str("HOST", default="") or "127.0.0.1", number("PORT", 8000, highest=65535)
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise CannotServe(f"HOST={host} is not an address: 127.0.0.1 serves this machine, 0.0.0.0 all.") from None
    # A name such as localhost stands for several addresses; IPv4 is the one that every client tries.
    address = Address(str(min(found, key=lambda each: each[0] != socket.AF_INET)[4][0]), port)
    if not address.is_free:
        raise CannotServe(f"Port {port} is in use: PORT={free_port_after(address)} make run")
    return address


def free_port_after(address: Address) -> int:
    candidates = (Address(address.host, port) for port in range(address.port + 1, min(address.port + 100, 65536)))
    return next((candidate.port for candidate in candidates if candidate.is_free), 8000)


def number(name: str, default: int, *, highest: int) -> int:
    value = env.str(name, default="") or str(default)
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= highest:
        raise CannotServe(f"{name} must be a number from 1 to {highest}, not {value!r}.")
    return int(value)


def set_defaults(address: Address) -> None:
    """A server is not for development: DEBUG=0, with a secret key of its own, unless the environment says otherwise."""
    if not {"DEBUG", "SECRET_KEY", "SECRET_KEY_FILE"} & os.environ.keys():
        os.environ["SECRET_KEY_FILE"] = str(secret_key_file(BASE_DIR / "var" / "secret-key"))
    os.environ.setdefault("DEBUG", "0")
    os.environ.setdefault("BASE_URL", address.url)
    os.environ["PARLEY_SERVES"] = "1"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def secret_key_file(path: Path) -> Path:
    """The file with this installation's secret key, made on the first run. Never half written: sessions hang on it."""
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f"{path.name}.{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(50))
            draft.rename(path)
        except OSError as error:
            raise CannotServe(f"{path} cannot be written: {error.strerror}.") from None
    return path


def serve(address: Address, workers: int) -> None:
    """Serves until Ctrl-C or SIGTERM."""
    from django.conf import settings
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    if settings.METRICS_TOKEN:
        folder = tempfile.mkdtemp(prefix="parley-metrics-")  # each worker counts in a file there
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    server = Granian(
        "config.wsgi:application",
        address=address.host,
        port=address.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE,
        log_level=LogLevels.error,  # and no access log: its lines would hold what people search for
        log_dictconfig=log_of_server(),
    )
    server.on_startup(lambda: threading.Thread(target=announce, args=(address,), daemon=True).start())
    if sys.stdout.isatty():  # a closed terminal ends the server; elsewhere SIGHUP replaces the workers one by one
        server.on_startup(lambda: signal.signal(signal.SIGHUP, server.signal_handler_interrupt) and None)
    server.serve(target_loader=load_application, wrap_loader=False)


def log_of_server() -> dict[str, Any]:
    """What granian itself has to say goes the way of all other lines."""
    from django.conf import settings

    own = {"_granian": {"handlers": ["stderr"], "propagate": False}}
    return {name: settings.LOGGING[name] for name in ("formatters", "handlers")} | {"loggers": own}


def load_application() -> Callable[..., Any]:
    """What a worker serves. A worker whose parent is killed ends too, instead of holding the port."""
    # Ctrl-C is for the parent, which stops its workers: hit by both signals, granian's workers hang.
    os.setpgid(0, 0)
    # Until granian sets its own, the parent's handlers are in place, and would swallow the signal to stop.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
        parent = multiprocessing.parent_process()
        if parent and parent.pid != os.getppid():  # killed before this worker could ask to be told
            sys.exit()
    from config.wsgi import application

    return application


def announce(address: Address) -> None:
    """Says where Parley is, once it is there."""
    own, base_url = address.url, os.environ["BASE_URL"]
    while not answers(own):
        time.sleep(0.05)
    say(f"Parley is at {base_url} (Ctrl-C stops it)")
    if address.host in EVERYWHERE and base_url == own:
        say("For other machines, set BASE_URL to the address that they use, such as https://parley.example.com")


def answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=1).close()
    except OSError:
        return False
    return True


def database_errors() -> tuple[type[Exception], ...]:
    """What a store raises; MongoDB's driver raises its own where it cannot connect."""
    from django.db import Error

    driver = sys.modules.get("pymongo.errors")
    return (Error, driver.PyMongoError) if driver else (Error,)


def say(line: str) -> None:
    """To the terminal; where lines are read by a program, as one of the log."""
    from django.conf import settings

    if settings.LOG_FORMAT == "json":
        from config.logs import JsonFormatter

        line = JsonFormatter().format(logging.LogRecord("config.serve", logging.INFO, __file__, 0, line, None, None))
    print(line, flush=True)


def main() -> None:
    from django.conf import settings

    parser = argparse.ArgumentParser(prog="python -m config.serve", description=__doc__)
    parser.add_argument("--prepare", action="store_true", help="first migrate, collect static files and load the demo")
    wants_preparation = parser.parse_args().prepare
    env.read_env(BASE_DIR / ".env")
    try:
        address, workers = address_from_environment(), number("WORKERS", min(2, os.cpu_count() or 1), highest=256)
        set_defaults(address)
        settings.DATABASES  # noqa: B018  reads the settings, so that a malformed one is said here
        if wants_preparation:
            from config.prepare import prepare

            prepare()
            # A fresh process: the server's parent needs none of what preparing has loaded.
            os.execv(sys.executable, [sys.executable, "-m", "config.serve"])  # noqa: S606
        serve(address, workers)
    except (CannotServe, ImproperlyConfigured) as error:
        sys.exit(str(error))
    except database_errors() as error:
        first_line = re.split(r"\n| \(configured", str(error).strip())[0]
        sys.exit(f"The database that DATABASE_URL names does not work: {first_line}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
