"""/api/api-keys: listing, issuing, rotating, revoking and deleting keys (contract, section 4)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, ApiKey, AuditEvent
from accounts.scopes import Scope
from config.storage.moments import format_moment, now
from tests.conftest import Api, json_of, statements

PATH = "/api/api-keys"
NOT_FOUND = b'{"error":"API key not found"}'
MANAGER = (Scope.API_KEYS_VIEW, Scope.API_KEYS_MANAGE)
DOCUMENTED = [
    "_id",
    "name",
    "keyPrefix",
    "keyHint",
    "scopes",
    "environment",
    "status",
    "createdAt",
    "accountId",
    "expiresAt",
    "lastUsedAt",
]


def body(**fields: Any) -> dict[str, Any]:
    return {"name": "Zapier", "scopes": ["conversations:view"], "environment": "live", **fields}


def issue(account: Account, **fields: Any) -> ApiKey:
    values = {"name": "Old", "environment": "live", "scopes": ["conversations:view"], "by": None, **fields}
    key, _ = ApiKey.objects.issue(account=account, **values)
    return key


def expired(account: Account) -> ApiKey:
    key = issue(account)
    ApiKey.objects.filter(pk=key.pk).update(expires_at=now() - timedelta(seconds=1))
    return key


def lacks(scope: str) -> dict[str, str]:
    return {"error": "Forbidden", "message": f"API key does not have the required scope (requires: {scope})."}


def each_way(api: Api, pk: str) -> list[Any]:
    """Every request that names a key by its id."""
    return [
        api.post(f"{PATH}/{pk}/rotate"),
        api.patch(f"{PATH}/{pk}/revoke"),
        api.delete(f"{PATH}/{pk}"),
    ]


# Who may


def test_without_a_key_is_401(acme: Account) -> None:
    pk, nobody = issue(acme).pk, Client()
    for response in (
        nobody.get(PATH),
        nobody.post(PATH, body(), content_type="application/json"),
        nobody.post(f"{PATH}/{pk}/rotate"),
        nobody.patch(f"{PATH}/{pk}/revoke"),
        nobody.delete(f"{PATH}/{pk}"),
    ):
        assert response.status_code == 401
    assert acme.api_keys.get().status == "active"


def test_key_without_the_scope_is_403(acme: Account) -> None:
    viewer = Api(acme, scopes=[scope for scope in Scope if scope != Scope.API_KEYS_MANAGE])
    for response in (viewer.post(PATH, body()), *each_way(viewer, issue(acme).pk)):
        assert (response.status_code, json_of(response)) == (403, lacks("api_keys:manage"))
    manager = Api(acme, scopes=[scope for scope in Scope if scope != Scope.API_KEYS_VIEW])
    response = manager.get(PATH)
    assert (response.status_code, json_of(response)) == (403, lacks("api_keys:view"))
    assert {key.status for key in acme.api_keys.all()} == {"active"}


def test_missing_scope_does_not_tell_whether_a_key_exists(acme: Account) -> None:
    viewer = Api(acme, scopes=[Scope.API_KEYS_VIEW])
    there, unknown = each_way(viewer, issue(acme).pk), each_way(viewer, "0" * 24)
    assert [response.content for response in there] == [response.content for response in unknown]


@pytest.mark.parametrize(
    "pk",
    ["0" * 24, "0" * 23, "0" * 25, "A" * 24, "a" * 24 + "%0A", "١" * 24, "x" * 5000, "null", '{"$ne":1}', "%00", "%ff"],
)
def test_unknown_or_malformed_id_is_404(api: Api, pk: str) -> None:
    for response in each_way(api, pk):
        assert (response.status_code, response.content) == (404, NOT_FOUND)


def test_another_accounts_key_is_404_like_an_unknown_one(api: Api, other_account: Account) -> None:
    foreign = issue(other_account)
    for response, unknown in zip(each_way(api, foreign.pk), each_way(api, "0" * 24), strict=True):
        assert (response.status_code, response.content) == (404, NOT_FOUND)
        assert response.content == unknown.content
        assert set(response.headers) == set(unknown.headers)
    assert other_account.api_keys.get().status == "active"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("PUT", PATH), ("DELETE", PATH), ("OPTIONS", PATH)),
        *(("GET", f"{PATH}/x"), ("PATCH", f"{PATH}/x"), ("GET", f"{PATH}/x/rotate"), ("POST", f"{PATH}/x/revoke")),
    ],
)
def test_other_methods_are_405(api: Api, method: str, path: str) -> None:
    response = api.send(method, path)
    assert response.status_code == 405
    assert list(json_of(response)) == ["error"]


# Live and test


def test_test_key_neither_sees_nor_reaches_live_keys(acme: Account) -> None:
    live, tester = issue(acme), Api(acme, "test")
    assert [key["environment"] for key in json_of(tester.get(PATH))] == ["test"]
    for response in each_way(tester, live.pk):
        assert (response.status_code, response.content) == (404, NOT_FOUND)
    assert acme.api_keys.get(pk=live.pk).status == "active"


def test_test_key_cannot_issue_a_live_one(acme: Account) -> None:
    tester = Api(acme, "test")
    response = tester.post(PATH, body(environment="live"))
    assert response.status_code == 403
    assert json_of(response) == {"error": "Forbidden", "message": "A test key cannot issue or rotate live keys."}
    assert tester.post(PATH, body(environment="test")).status_code == 201
    assert not acme.api_keys.live().exists()


def test_live_key_manages_the_keys_of_both_environments(api: Api, acme: Account) -> None:
    created = json_of(api.post(PATH, body(environment="test")))
    assert created["fullKey"].startswith("nl_test_")
    pk = created["apiKey"]["_id"]
    assert {key["environment"] for key in json_of(api.get(PATH))} == {"live", "test"}
    assert [response.status_code for response in each_way(api, pk)] == [200, 200, 204]


# Issuing


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"name": None}, "name", "null"),
        ({"name": ""}, "name", "empty"),
        ({"name": " \t\n"}, "name", "empty"),
        ({"name": "x" * 101}, "name", "100"),
        ({"name": "a\x00b"}, "name", "Null"),
        ({"name": "\ud800"}, "name", "surrogates"),
        ({"name": 7}, "name", "string"),
        ({"name": ["Zapier"]}, "name", "string"),
        ({"scopes": None}, "scopes", "null"),
        ({"scopes": []}, "scopes", "at least one"),
        ({"scopes": "conversations:view"}, "scopes", "list"),
        ({"scopes": {"conversations:view": True}}, "scopes", "list"),
        ({"scopes": ["conversations:everything"]}, "scopes", "dashboard:view, conversations:view"),
        ({"scopes": ["audit:view", "\ud800"]}, "scopes", "scopes[1]"),
        ({"scopes": [["audit:view"]]}, "scopes", "scopes[0]"),
        ({"scopes": [None]}, "scopes", "scopes[0]"),
        ({"scopes": ["audit:view", "team:view", "audit:view"]}, "scopes", "scopes[2]: Each may stand there once."),
        ({"environment": None}, "environment", "null"),
        ({"environment": "prod"}, "environment", "live, test"),
        ({"environment": ""}, "environment", "live, test"),
        ({"environment": "LIVE"}, "environment", "live, test"),
        ({"environment": ["live"]}, "environment", "live, test"),
        ({"environment": {"$ne": "live"}}, "environment", "live, test"),
        ({"expiresAt": "tomorrow"}, "expiresAt", "RFC 3339"),
        ({"expiresAt": ""}, "expiresAt", "RFC 3339"),
        ({"expiresAt": 4102444800}, "expiresAt", "RFC 3339"),
        ({"expiresAt": "2999-01-01"}, "expiresAt", "RFC 3339"),
        ({"expiresAt": "2999-01-01T00:00:00"}, "expiresAt", "zone"),
        ({"expiresAt": "2999-02-30T00:00:00Z"}, "expiresAt", "exists"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt", "future"),
        ({"expiresAt": "0001-01-01T00:00:00Z"}, "expiresAt", "future"),
    ],
)
def test_bad_field_is_400_and_says_what_is_allowed(api: Api, fields: dict[str, Any], field: str, says: str) -> None:
    response = api.post(PATH, body(**fields))
    assert response.status_code == 400, response.content
    answer = json_of(response)
    assert answer["error"] == "Validation failed"
    assert list(answer["details"]) == [field]
    assert says in " ".join(answer["details"][field])
    assert api.account.api_keys.count() == 1


def test_every_fault_is_told_at_once(api: Api) -> None:
    assert list(json_of(api.post(PATH, {}))["details"]) == ["name", "scopes", "environment"]


@pytest.mark.parametrize("sent", [b"", b"null", b"[]", b'"x"', b"7", b"{", b"\xff", b'{"name":'])
def test_body_that_is_no_object_is_400(api: Api, sent: bytes) -> None:
    response = api.post(PATH, sent)
    assert response.status_code == 400
    assert "error" in json_of(response)
    assert api.account.api_keys.count() == 1


def test_scope_that_the_caller_lacks_is_403_and_names_the_first(acme: Account) -> None:
    manager = Api(acme, scopes=[*MANAGER, Scope.CONVERSATIONS_VIEW])
    response = manager.post(PATH, body(scopes=["conversations:view", "team:manage", "audit:view"]))
    assert (response.status_code, json_of(response)) == (403, lacks("team:manage"))
    assert acme.api_keys.count() == 1
    assert acme.audit_events.filter(actor_id=manager.key.pk).count() == 0
    assert manager.post(PATH, body(scopes=["api_keys:manage", "conversations:view"])).status_code == 201


@pytest.mark.parametrize("environment", ["live", "test"])
def test_issued_key_has_the_documented_form_and_opens_its_environment(api: Api, environment: str) -> None:
    expires = format_moment(now() + timedelta(days=1))
    response = api.post(PATH, body(environment=environment, expiresAt=expires, name=" Zapier & Söhne "))
    assert response.status_code == 201
    answer = json_of(response)
    assert list(answer) == ["apiKey", "fullKey"]
    shown, token = answer["apiKey"], answer["fullKey"]
    assert list(shown) == DOCUMENTED
    assert re.fullmatch(rf"nl_{environment}_[0-9a-f]{{64}}", token)
    assert shown == {
        "_id": shown["_id"],
        "name": " Zapier & Söhne ",
        "keyPrefix": f"nl_{environment}_",
        "keyHint": token[-4:],
        "scopes": ["conversations:view"],
        "environment": environment,
        "status": "active",
        "createdAt": shown["createdAt"],
        "accountId": api.account.pk,
        "expiresAt": expires,
        "lastUsedAt": None,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", shown["createdAt"])
    assert Client().get("/api/conversations", headers={"X-API-Key": token}).status_code == 200
    assert Client().get(PATH, headers={"X-API-Key": token}).status_code == 403


@pytest.mark.parametrize("fields", [{}, {"expiresAt": None}])
def test_key_without_an_expiry_shows_null(api: Api, fields: dict[str, Any]) -> None:
    assert json_of(api.post(PATH, body(**fields)))["apiKey"]["expiresAt"] is None


def test_fields_that_are_ours_are_ignored(api: Api, other_account: Account) -> None:
    ours = {
        "_id": "f" * 24,
        "accountId": other_account.pk,
        "account": other_account.pk,
        "status": "revoked",
        "keyHint": "0000",
        "digest": "0" * 64,
        "createdAt": "2020-01-01T00:00:00Z",
        "created_by": "f" * 24,
        "lastUsedAt": "2020-01-01T00:00:00Z",
        "revoked_at": "2020-01-01T00:00:00Z",
    }
    answer = json_of(api.post(PATH, body(**ours)))
    key = api.account.api_keys.get(pk=answer["apiKey"]["_id"])
    assert not {field for field, value in answer["apiKey"].items() if value == ours.get(field, "no such field")}
    assert (key.status, key.hint, key.created_by) == ("active", answer["fullKey"][-4:], None)
    assert key.digest != ours["digest"]
    assert not other_account.api_keys.exists()


def test_issuing_is_audited_as_the_keys_doing(api: Api, acme: Account) -> None:
    pk = json_of(api.post(PATH, body()))["apiKey"]["_id"]
    entry = acme.audit_events.get(action="api_key.created", resource_id=pk)
    assert (entry.actor_type, entry.actor_id, entry.actor_ip) == ("api_key", api.key.pk, "127.0.0.1")


# Listing


def test_list_shows_every_key_of_the_account_newest_first(api: Api, acme: Account, other_account: Account) -> None:
    issue(other_account)
    revoked, dead = issue(acme, name="Revoked"), expired(acme)
    revoked.revoke(by=None)
    response = api.get(PATH)
    assert response.status_code == 200
    keys = json_of(response)
    assert [key["_id"] for key in keys] == [dead.pk, revoked.pk, api.key.pk]
    assert [key["status"] for key in keys] == ["expired", "revoked", "active"]
    assert all(list(key) == DOCUMENTED for key in keys)
    assert [key["lastUsedAt"] is None for key in keys] == [True, True, False]


def test_list_holds_no_secret(api: Api) -> None:
    token = json_of(api.post(PATH, body()))["fullKey"]
    content = api.get(PATH).content.decode()
    for secret in (token, api.token):
        assert secret not in content
        assert secret[8:-4] not in content
    assert api.key.digest not in content


def test_list_takes_two_queries_however_many_keys(api: Api, acme: Account) -> None:
    for _ in range(3):
        issue(acme)
    api.get(PATH)
    with statements(2):  # the caller, the keys
        assert len(json_of(api.get(PATH))) == 4


# Rotating


def test_key_with_more_scopes_than_the_caller_cannot_be_rotated(acme: Account) -> None:
    manager = Api(acme, scopes=MANAGER)
    strong = issue(acme, scopes=["api_keys:view", "team:manage", "conversations:view"])
    response = manager.post(f"{PATH}/{strong.pk}/rotate")
    assert (response.status_code, json_of(response)) == (403, lacks("team:manage"))
    assert acme.api_keys.get(pk=strong.pk).status == "active"
    assert acme.api_keys.count() == 2


def test_revoked_key_cannot_be_rotated(api: Api, acme: Account) -> None:
    key = issue(acme)
    key.revoke(by=None)
    response = api.post(f"{PATH}/{key.pk}/rotate")
    assert (response.status_code, json_of(response)) == (409, {"error": "A revoked key cannot be rotated."})
    assert acme.api_keys.count() == 2


def test_expired_key_cannot_be_rotated(api: Api, acme: Account) -> None:
    key = expired(acme)
    response = api.post(f"{PATH}/{key.pk}/rotate")
    assert (response.status_code, json_of(response)) == (409, {"error": "An expired key cannot be rotated."})
    assert acme.api_keys.get(pk=key.pk).revoked_at is None
    assert acme.api_keys.count() == 2


def test_rotated_key_is_dead_at_once_and_its_successor_alike(api: Api, acme: Account) -> None:
    old = Api(acme, "test", scopes=[Scope.CONVERSATIONS_VIEW])
    ApiKey.objects.filter(pk=old.key.pk).update(expires_at=now() + timedelta(days=2))
    before = next(key for key in json_of(api.get(PATH)) if key["_id"] == old.key.pk)
    response = api.post(f"{PATH}/{old.key.pk}/rotate")
    assert response.status_code == 200
    answer = json_of(response)
    assert list(answer) == ["apiKey", "fullKey"]
    for field in ("name", "scopes", "environment", "expiresAt", "accountId", "keyPrefix", "status"):
        assert answer["apiKey"][field] == before[field]
    assert answer["apiKey"]["_id"] != before["_id"]
    assert answer["apiKey"]["keyHint"] == answer["fullKey"][-4:]
    assert old.get().status_code == 401
    assert Client().get("/api/conversations", headers={"X-API-Key": answer["fullKey"]}).status_code == 200
    entry = acme.audit_events.get(action="api_key.rotated")
    assert (entry.actor_id, entry.resource_id) == (api.key.pk, old.key.pk)
    assert entry.metadata["replaced_by"] == answer["apiKey"]["_id"]


def test_key_may_rotate_itself(acme: Account) -> None:
    manager = Api(acme, scopes=MANAGER)
    token = json_of(manager.post(f"{PATH}/{manager.key.pk}/rotate"))["fullKey"]
    assert manager.get(PATH).status_code == 401
    assert Client().get(PATH, headers={"X-API-Key": token}).status_code == 200


def test_body_of_a_rotation_changes_nothing(api: Api, acme: Account) -> None:
    key = issue(acme)
    answer = json_of(api.post(f"{PATH}/{key.pk}/rotate", body(name="Other", scopes=["team:manage"])))
    assert (answer["apiKey"]["name"], answer["apiKey"]["scopes"]) == ("Old", ["conversations:view"])


# The same request twice


def named(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


def test_remembered_secret_is_not_told_to_another_key(acme: Account) -> None:
    owner, manager = Api(acme), Api(acme, scopes=MANAGER)
    pk = issue(acme, scopes=list(Scope)).pk
    asked = {PATH: body(scopes=list(Scope)), f"{PATH}/{pk}/rotate": None}
    for path, sent in asked.items():
        assert "fullKey" in json_of(owner.post(path, sent, headers=named(path)))
        response = manager.post(path, sent, headers=named(path))
        assert response.status_code in (403, 409, 422)
        assert "fullKey" not in json_of(response)


def test_repeated_request_has_one_effect_and_the_same_secret(api: Api, acme: Account) -> None:
    for path, sent in ((PATH, body()), (f"{PATH}/{issue(acme).pk}/rotate", None)):
        number = acme.api_keys.count()
        first, again = (api.post(path, sent, headers=named(path[-9:])) for _ in range(2))
        assert again.status_code == first.status_code
        assert json_of(again) == json_of(first)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert acme.api_keys.count() == number + 1


# Revoking


def test_revoked_key_is_dead_at_once_and_revoking_repeatable(api: Api, acme: Account) -> None:
    victim = Api(acme)
    assert victim.get().status_code == 200
    first = api.patch(f"{PATH}/{victim.key.pk}/revoke")
    assert first.status_code == 200
    assert list(json_of(first)) == DOCUMENTED
    assert json_of(first)["status"] == "revoked"
    refused = victim.get()
    assert (refused.status_code, json_of(refused)) == (401, {"error": "Invalid or expired API key"})
    again = api.patch(f"{PATH}/{victim.key.pk}/revoke")
    assert (again.status_code, again.content) == (200, first.content)
    [entry] = acme.audit_events.filter(action="api_key.revoked")
    assert (entry.actor_id, entry.resource_id) == (api.key.pk, victim.key.pk)


def test_key_may_revoke_itself(api: Api) -> None:
    assert json_of(api.patch(f"{PATH}/{api.key.pk}/revoke"))["status"] == "revoked"
    assert api.get(PATH).status_code == 401


def test_stronger_key_may_be_revoked_for_that_gives_nothing(acme: Account) -> None:
    manager, strong = Api(acme, scopes=MANAGER), issue(acme, scopes=list(Scope))
    assert manager.patch(f"{PATH}/{strong.pk}/revoke").status_code == 200
    assert manager.delete(f"{PATH}/{strong.pk}").status_code == 204


def test_expired_key_may_still_be_revoked(api: Api, acme: Account) -> None:
    assert json_of(api.patch(f"{PATH}/{expired(acme).pk}/revoke"))["status"] == "revoked"


# Deleting


def test_active_key_cannot_be_deleted(api: Api, acme: Account) -> None:
    for pk in (issue(acme).pk, api.key.pk):
        response = api.delete(f"{PATH}/{pk}")
        assert response.status_code == 409
        assert json_of(response) == {"error": "Only a revoked or expired key can be deleted. Revoke it first."}
    assert acme.api_keys.count() == 2
    assert not acme.audit_events.filter(action="api_key.deleted").exists()


def test_dead_keys_can_be_deleted_and_their_audit_trail_stays(api: Api, acme: Account) -> None:
    actor = Api(acme)
    child = json_of(actor.post(PATH, body()))["apiKey"]["_id"]
    actor.key.revoke(by=None)
    for pk in (actor.key.pk, expired(acme).pk):
        response = api.delete(f"{PATH}/{pk}")
        assert (response.status_code, response.content) == (204, b"")
        assert pk not in [key["_id"] for key in json_of(api.get(PATH))]
        assert [response.status_code for response in each_way(api, pk)] == [404, 404, 404]
        actions = AuditEvent.objects.of_resource(pk, actions=["api_key.created", "api_key.deleted"], most=9)
        assert [entry.action for entry in actions] == ["api_key.created", "api_key.deleted"]
        assert actions[1].actor_id == api.key.pk
    entry = acme.audit_events.get(resource_id=child)
    assert entry.actor_id == actor.key.pk
    assert actor.key.masked in entry.actor_name
    assert actor.get().status_code == 401
