"""A release is kept as it was, to show that every later one takes its stores over.

``python -m tests.upgrade make 1.0`` is typed once for each release, after its migrations are final. It writes
``tests/releases/1.0/``: a store of each kind as that release leaves it, dumped by the store's own means (SQLite its
file, PostgreSQL pg_dump, MongoDB its documents and indexes), and ``manifest.json`` with the SHA-256 of each migration,
and of what each table holds. From then on the tests restore each of these stores, migrate it, and compare; and they
refuse a migration that was edited after its release.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from tests.servers import mongod_server, postgresql_program, postgresql_server

ROOT = Path(__file__).resolve().parent.parent
RELEASES = ROOT / "tests" / "releases"
STORES = ("sqlite", "postgresql", "mongodb")
MIGRATIONS = ("accounts/migrations", "conversations/migrations", "config/storage/mongodb/migrations")
CONVERSATIONS = 12

Manifest = dict[str, Any]


@contextmanager
def new_store(store: str, folder: Path) -> Iterator[str]:
    """The DATABASE_URL of an empty store."""
    if store == "sqlite":
        yield f"sqlite:///{folder}/parley.sqlite3"
    else:
        with postgresql_server() if store == "postgresql" else mongod_server() as server:
            yield server.url


def make(folder: Path, stores: tuple[str, ...] = STORES) -> None:
    """Write the fixture of the present code."""
    folder.mkdir(parents=True)
    tables: dict[str, Any] = {}
    for store in stores:
        with tempfile.TemporaryDirectory(prefix="parley-") as place, new_store(store, Path(place)) as url:
            tables[store] = json.loads(inside(url, "fill"))
            (folder / f"{store}.gz").write_bytes(gzip.compress(DUMP[store](url), 9, mtime=0))
    manifest = {"migrations": migrations(), "tables": tables}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def differences(folder: Path, store: str) -> list[str]:
    """Restore a kept store, migrate it, and compare: the tables that do not hold what they held. What is kept of them
    (totals, figures) is compared with them by ``check_figures``, which fails.
    """
    manifest = manifest_of(folder)
    with tempfile.TemporaryDirectory(prefix="parley-") as place, new_store(store, Path(place)) as url:
        LOAD[store](url, gzip.decompress((folder / f"{store}.gz").read_bytes()))
        for command in (["migrate", "-v0"], ["check_figures"]):
            subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=environment(url), check=True)
        now = json.loads(inside(url, "read", json.dumps(manifest["tables"][store])))
    return [name for name, was in manifest["tables"][store].items() if now[name] != was]


def edited(manifest: Manifest) -> list[str]:
    """The migrations of a release that are not what they were."""
    present = migrations()
    return [name for name, digest in manifest["migrations"].items() if present.get(name) != digest]


def manifest_of(folder: Path) -> Manifest:
    found: Manifest = json.loads((folder / "manifest.json").read_text())
    return found


def releases() -> list[Path]:
    return sorted(path.parent for path in RELEASES.glob("*/manifest.json"))


def migrations() -> dict[str, str]:
    files = (file for folder in MIGRATIONS for file in sorted((ROOT / folder).rglob("0*.py")))
    return {str(file.relative_to(ROOT)): sha256(file.read_bytes()).hexdigest() for file in files}


def environment(url: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}


def inside(url: str, *arguments: str) -> str:
    """What this module prints in a process over the store at ``url``."""
    command = [sys.executable, "-m", "tests.upgrade", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment(url), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def fill() -> None:
    """Something in each table, through the product's own verbs."""
    from django.core.management import call_command

    from accounts.models import Account, ApiKey
    from accounts.scopes import Role, Scope
    from config.storage.moments import now
    from conversations.demo import demo_conversations
    from conversations.serializers import ConversationRecordSerializer, record_from

    call_command("migrate", verbosity=0)
    call_command("create_account", "Acme", owner="alice@example.com", stdout=open(os.devnull, "w"))  # noqa: SIM115
    account = Account.objects.get()
    owner = account.memberships.get().user
    owner.set_password("correct horse battery")
    owner.save()
    account.invitations.invite(account=account, email="bob@example.com", roles=[Role.ANALYST], by=owner)
    key, _ = ApiKey.objects.issue(account=account, name="Kept", environment="live", scopes=tuple(Scope), by=owner)
    given = [wire for _, wire, _ in islice(demo_conversations(now=now()), CONVERSATIONS)]
    values = [record_from(ConversationRecordSerializer(), wire) for wire in given]
    results = account.conversations.record(account, values, environment="live", by=key)
    assert not [result for result in results if result.faults]
    first, second, *_ = account.conversations.newest_first()
    first.append([{"role": "lead", "content": "İ ß \u202e 😀"}], by=key)
    first.notes.write(first, "Call her back", by=owner)
    owner.read_marks.mark(first, by=owner)
    second.update_details({"summary": "Wants a price", "qualified": True}, by=owner)
    second.change_status("handed_off" if second.status != "handed_off" else "dropped", by=owner, reason="Asked for it")


