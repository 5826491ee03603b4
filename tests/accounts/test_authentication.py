"""Keys on the wire: both headers, their precedence, and the exact words of each refusal (contract, section 5)."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Account, ApiKey
from accounts.scopes import Scope
from config.storage.moments import now
from tests.conftest import Api, json_of

NO_KEY = {"error": "Authentication required. Provide an API key via X-API-Key header or Authorization: Bearer header."}
BAD_KEY = {"error": "Invalid or expired API key"}
PATH = "/api/conversations"


def call(**headers: str) -> tuple[int, object]:
    response = Client().get(PATH, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return response.status_code, json_of(response)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_API_Key": ""},
        {"X_API_Key": "  "},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer eyJhbGciOi.J9"},
        {"Authorization": "Basic bmxfbGl2ZV8="},
        {"Cookie": "sessionid=x"},
    ],
)
def test_without_a_key_is_401(db: None, headers: dict[str, str]) -> None:
    assert call(**headers) == (401, NO_KEY)


def test_key_in_the_address_is_no_key(api: Api) -> None:
    assert Client().get(PATH, {"X-API-Key": api.token, "api_key": api.token}).status_code == 401


@pytest.mark.parametrize(
    "token",
    [
        "nl_live_" + "0" * 64,
        "nl_test_" + "f" * 64,
        "nl_live_" + "0" * 63,
        "nl_live_" + "0" * 65,
        "nl_live_" + "G" * 64,
        "nl_prod_" + "0" * 64,
        "nl_",
        "secret",
        "x" * 10_000,
        "nl_live_" + "٠" * 64,
        "n\u00ef",
    ],
)
def test_unknown_or_malformed_key_is_401(api: Api, token: str) -> None:
    assert call(X_API_Key=token) == (401, BAD_KEY)
    if token.startswith("nl_"):
        assert call(Authorization=f"Bearer {token}") == (401, BAD_KEY)


def test_key_in_the_wrong_case_is_401(api: Api) -> None:
    assert call(X_API_Key=api.token.upper()) == (401, BAD_KEY)


def test_revoked_key_is_401(api: Api) -> None:
    api.key.revoke(by=None)
    assert call(X_API_Key=api.token) == (401, BAD_KEY)


def test_expired_key_is_401(api: Api) -> None:
    ApiKey.objects.filter(pk=api.key.pk).update(expires_at=now() - timedelta(seconds=1))
    assert call(X_API_Key=api.token) == (401, BAD_KEY)


def test_rotated_key_is_401_and_the_new_one_works(api: Api) -> None:
    _, token = api.key.rotate(by=None)
    assert call(X_API_Key=api.token) == (401, BAD_KEY)
    assert call(X_API_Key=token) == (200, [])


def test_key_without_the_scope_is_403(acme: Account) -> None:
    everything_else = [scope for scope in Scope if scope != Scope.CONVERSATIONS_VIEW]
    assert call(X_API_Key=Api(acme, scopes=everything_else).token) == (
        403,
        {
            "error": "Forbidden",
            "message": "API key does not have the required scope (requires: conversations:view).",
        },
    )


def test_key_in_either_header_is_accepted(api: Api) -> None:
    assert call(X_API_Key=api.token) == (200, [])
    assert call(X_API_Key=f" {api.token} ") == (200, [])
    assert call(Authorization=f"Bearer {api.token}") == (200, [])
    assert call(Authorization=f"bearer  {api.token} ") == (200, [])


def test_x_api_key_wins_over_bearer(api: Api) -> None:
    assert call(X_API_Key=api.token, Authorization="Bearer nl_live_wrong") == (200, [])
    assert call(X_API_Key="wrong", Authorization=f"Bearer {api.token}") == (401, BAD_KEY)


def test_refusal_tells_how_to_authenticate(db: None) -> None:
    assert Client().get(PATH).headers["WWW-Authenticate"] == "Bearer"


def test_signed_in_person_without_a_key_is_401(client: Client, acme: Account) -> None:
    membership = acme.memberships.get()
    client.force_login(membership.user)
    assert client.get(PATH).status_code == 401


def test_every_answer_carries_its_own_request_id(api: Api) -> None:
    answers = [api.get(), api.get(), api.get(status="x"), api.get("/api/nothing"), Client().get(PATH)]
    ids = [response.headers["X-Request-Id"] for response in answers]
    assert all(re.fullmatch(r"[0-9a-f]{32}", request_id) for request_id in ids)
    assert len(set(ids)) == len(ids)


def test_answers_are_private(api: Api) -> None:
    for response in (api.get(), Client().get(PATH)):
        assert response.headers["Cache-Control"] == "private, no-store"
        assert "X-API-Key" in response.headers["Vary"]


@pytest.mark.parametrize("accept", ["application/xml", "text/html", "*/*", "nonsense", "image/png;q=1"])
def test_answer_is_json_whatever_the_client_accepts(api: Api, accept: str) -> None:
    response = api.get(headers={"Accept": accept}, format="api")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
