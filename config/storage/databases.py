"""From one ``DATABASE_URL`` to Django's settings for SQLite, PostgreSQL or MongoDB."""

import os
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

SCHEMES = {
    "sqlite": "sqlite",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "mongodb": "mongodb",
    "mongodb+srv": "mongodb",
}
OTHERS = (
    *("admin", "auth", "contenttypes", "sessions"),
    *("account", "mfa", "socialaccount", "usersessions"),  # django-allauth's
)
"""Apps with models that are not ours: on MongoDB they have migrations of their own."""
DRIVERS = {"postgresql": "psycopg", "mongodb": "django_mongodb_backend"}


@dataclass(frozen=True)
class Store:
    """What the settings need to know about the store that ``DATABASE_URL`` names."""

    name: str
    database: dict[str, Any]
    auto_field: str = "django.db.models.BigAutoField"
    migration_modules: dict[str, str] = field(default_factory=dict)
    silenced_checks: list[str] = field(default_factory=list)

    @property
    def is_mongodb(self) -> bool:
        return self.name == "mongodb"


def store_from_url(url: str, *, base_dir: Path) -> Store:
    """The store that ``url`` names.

    ``sqlite:///var/parley.sqlite3`` is relative to ``base_dir``, ``sqlite:////srv/parley.sqlite3`` is absolute.
    Raises ImproperlyConfigured, naming the variable, for anything else than the three stores.
    """
    scheme = url.partition(":")[0].lower()
    if scheme not in SCHEMES or "://" not in url:
        raise ImproperlyConfigured(
            f"DATABASE_URL must begin with sqlite:///, postgresql:// or mongodb://, not {scheme[:20]!r}."
        )
    name = SCHEMES[scheme]
    driver = DRIVERS.get(name)
    if driver and not find_spec(driver):
        raise ImproperlyConfigured(f"DATABASE_URL names {name}: pip install 'parley[{name}]' (or: make install).")
    if name == "sqlite":
        return Store(name, _sqlite(url, base_dir))
    if name == "postgresql":
        return Store(name, _postgresql(url))
    return Store(
        name,
        _mongodb(url),
        auto_field="config.storage.mongodb.fields.ObjectIdAutoField",
        migration_modules={app: f"config.storage.mongodb.migrations.{app}" for app in OTHERS},
        # MongoDB has no check constraints: validators on every field say the same, and run on every store.
        silenced_checks=["models.W027"],
    )


def _sqlite(url: str, base_dir: Path) -> dict[str, Any]:
    path = unquote(url.partition("://")[2].partition("?")[0]).removeprefix("/")
    if not path:
        raise ImproperlyConfigured("DATABASE_URL must name a file, such as sqlite:///var/parley.sqlite3.")
    file = base_dir / path
    if url.startswith("sqlite:////") or path != ":memory:":
        file.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:" if path == ":memory:" else str(file),
        "CONN_MAX_AGE": None,
        # A file, like the real one: in memory, threads would share one cache and lock each other out.
        "TEST": {"NAME": str(Path(tempfile.gettempdir()) / f"parley-test-{os.getpid()}.sqlite3")},
        "OPTIONS": {
            # IMMEDIATE: a writer waits for its turn at the start, instead of failing in the middle.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: an acknowledged write survives a power cut in WAL mode too. Never mmap_size: a damaged
            # file would be a crash instead of an error.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }


def _postgresql(url: str) -> dict[str, Any]:
    database: dict[str, Any] = environ.Env.db_url_config(url)
    if not database.get("NAME"):
        raise ImproperlyConfigured("DATABASE_URL must name a database, such as postgresql://user@host/parley.")
    # By itself the driver waits for minutes for a host that is silent.
    options = {"connect_timeout": 10, **database.get("OPTIONS", {})}
    return {**database, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}


def _mongodb(url: str) -> dict[str, Any]:
    from pymongo.errors import PyMongoError
    from pymongo.uri_parser import parse_uri

    if not urlsplit(url).path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL must name a database, such as mongodb://host/parley?replicaSet=rs0.")
    given: dict[str, Any] = {}
    if not url.startswith("mongodb+srv://"):  # resolving a seed list is the driver's business, not the settings'
        try:
            given = dict(parse_uri(url)["options"])
        except (PyMongoError, ValueError) as error:
            raise ImproperlyConfigured(f"DATABASE_URL is not a MongoDB address: {error}") from None
    # A write is acknowledged when a majority has it in its journal. What the address says wins.
    options = {"w": "majority", "journal": True, "tz_aware": False, "serverSelectionTimeoutMS": 10_000}
    return {
        "ENGINE": "config.storage.mongodb",
        "HOST": url,
        "NAME": urlsplit(url).path.strip("/"),
        "OPTIONS": {key: value for key, value in options.items() if key not in given},
    }
