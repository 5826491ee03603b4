"""``Idempotency-Key`` on every POST: one effect, one answer (contract, section 2)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import Account, ApiKey, IdempotentRequest
from accounts.models.idempotency import LEASE, REMEMBERED, StillRunning
from config.storage.moments import now
from conversations.models import Conversation
from tests.conftest import Api, json_of
from tests.factories import WireConversation, message

Record = Callable[..., Conversation]
PATH = "/api/conversations"


def named(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


@pytest.mark.parametrize("name", ["", "x" * 256, "naïve", "tab\there"])
def test_bad_name_is_400(api: Api, name: str) -> None:
    response = api.post(PATH, WireConversation(), headers=named(name))
    assert response.status_code == 400
    assert list(json_of(response)["details"]) == ["Idempotency-Key"]
    assert not api.account.conversations.exists()


def test_same_name_with_another_body_or_path_is_422(api: Api, record: Record) -> None:
    pk = record().pk
    api.post(f"{PATH}/{pk}/messages", message("One"), headers=named("a"))
    for path, body in ((f"{PATH}/{pk}/messages", message("Two")), (PATH, message("One"))):
        response = api.post(path, body, headers=named("a"))
        assert response.status_code == 422
        assert "Idempotency-Key" in json_of(response)["error"]
    assert Conversation.objects.get(pk=pk).message_count == 3


def test_same_request_again_gets_the_first_answer_and_has_no_effect(api: Api, record: Record) -> None:
    pk = record().pk
    first = api.post(f"{PATH}/{pk}/messages", message("One"), headers=named("a"))
    api.post(f"{PATH}/{pk}/messages", message("Two"))
    again = api.post(f"{PATH}/{pk}/messages", message("One"), headers=named("a"))
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert Conversation.objects.get(pk=pk).message_count == 4


def test_body_written_differently_is_the_same_request(api: Api) -> None:
    given = WireConversation(id="1" * 24)
    first = api.post(PATH, given, headers=named("a"))
    again = api.post(PATH, dict(reversed(given.items())), headers=named("a"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_refused_request_may_be_sent_again_corrected(api: Api) -> None:
    assert api.post(PATH, WireConversation(leadId=""), headers=named("a")).status_code == 400
    assert api.post(PATH, WireConversation(), headers=named("a")).status_code == 201
    assert api.account.conversations.count() == 1


def test_crashed_request_leaves_nothing_and_may_be_sent_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*args: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(IdempotentRequest, "finish", crash)  # after the effect, before the commit
        assert api.post(PATH, WireConversation(), headers=named("a")).status_code == 500
    assert not api.account.conversations.exists()
    assert api.post(PATH, WireConversation(), headers=named("a")).status_code == 201
    assert api.account.conversations.count() == 1


def test_names_of_accounts_and_environments_are_separate(api: Api, acme: Account, other_account: Account) -> None:
    for client in (api, Api(acme, "test"), Api(other_account)):
        response = client.post(PATH, WireConversation(leadId="1"), headers=named("a"))
        assert response.status_code == 201
        assert "Idempotency-Replayed" not in response.headers
    assert Conversation.objects.count() == 3


def test_request_that_is_still_running_is_409(api: Api) -> None:
    IdempotentRequest.objects.claim(api.key, "a", "0" * 64)
    response = api.post(PATH, WireConversation(), headers=named("a"))
    assert response.status_code == 409
    assert json_of(response) == {"error": "A request with this Idempotency-Key is still running"}
    assert not api.account.conversations.exists()


def test_request_whose_server_died_is_taken_over_and_cannot_finish_any_more(api: Api) -> None:
    from accounts.models.idempotency import Answer

    dead = IdempotentRequest.objects.claim(api.key, "a", "0" * 64)
    IdempotentRequest.objects.update(claimed_at=now() - LEASE - timedelta(seconds=1))
    assert api.post(PATH, WireConversation(), headers=named("a")).status_code == 201
    with pytest.raises(StillRunning):
        dead.finish(Answer(201, b"{}"))
    dead.give_up()
    assert IdempotentRequest.objects.get().status == 201


def test_names_are_forgotten_after_a_day(api: Api) -> None:
    body = WireConversation()
    api.post(PATH, body, headers=named("a"))
    IdempotentRequest.objects.update(created_at=now() - REMEMBERED - timedelta(seconds=1))
    response = api.post(PATH, body, headers=named("b"))
    assert response.status_code == 201
    assert IdempotentRequest.objects.count() == 1
    assert "Idempotency-Replayed" not in api.post(PATH, body, headers=named("a")).headers


def test_answer_at_rest_shows_no_secret(api: Api) -> None:
    body = {"name": "New", "environment": "live", "scopes": ["conversations:view"]}
    first = api.post("/api/api-keys", body, headers=named("order-7"))
    token = json_of(first)["fullKey"]
    assert ApiKey.objects.authenticate(token)
    stored = IdempotentRequest.objects.get()
    assert token.encode() not in bytes(stored.body)
    assert b"nl_live_" not in bytes(stored.body)
    assert "order-7" not in str(vars(stored))
    again = api.post("/api/api-keys", body, headers=named("order-7"))
    assert again.content == first.content
    assert api.account.api_keys.filter(name="New").count() == 1


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_have_one_effect(api: Api) -> None:
    body = WireConversation()

    def send(_: int) -> int:
        try:
            return int(api.post(PATH, body, headers=named("a")).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(send, range(50)))
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert Conversation.objects.count() == 1