def read(asked: dict[str, Any] | None) -> dict[str, Any]:
    """Of each table its fields, rows and SHA-256; where a release is ``asked`` for, of the fields that it had."""
    from django.apps import apps

    from config.storage.backup import tables
    from config.storage.backup.tables import fields_of, hashed

    names = asked or {
        model._meta.label: {"fields": [field.attname for field in fields_of(model)]} for model in tables()
    }
    found = {}
    for label, was in names.items():
        table = hashed(apps.get_model(label), fields=was["fields"])
        found[label] = {"fields": was["fields"], "rows": table.rows, "sha256": table.sha256}
    return found


def _sqlite_dump(url: str) -> bytes:
    """The file as it is, its log included."""
    import sqlite3

    file = Path(url.removeprefix("sqlite:///"))
    store = sqlite3.connect(file)
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.execute("VACUUM")
    store.close()
    return file.read_bytes()


def _sqlite_load(url: str, dump: bytes) -> None:
    Path(url.removeprefix("sqlite:///")).write_bytes(dump)


def _postgresql_dump(url: str) -> bytes:
    command = [str(postgresql_program("pg_dump")), "--inserts", "--no-owner", "--no-privileges", url]
    return subprocess.run(command, capture_output=True, check=True).stdout


def _postgresql_load(url: str, dump: bytes) -> None:
    import psycopg

    # Without psql's own commands, which newer versions of pg_dump write
    statements = b"".join(line for line in dump.splitlines(True) if not line.startswith(b"\\"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements)  # several at once, as there are no parameters


def _mongodb_dump(url: str) -> bytes:
    """A document for each collection (its name and indexes), followed by as many documents as it says."""
    import bson
    from pymongo import MongoClient

    pieces = []
    with MongoClient[Any](url) as client:
        database = client.get_default_database()
        for name in sorted(database.list_collection_names()):
            documents = list(database[name].find().sort("_id"))
            indexes = [dict(index) for index in database[name].list_indexes() if index["name"] != "_id_"]
            pieces.append(bson.encode({"name": name, "indexes": indexes, "documents": len(documents)}))
            pieces += map(bson.encode, documents)
    return b"".join(pieces)


def _mongodb_load(url: str, dump: bytes) -> None:
    import bson
    from pymongo import IndexModel, MongoClient

    documents = iter(bson.decode_all(dump))
    with MongoClient[Any](url) as client:
        database = client.get_default_database()
        for header in documents:
            collection = database.create_collection(header["name"])
            if rows := list(islice(documents, header["documents"])):
                collection.insert_many(rows)
            for index in header["indexes"]:
                options = {name: value for name, value in index.items() if name not in ("key", "v", "ns")}
                collection.create_indexes([IndexModel(list(index["key"].items()), **options)])


DUMP = {"sqlite": _sqlite_dump, "postgresql": _postgresql_dump, "mongodb": _mongodb_dump}
LOAD = {"sqlite": _sqlite_load, "postgresql": _postgresql_load, "mongodb": _mongodb_load}


def main(arguments: list[str]) -> int:
    match arguments:
        case ["make", version] if version.replace(".", "").isdigit():
            folder = RELEASES / version
            if folder.exists():
                print(f"{folder} is there already: a release is kept once.", file=sys.stderr)
                return 1
            make(folder)
            sizes = {file.name: f"{file.stat().st_size:,} bytes" for file in sorted(folder.iterdir())}
            print(f"{folder.relative_to(ROOT)}: {sizes}")
        case ["fill"] | ["read", _]:
            import django

            django.setup()
            if arguments == ["fill"]:
                fill()
            print(json.dumps(read(json.loads(arguments[1]) if len(arguments) == 2 else None)))
        case _:
            print("usage: python -m tests.upgrade make VERSION, such as 1.0", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
