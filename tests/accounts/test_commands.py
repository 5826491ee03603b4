"""``manage.py create_account`` and ``issue_key``: a key comes alone on the last line of standard output."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, ApiKey, User
from accounts.scopes import Role, Scope


def out(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_account_comes_with_its_owner_and_first_key(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_account", "Acme", owner="Alice@Example.com")
    captured = capsys.readouterr()
    key = ApiKey.objects.authenticate(captured.out.strip())
    assert key
    assert key.scopes == Scope.values
    assert key.account.name == "Acme"
    membership = key.account.memberships.get()
    assert (membership.user.email, membership.roles) == ("alice@example.com", [Role.OWNER])
    password = captured.err.split("shown only now: ")[1].splitlines()[0]
    assert membership.user.check_password(password)


def test_known_person_becomes_owner_and_keeps_the_password(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_account", "Second", owner="ALICE@example.com")
    assert "password" not in capsys.readouterr().err
    assert alice.memberships.get().account.name == "Second"


@pytest.mark.parametrize(("name", "owner"), [("", "a@example.com"), ("x" * 101, "a@example.com"), ("Acme", "nobody")])
def test_bad_account_is_refused_whole(db: None, name: str, owner: str) -> None:
    with pytest.raises(CommandError):
        call_command("create_account", name, owner=owner)
    assert not Account.objects.exists()
    assert not User.objects.exists()


def test_key_is_issued_with_the_scopes_asked_for(acme: Account, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("issue_key", "Acme", environment="test", scope=["conversations:view", "audit:view"], expires_in=30)
    [line] = out(capsys).splitlines()
    key = ApiKey.objects.authenticate(line)
    assert key
    assert (key.environment, key.scopes) == ("test", ["conversations:view", "audit:view"])
    assert key.expires_at


def test_key_reads_conversations_unless_more_is_asked_for(acme: Account, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("issue_key", acme.pk)
    key = ApiKey.objects.authenticate(out(capsys).strip())
    assert key
    assert key.scopes == [Scope.CONVERSATIONS_VIEW]


@pytest.mark.parametrize("options", [{"expires_in": 0}, {"expires_in": -1}, {"expires_in": 10**9}, {"name": ""}])
def test_bad_key_is_refused(acme: Account, options: dict[str, Any]) -> None:
    with pytest.raises(CommandError):
        call_command("issue_key", "Acme", **options)
    assert not acme.api_keys.exists()


def test_unknown_account_is_named_with_the_known(acme: Account) -> None:
    with pytest.raises(CommandError, match=f"Acme \\({acme.pk}\\)"):
        call_command("issue_key", "Acne")


def test_two_accounts_of_one_name_are_told_apart_by_id(acme: Account, alice: User) -> None:
    Account.objects.open(name="Acme", owner=alice, by=None)
    with pytest.raises(CommandError, match="Several"):
        call_command("issue_key", "Acme")
    call_command("issue_key", acme.pk)


def test_demo_has_everything_to_look_at(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_demo", if_empty=True)
    printed = out(capsys)
    tokens = re.findall(r"nl_\w+", printed)
    keys = [ApiKey.objects.authenticate(token) for token in tokens]
    assert {key.environment for key in keys if key} == {"live", "test"}
    account = Account.objects.get()
    assert {role for membership in account.memberships.all() for role in membership.roles} == set(Role.values)
    live = account.conversations.live()
    assert account.conversations.count() >= 300
    assert all(live.count_by_status().values())
    assert account.conversations.test().exists()
    roles = {said["role"] for messages in live.values_list("messages", flat=True) for said in messages}
    assert roles == {"agent", "lead", "human", "system"}
    assert set(live.values_list("channel", flat=True)) == {"whatsapp", "telegram", "email"}
    email, password = next(line.split() for line in printed.splitlines() if "owner@" in line)
    assert User.objects.get(email=email).check_password(password)
    call_command("load_demo", if_empty=True)
    assert out(capsys) == ""
    with pytest.raises(CommandError):
        call_command("load_demo")


def test_sqlite_needs_no_other_stores_driver() -> None:
    blocked = ["psycopg", "pymongo", "bson", "django_mongodb_backend"]
    script = f"""
import sys
for name in {json.dumps(blocked)}:
    sys.modules[name] = None
import os
os.environ.update(DATABASE_URL="sqlite:///:memory:", DJANGO_SETTINGS_MODULE="config.settings")
from django.core.management import call_command
import django
django.setup()
call_command("migrate", verbosity=0)
call_command("check")
import config.urls
"""
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
