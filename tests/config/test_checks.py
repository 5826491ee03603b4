"""``manage.py check --deploy``: what an operator is told before others find it out."""

import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command

from accounts.models import User
from config import checks
from config.storage.databases import store_from_url

GOOD = {
    "DEBUG": "0",
    "BASE_URL": "https://parley.example.com",
    "TRUSTED_PROXIES": "1",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
    "SECRET_KEY": secrets.token_urlsafe(50),
}
OUR_SETTINGS: dict[str, Any] = {
    "HTTPS": True,
    "BASE_URL": "https://parley.example.com",
    "TRUSTED_PROXIES": 1,
    "SECRET_KEY": secrets.token_urlsafe(50),
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
}


@pytest.fixture
def well(settings: Any, db: None) -> Any:
    """An installation of which there is nothing to say."""
    for name, value in OUR_SETTINGS.items():
        setattr(settings, name, value)
    # The tests' own MongoDB does not wait for its journal, of which there would be something to say.
    settings.STORE = store_from_url(
        os.environ.get("DATABASE_URL", "sqlite:///var/parley.sqlite3").replace("&journal=false", ""),
        base_dir=configured.BASE_DIR,
    )
    return settings


def told() -> list[CheckMessage]:
    return [found for found in run_checks(include_deployment_checks=True) if str(found.id).startswith("parley.W")]


def ids(found: Iterable[CheckMessage]) -> list[str]:
    return [str(message.id) for message in found]


def check(**environment: str) -> subprocess.CompletedProcess[str]:
    """The command itself, as an operator types it."""
    own = {*GOOD, "DJANGO_ALLOW_ASYNC_UNSAFE"}  # the browser's tests set it
    known = {name: value for name, value in os.environ.items() if name not in own}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=configured.BASE_DIR,
        env={**known, "DATABASE_URL": "sqlite:///:memory:", **GOOD, **environment},
        capture_output=True,
        text=True,
    )


def test_a_good_installation_passes_whatever_sqlite_it_has() -> None:
    done = check()
    assert done.returncode == 0, done.stderr
    assert "WARNINGS" not in done.stderr
    assert ("parley.I001" in done.stderr) is not checks.has_wal_fix(sqlite3.sqlite_version_info)


def test_a_careless_one_fails_and_every_reason_is_named() -> None:
    done = check(DEBUG="1", BASE_URL="http://parley.example.com", EMAIL_URL="consolemail://", SECRET_KEY="a" * 60)
    assert done.returncode == 1
    for reason in ("security.W018", "parley.W001", "parley.W003", "parley.W004"):
        assert reason in done.stderr
    assert "a" * 60 not in done.stderr


def test_nothing_is_said_of_a_good_installation(well: Any) -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"HTTPS": False, "BASE_URL": "http://parley.example.com"}, "parley.W001"),
        ({"TRUSTED_PROXIES": 0}, "parley.W002"),
        ({"SECRET_KEY": "changeme" * 10}, "parley.W003"),
        ({"SECRET_KEY": "0123456789abcdef"}, "parley.W003"),
        ({"SECRET_KEY": configured.DEVELOPMENT_KEY}, "parley.W003"),
        ({"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, "parley.W004"),
        ({"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend"}, "parley.W004"),
    ],
)
def test_a_careless_setting_is_told(well: Any, changed: dict[str, Any], expected: str) -> None:
    for name, value in changed.items():
        setattr(well, name, value)
    [message] = told()
    assert message.id == expected
    assert message.hint
    assert "changeme" not in str(message)


@pytest.mark.parametrize(
    ("query", "is_kept"),
    [
        ("?replicaSet=rs0", True),
        ("?replicaSet=rs0&w=majority&journal=true", True),
        ("?W=majority&JOURNAL=true", True),
        ("?w=1", False),
        ("?w=0", False),
        ("?w=2&replicaSet=rs0", False),
        ("?journal=false", False),
    ],
)
def test_mongodb_without_majority_writes_is_told(well: Any, query: str, is_kept: bool) -> None:
    well.STORE = store_from_url(f"mongodb://127.0.0.1:1/parley{query}", base_dir=configured.BASE_DIR)
    found = checks.asked_of_mongodb(well.STORE.database)
    assert (found == {"w": "majority", "journal": True}) is is_kept
    assert ids(checks.writes_are_kept(None)) == ([] if is_kept else ["parley.W005"])


@pytest.mark.parametrize(
    ("version", "is_fixed"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 46, 1), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 0), True),
    ],
)
def test_sqlite_before_its_fix_is_told_and_fails_nothing(
    well: Any, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], is_fixed: bool
) -> None:
    well.STORE = store_from_url("sqlite:///:memory:", base_dir=configured.BASE_DIR)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    found = checks.sqlite_keeps_its_log(None)
    assert ids(found) == ([] if is_fixed else ["parley.I001"])
    assert not any(message.is_serious() for message in found)


def test_people_of_the_demo_are_told_until_they_are_gone(well: Any) -> None:
    call_command("load_demo", stdout=StringIO())
    assert ids(told()) == ["parley.W006"]
    User.objects.filter(email__endswith=checks.DEMO).update(is_active=False)
    assert told() == []


@pytest.mark.parametrize(("password", "expected"), [("parley", ["parley.W007"]), ("correct horse battery", [])])
def test_a_password_that_everybody_tries_is_told(well: Any, password: str, expected: list[str]) -> None:
    User.objects.create_superuser("olga@example.com", password)
    found = told()
    assert ids(found) == expected
    assert all("olga@example.com" in str(message) for message in found)
