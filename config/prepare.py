"""What ``make run`` does before it serves: tables, static files, and the demo in an empty store.

Imported once the environment is complete, for Django reads it only once.
"""

import hashlib
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connections

from config.storage.migrated import missing_migrations


def prepare() -> None:
    """Everything that serving needs: tables, static files and, where there is no account yet, the demo's."""
    django.setup()
    migrate()
    if not settings.DEBUG:
        collect_static()
    call_command("load_demo", "--if-empty")
    connections.close_all()


def migrate() -> None:
    """Applies what is not applied yet. Asking first spares most starts the work that ``migrate`` does around it."""
    if missing_migrations():
        print("Preparing the database", flush=True)
        call_command("migrate", interactive=False, verbosity=0)


def collect_static() -> None:
    """Copies and compresses the static files, when one of them is not what it was the last time."""
    sources = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            file = Path(storage.path(name)).stat()
            sources.update(f"{name} {file.st_size} {file.st_mtime_ns}\n".encode())
    root = Path(settings.STATIC_ROOT)
    stamp = root.with_name(f"{root.name}.stamp")
    collected = (root / "staticfiles.json").exists() and stamp.exists() and stamp.read_text() == sources.hexdigest()
    if not collected:
        print("Preparing the static files", flush=True)
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(sources.hexdigest())
