"""``/admin/health/``: how this installation is, for who runs it. A line that cannot be told leaves the others."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.milestones import last
from accounts.models import ApiKey, Invitation
from config import __version__
from config.health import has_search_index
from config.storage.migrated import missing_migrations
from config.storage.moments import now
from config.storage.search.plans import faults_of

KEYS = 100
FULL = 0.9
"""Of a disk: SQLite and its log need room to grow."""

PAGE = 51


class Fact(NamedTuple):
    """``is_fault`` where somebody should do something about it."""

    text: str
    is_fault: bool = False


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    if not request.user.is_superuser:
        raise PermissionDenied(_("Only superusers see the state of the installation."))
    facts = [(name, _asked(ask)) for ask, name in ASKED.items()]
    context = {
        **admin.site.each_context(request),
        "title": _("Health"),
        "facts": facts,
        "faults": sum(fact.is_fault for _name, fact in facts),
        "keys": ApiKey.objects.filter(revoked_at=None).select_related("account").order_by("-pk")[:KEYS],
    }
    return render(request, "admin/health.html", context)


def _asked(ask: Callable[[], Fact]) -> Fact:
    try:
        return ask()
    except Exception as error:  # whatever it is, the other lines are wanted all the more
        return Fact(_("%(error)s: cannot be told") % {"error": type(error).__name__}, True)


def release() -> Fact:
    return Fact(f"Parley {__version__}, Python {sys.version.split()[0]}")


def store() -> Fact:
    return Fact(f"{settings.STORE.name} {_version()}")


def size() -> Fact:
    return Fact(_bytes(_size()))


def migrations() -> Fact:
    missing = missing_migrations()
    told = _("missing: %(names)s. Run: manage.py migrate") if missing else _("all applied")
    text = told % {"names": ", ".join(missing)}
    return Fact(text, bool(missing))


def search_plans() -> Fact:
    from conversations.management.commands.check_search import lists

    faults = [f"{name} {fault}" for name, rows, may in lists() for fault in faults_of(rows[:PAGE], may_sort=may)]
    return Fact("; ".join(faults) or _("each read from its index"), bool(faults))


def search_index() -> Fact:
    is_there = has_search_index()
    if is_there is None:
        return Fact(_("none on this store: searches walk along the list"))
    return Fact(_("there") if is_there else _("missing: see check_search"), not is_there)


def last_import() -> Fact:
    return Fact(_last("import") or _("none yet"))


def last_backup() -> Fact:
    told = _last("backup")
    return Fact(told or _("none yet: see docs/operations.md"), not told)


def pending() -> Fact:
    return Fact(_("none: what a request changes is done when it is answered"))


def unsent() -> Fact:
    waiting = Invitation.objects.filter(sent_at=None, expires_at__gt=now()).count()
    return Fact(str(waiting), bool(waiting))


def disk_space() -> Fact:
    folder = (
        Path(settings.DATABASES["default"]["NAME"]).parent if settings.STORE.name == "sqlite" else settings.BASE_DIR
    )
    usage = shutil.disk_usage(folder)
    share = usage.used / (usage.used + usage.free)
    text = _("%(bytes)s free, %(share)s in use") % {"bytes": _bytes(usage.free), "share": f"{share:.0%}"}
    return Fact(text, share > FULL)


def workers() -> Fact:
    family = Path(f"/proc/{os.getppid()}/task/{os.getppid()}/children")
    known = len(family.read_text().split()) if os.environ.get("PARLEY_SERVES") and family.exists() else 0
    facts = {"number": known, "process": os.getpid()}
    text = _("%(number)s, this one is process %(process)s") if known else _("process %(process)s")
    return Fact(text % facts)


ASKED: dict[Callable[[], Fact], Any] = {
    release: gettext_lazy("Release"),
    store: gettext_lazy("Store"),
    size: gettext_lazy("Size of the store"),
    migrations: gettext_lazy("Migrations"),
    search_plans: gettext_lazy("Lists and searches"),
    search_index: gettext_lazy("Index of the search"),
    last_import: gettext_lazy("Last import"),
    last_backup: gettext_lazy("Last backup"),
    unsent: gettext_lazy("Invitations whose mail was not sent"),
    pending: gettext_lazy("Pending jobs"),
    disk_space: gettext_lazy("Disk"),
    workers: gettext_lazy("Workers"),
}
"""What is told, and under which name."""


def _version() -> str:
    if connection.vendor == "mongodb":
        connection.ensure_connection()
        return str(connection.database.command("buildInfo")["version"])  # type: ignore[attr-defined]
    question = {"sqlite": "SELECT sqlite_version()", "postgresql": "SHOW server_version"}[connection.vendor]
    return str(_one(question))


def _size() -> int:
    if connection.vendor == "mongodb":
        told = connection.database.command("dbStats")  # type: ignore[attr-defined]
        return int(told["storageSize"] + told["indexSize"])
    if connection.vendor == "postgresql":
        return int(_one("SELECT pg_database_size(current_database())"))
    return int(_one("PRAGMA page_count")) * int(_one("PRAGMA page_size"))


def _one(question: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def _last(event: str) -> str:
    done = last(event)
    if done is None:
        return ""
    moment, facts = done
    told = ", ".join(f"{value:,} {name}" for name, value in sorted(facts.items()) if isinstance(value, int))
    return _("%(time)s ago: %(facts)s") % {"time": timesince(moment), "facts": told}


def _bytes(number: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1_000:
            return f"{number:,.0f} {unit}"
        number /= 1_000
    return f"{number:,.1f} TB"
