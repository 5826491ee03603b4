"""What ``manage.py check --deploy`` says of ours, beside Django's own checks. ``docs/operations.md`` lists them."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from math import log2
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.checks import CheckMessage, Info, Tags, Warning, register
from django.db import DatabaseError

SECRET_BITS = 128
DEMO = "@demo.example"
WELL_KNOWN = ("admin", "password", "parley")
OPERATORS_LOOKED_AT = 3
"""Passwords are slow to compare: some seconds are what a check may take."""

WAL_FIXED = (3, 51, 3)
WAL_FIXED_IN = {(3, 44): 6, (3, 50): 7}
"""The first SQLite without the WAL-reset bug, and the older lines that got the fix too, from that patch on."""


def deployment(find: Callable[[], Iterator[CheckMessage]]) -> Callable[..., list[CheckMessage]]:
    """A check of ``check --deploy``, of what tells the faults one by one."""

    @register(Tags.security, deploy=True)
    def check(*args: Any, **kwargs: Any) -> list[CheckMessage]:
        return list(find())

    return check


@deployment
def base_url_is_https() -> Iterator[CheckMessage]:
    if settings.HTTPS:
        return
    yield Warning(
        f"BASE_URL is {settings.BASE_URL}: passwords, keys and leads' data travel in the clear.",
        hint="Put a proxy that ends TLS in front (deploy/Caddyfile), and set BASE_URL=https://…",
        id="parley.W001",
    )


@deployment
def proxies_are_counted() -> Iterator[CheckMessage]:
    if not settings.HTTPS or settings.TRUSTED_PROXIES:
        return
    yield Warning(
        "BASE_URL is https, so a proxy stands in front, but TRUSTED_PROXIES is 0: all clients seem to have the "
        "proxy's address, share its rate limit, and the audit log names nobody's.",
        hint="Set TRUSTED_PROXIES to the number of proxies that set X-Forwarded-For; mostly 1.",
        id="parley.W002",
    )


@deployment
def secret_is_random() -> Iterator[CheckMessage]:
    if bits_of(settings.SECRET_KEY) >= SECRET_BITS and settings.SECRET_KEY != settings.DEVELOPMENT_KEY:
        return
    yield Warning(
        "SECRET_KEY can be guessed: it is the one for development, short, or repeats itself. Whoever has it signs "
        "in as anybody.",
        hint="Take that of: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
        id="parley.W003",
    )


@deployment
def mail_goes_out() -> Iterator[CheckMessage]:
    from accounts import mail

    if mail.goes_out():
        return
    yield Warning(
        "Mail does not leave this machine: invitations, new passwords and warnings reach nobody, and their links "
        "stand in the server's output.",
        hint="Set EMAIL_URL=smtp+tls://user:password@host:587",
        id="parley.W004",
    )


@deployment
def writes_are_kept() -> Iterator[CheckMessage]:
    """Of MongoDB: what the address says wins over the careful defaults of ``config.storage.databases``."""
    if not settings.STORE.is_mongodb:
        return
    asked = asked_of_mongodb(settings.STORE.database)
    if asked["w"] == "majority" and asked["journal"] is True:
        return
    yield Warning(
        f"DATABASE_URL asks for w={asked['w']} and journal={str(asked['journal']).lower()}: writes that were "
        "acknowledged are lost when the primary is.",
        hint="Leave w and journal out of DATABASE_URL: then it is w=majority with journal=true.",
        id="parley.W005",
    )


@deployment
def demo_is_gone() -> Iterator[CheckMessage]:
    from accounts.models import User

    found = _people(User.objects.filter(email__endswith=DEMO, is_active=True).values_list("email"))
    if not found:
        return
    yield Warning(
        f"{len(found)} people of the demo can sign in, one of them into the admin; their password was printed when "
        "the demo was loaded.",
        hint="Make your own superuser (manage.py createsuperuser), suspend the demo's account in the admin, and "
        "delete its people; or begin with an empty store and: manage.py create_account",
        id="parley.W006",
    )


@deployment
def passwords_are_own() -> Iterator[CheckMessage]:
    from accounts.models import User

    operators = User.objects.filter(is_staff=True, is_active=True).order_by("date_joined", "pk")
    found = _people(operators[:OPERATORS_LOOKED_AT])
    guessed = [who.email for who in found if any(check_password(word, who.password) for word in WELL_KNOWN)]
    if not guessed:
        return
    yield Warning(
        f"The password of {', '.join(guessed)}, who may use the admin, is one that everybody tries first.",
        hint="manage.py changepassword EMAIL",
        id="parley.W007",
    )


@deployment
def sqlite_keeps_its_log() -> Iterator[CheckMessage]:
    """Told, not warned of: most systems have no newer one yet, and a check that cannot be met is soon ignored."""
    if settings.STORE.name != "sqlite" or has_wal_fix(sqlite3.sqlite_version_info):
        return
    yield Info(
        f"SQLite {sqlite3.sqlite_version} has the WAL-reset bug: where one process writes at the very moment in "
        "which another one moves the log into the database for the second time, rows can be damaged. It is very "
        "rare.",
        hint="Take Python with SQLite 3.51.3 or newer (or 3.50.7, 3.44.6) where your system has it. Until then "
        "keep nightly backups, which read every row; WORKERS=1 makes it rarer; PostgreSQL does not have it. See "
        "https://sqlite.org/wal.html#walresetbug",
        id="parley.I001",
    )


def bits_of(secret: str) -> float:
    """How much there is to guess, at most, of somebody who knows how often each character stands in it.

    Of what repeats itself only once.
    """
    secret = secret[: (secret + secret).find(secret, 1)]
    size = len(secret)
    return -sum(count * log2(count / size) for count in Counter(secret).values())


def has_wal_fix(version: tuple[int, ...]) -> bool:
    patch = WAL_FIXED_IN.get((version[0], version[1]))
    return tuple(version) >= WAL_FIXED or (patch is not None and version[2] >= patch)


def asked_of_mongodb(database: dict[str, Any]) -> dict[str, Any]:
    """The write concern that the driver will use: of the address, else of the options."""
    given = {name.lower(): value for name, value in parse_qsl(urlsplit(database["HOST"]).query)}
    journal = given.get("journal")
    options = database["OPTIONS"]
    return {
        "w": given.get("w", options.get("w", "majority")),
        "journal": options.get("journal", True) if journal is None else journal.lower() == "true",
    }


def _people(rows: Iterable[Any]) -> list[Any]:
    """Nobody where the store is away or has no tables yet: that is not what these checks are about."""
    try:
        return list(rows)
    except DatabaseError:
        return []
