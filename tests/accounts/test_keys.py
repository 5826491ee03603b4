"""API keys: issued, used, rotated, revoked; the secret is nowhere but in one answer."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from accounts.models import Account, ApiKey, AuditEvent, User
from accounts.models.key import KeyRevoked
from accounts.scopes import Scope
from config.storage.moments import now
from tests.conftest import Api, statements


def issue(account: Account, **fields: Any) -> tuple[ApiKey, str]:
    values = {"name": "Zapier", "environment": "live", "scopes": [Scope.CONVERSATIONS_VIEW], "by": None, **fields}
    return ApiKey.objects.issue(account=account, **values)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"name": "a\x00"},
        {"scopes": []},
        {"scopes": ["conversations:everything"]},
        {"scopes": [Scope.AUDIT_VIEW, Scope.AUDIT_VIEW]},
        {"environment": "prod"},
        {"expires_at": now()},
    ],
)
def test_bad_key_is_refused(acme: Account, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        issue(acme, **fields)
    assert not acme.api_keys.exists()


@pytest.mark.parametrize("environment", ["live", "test"])
def test_key_has_the_documented_form(acme: Account, environment: str) -> None:
    key, token = issue(acme, environment=environment)
    assert re.fullmatch(rf"nl_{environment}_[0-9a-f]{{64}}", token)
    assert key.masked == f"nl_{environment}_…{token[-4:]}"
    assert key.hint == token[-4:]


def test_secret_is_not_in_the_store(acme: Account) -> None:
    _, token = issue(acme)
    for model in (ApiKey, AuditEvent):
        for row in model.objects.values():
            assert token not in str(row)
            assert token.removeprefix("nl_live_") not in str(row)


def test_issuing_is_audited(acme: Account, alice: User) -> None:
    key, _ = issue(acme, by=alice)
    entry = acme.audit_events.get(action="api_key.created")
    assert (entry.actor_id, entry.resource_type, entry.resource_id) == (alice.pk, "api_key", key.pk)
    assert key.created_by == alice


def test_rotation_gives_a_new_key_of_the_same_kind(acme: Account, alice: User) -> None:
    expires = now() + timedelta(days=30)
    old, old_token = issue(acme, environment="test", expires_at=expires)
    new, token = old.rotate(by=alice)
    assert (new.name, new.environment, new.scopes, new.expires_at) == (old.name, "test", old.scopes, expires)
    assert ApiKey.objects.authenticate(token) == new
    assert ApiKey.objects.authenticate(old_token) is None
    assert acme.audit_events.get(action="api_key.rotated").metadata["replaced_by"] == new.pk
    with pytest.raises(KeyRevoked):
        old.rotate(by=alice)


def test_revoking_is_final_and_repeatable(acme: Account, alice: User) -> None:
    key, token = issue(acme)
    key.revoke(by=alice)
    revoked_at = key.revoked_at
    key.revoke(by=alice)
    assert key.revoked_at == revoked_at
    assert key.status == ApiKey.Status.REVOKED
    assert ApiKey.objects.authenticate(token) is None
    assert acme.audit_events.filter(action="api_key.revoked").count() == 1


def test_last_use_is_written_at_most_once_a_minute(api: Api) -> None:
    with statements(4):  # the key, its last use, the revisions, the conversations
        api.listed()
    first = ApiKey.objects.get(pk=api.key.pk).last_used_at
    assert first
    with statements(3):
        api.listed()
    ApiKey.objects.update(last_used_at=now() - timedelta(seconds=61))
    api.get()
    used = ApiKey.objects.get(pk=api.key.pk)
    assert used.last_used_at >= first
    assert used.last_used_ip == "127.0.0.1"


def test_refused_key_is_not_marked_as_used(api: Api) -> None:
    api.key.revoke(by=None)
    api.get()
    assert ApiKey.objects.get(pk=api.key.pk).last_used_at is None


def test_digest_is_looked_up_by_its_index(acme: Account) -> None:
    found = ApiKey.objects.filter(digest="0" * 64)
    if connection.vendor == "sqlite":
        assert "USING INDEX" in found.explain()
    elif connection.vendor == "mongodb":
        assert "IXSCAN" in found.explain()
