"""GET /api/conversations/{id} (contract, sections 1, 2, 3 and 5)."""

from collections.abc import Callable

import pytest

from accounts.models import Account
from accounts.scopes import Scope
from conversations.models import Conversation
from tests.conftest import Api, json_of, statements

Record = Callable[..., Conversation]

NOT_FOUND = {"error": "Conversation not found"}


@pytest.mark.parametrize(
    "pk",
    [
        *("0" * 24, "0" * 23, "0" * 25, "A" * 24, "a" * 24 + "%0A", "١" * 24, "x" * 5000),
        *("null", "[object Object]", '{"$ne":1}', "%00", "%ff"),
    ],
)
def test_unknown_or_malformed_id_is_404(api: Api, pk: str) -> None:
    response = api.get(f"/api/conversations/{pk}")
    assert response.status_code == 404
    assert json_of(response) == NOT_FOUND


def test_another_accounts_conversation_is_404_like_an_unknown_one(
    api: Api, record: Record, other_account: Account
) -> None:
    foreign = record(account=other_account).pk
    response, unknown = api.get(f"/api/conversations/{foreign}"), api.get(f"/api/conversations/{'0' * 24}")
    assert response.status_code == 404
    assert response.content == unknown.content
    assert set(response.headers) == set(unknown.headers)


def test_the_other_environments_conversation_is_404(api: Api, record: Record, acme: Account) -> None:
    live, test = record().pk, record(environment="test").pk
    assert api.get(f"/api/conversations/{test}").status_code == 404
    assert Api(acme, "test").get(f"/api/conversations/{live}").status_code == 404


def test_key_without_the_scope_is_403(acme: Account, record: Record) -> None:
    response = Api(acme, scopes=[Scope.CONVERSATIONS_EDIT]).get(f"/api/conversations/{record().pk}")
    assert response.status_code == 403
    assert json_of(response) == {
        "error": "Forbidden",
        "message": "API key does not have the required scope (requires: conversations:view).",
    }


def test_conversation_is_what_the_list_shows(api: Api, record: Record) -> None:
    pk = record(summary="S", qualificationResult={"qualified": True, "reason": "R"}).pk
    response = api.get(f"/api/conversations/{pk}")
    assert response.status_code == 200
    assert json_of(response) == api.listed()[0]


def test_detail_takes_three_statements(api: Api, record: Record) -> None:
    pk = record().pk
    api.get()
    with statements(3):  # the key, the revision, the conversation
        api.get(f"/api/conversations/{pk}")
