"""Other ways to answer the same list, small and fair: the same bytes from the same data with the same key check.

Each runs as one process. What one needs that is not here, it says, and is left out.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from bench.data import FOLDER

HERE = Path(__file__).resolve().parent
PYTHON = FOLDER / "rivals-python"
NODE = FOLDER / "rivals-node"
PATH = "/api/conversations?limit=50"

Store = Path | str
"""A SQLite file, or the URL of a server's database."""


class Missing(Exception):
    """What a rival needs and does not find here."""


@dataclass(frozen=True)
class Rival:
    letter: str
    name: str
    command: Callable[[], Sequence[str]]
    environment: Callable[[Store, int], Mapping[str, str]]
    """For a store, and the length of the answer."""
    stores: str = "sqlite"
    """Where it can answer."""
    path: Callable[[Store], str] = lambda store: PATH
    same_bytes: bool = True
    same_length: bool = True
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"({self.letter}) {self.name}"


def python(module: str) -> Path:
    """The rivals' own environment, made on first use."""
    wanted = (HERE / "requirements.txt").read_text()
    stamp = PYTHON / "made-from.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        print("Installing the rivals in Python …", flush=True)
        install([sys.executable, "-m", "venv", "--clear", str(PYTHON)])
        pip = [str(PYTHON / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        install([*pip, "-r", str(HERE / "requirements.txt")])
        stamp.write_text(wanted)
    return PYTHON / "bin" / module


def node() -> str:
    found = shutil.which("node")
    npm = shutil.which("npm")
    if not found or not npm:
        raise Missing("node and npm are not installed")
    wanted = (HERE / "fastify" / "package.json").read_text()
    stamp = NODE / "made-from.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        print("Installing the rivals in Node (better-sqlite3 may take minutes to compile) …", flush=True)
        NODE.mkdir(parents=True, exist_ok=True)
        (NODE / "package.json").write_text(wanted)
        install([npm, "install", "--prefix", str(NODE), "--no-audit", "--no-fund", "--silent"])
        stamp.write_text(wanted)
    return found


def install(words: Sequence[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise Missing(f"{' '.join(map(str, words[:3]))} failed: {(done.stderr or done.stdout).strip()[-300:]}")


def two_tables(file: Store) -> Store:
    """The same conversations with a row for each message: in a file of their own, or beside those of the server."""
    if isinstance(file, str):
        import psycopg

        print("Making the tables of the usual way …", flush=True)
        with psycopg.connect(file, autocommit=True) as server:
            server.execute((HERE / "two_tables_postgresql.sql").read_text())
            server.execute("VACUUM ANALYZE")
        return file
    copied = file.with_name(f"{file.stem}-two-tables.sqlite3")
    if copied.exists() and copied.stat().st_mtime >= file.stat().st_mtime:
        return copied
    print("Making the tables of the usual way …", flush=True)
    copied.unlink(missing_ok=True)
    with closing(sqlite3.connect(copied)) as database:
        database.executescript((HERE / "two_tables.sql").read_text().replace("{file}", str(file)))
    os.utime(copied)
    return copied


def parley() -> Sequence[str]:
    return [sys.executable, "-m", "config.serve"]


GRANIAN = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1", "--http", "1"]
SETTINGS = {
    "DEBUG": "0",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-of-a-bench",
    "WORKERS": "1",
    "LOG_LEVEL": "WARNING",
}
UNREACHED = {f"RATE_LIMIT_{name}": "1000000" for name in ("ADDRESS", "KEY", "ACCOUNT")}
"""Each request is counted, and none is refused."""


def of_parley(store: Store, length: int) -> dict[str, str]:
    url = f"sqlite:///{store}" if isinstance(store, Path) else store
    return {"DATABASE_URL": url, **SETTINGS, **UNREACHED}


def of_rival(store: Store, length: int) -> dict[str, str]:
    return {"RIVAL_DATABASE": str(store), "RIVAL_MODULES": str(NODE)}


def usual_command() -> Sequence[str]:
    gunicorn = [str(python("gunicorn")), "--workers", "1", "--bind", "127.0.0.1:{port}", "--keep-alive", "30"]
    return [*gunicorn, "--worker-class", "gthread", "--threads", "4", "bench.rivals.usual_drf:application"]


def fastapi_command() -> Sequence[str]:
    uvicorn = [str(python("uvicorn")), "--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning"]
    return [*uvicorn, "--no-access-log", "bench.rivals.fastapi_app:app"]


def fastify_command() -> Sequence[str]:
    return [node(), str(HERE / "fastify" / "server.js")]


def granian(application: str) -> Callable[[], Sequence[str]]:
    """As Parley itself is served."""
    words = [*GRANIAN, "--blocking-threads", "16", "--no-ws", "--log-level", "error", application]
    return lambda: [sys.executable, "-m", "granian", *words]


NEWEST = """
SELECT _id, lead_id, account_id, agent_config_id, channel, lead_phone, status, current_stage_index, messages,
message_count, created_at, updated_at, campaign_id, lead_email, current_stage_name, summary, qualified,
qualification_reason FROM conversations_conversation
WHERE account_id = (SELECT _id FROM accounts_account WHERE name = 'Bench') AND environment = 'live'
ORDER BY updated_at DESC, _id DESC LIMIT 50"""
"""What Datasette is asked for; its own page of the table would hold the search text too."""

USUAL = Rival(
    "a",
    "DRF: message table, ModelSerializer, prefetch; gunicorn",
    usual_command,
    lambda store, length: of_rival(two_tables(store), length),
    stores="sqlite postgresql",
)
FASTAPI = Rival("b", "FastAPI, SQLAlchemy core, orjson; uvicorn", fastapi_command, of_rival, stores="sqlite postgresql")
FASTIFY = Rival("c", "Fastify, better-sqlite3, JSON.stringify", fastify_command, of_rival)
SPLICED = Rival(
    "d",
    "Fastify, better-sqlite3, stored JSON spliced",
    fastify_command,
    lambda store, length: {**of_rival(store, length), "RIVAL_SPLICE": "1"},
)
CONSTANT = Rival(
    "z",
    "the limit: a constant behind the same key check",
    granian("bench.rivals.constant:application"),
    lambda store, length: {**of_parley(store, length), "RIVAL_LENGTH": str(length)},
    stores="sqlite postgresql mongodb",
    same_bytes=False,
)
DATASETTE = Rival(
    "e",
    "Datasette on the same file: the columns as they are stored, no key",
    lambda: [str(python("datasette")), "serve", "--host", "127.0.0.1", "--port", "{port}", "{file}"],
    of_rival,
    path=lambda store: f"/{Path(store).stem}.json?{urlencode({'sql': NEWEST, '_shape': 'array'})}",
    same_bytes=False,
    same_length=False,
)
BARE = Rival(
    "m",
    "bare pymongo and orjson; granian",
    granian("bench.rivals.bare_mongodb:application"),
    of_rival,
    stores="mongodb",
)
PARLEY = Rival("·", "Parley", parley, of_parley)
