"""The page of the account itself."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, User
from accounts.scopes import Role
from tests.accounts.test_keys_pages import EVIL
from tests.conftest import client_of, text_of

PAGE = "/settings/account/"


@pytest.mark.parametrize("role", [Role.INTEGRATOR, Role.OPERATOR, Role.ANALYST, Role.AI_ARCHITECT])
def test_owners_alone_name_it(acme: Account, role: Role) -> None:
    person = User.objects.create_user("dana@example.com")
    acme.memberships.create(user=person, roles=[role])
    client = client_of(person)
    for response in (client.get(PAGE), client.post(PAGE, {"name": "Mine"})):
        assert "You do not have permission to perform this action (requires: team:manage)." in text_of(response, 403)
    assert PAGE not in text_of(client.get("/settings/preferences/"))
    acme.refresh_from_db()
    assert acme.name == "Acme"


@pytest.mark.parametrize(
    ("name", "says"),
    [("", "An account needs a name"), (" \t", "An account needs a name"), ("x" * 101, "100"), ("a\x00", "Null")],
)
def test_a_bad_name_is_refused(acme: Account, alice: User, name: str, says: str) -> None:
    assert says in text_of(client_of(alice).post(PAGE, {"name": name}), 400)
    acme.refresh_from_db()
    assert acme.name == "Acme"


def test_nothing_but_the_name_is_set(acme: Account, alice: User, other_account: Account) -> None:
    smuggled: dict[str, Any] = {
        "id": other_account.pk,
        "rate_limit": 1,
        "team_revision": 9,
        "account": other_account.pk,
    }
    client_of(alice).post(PAGE, {"name": "New", **smuggled})
    acme.refresh_from_db()
    other_account.refresh_from_db()
    assert (acme.name, acme.rate_limit, acme.team_revision) == ("New", None, 0)
    assert other_account.name == "Charlie & Sons"


def test_renaming_is_shown_and_logged(acme: Account, alice: User) -> None:
    client: Client = client_of(alice)
    shown = text_of(client.post(PAGE, {"name": EVIL}, follow=True))
    assert "Saved." in shown
    assert "<img src=x" not in shown
    entry = acme.audit_events.get(action="account.renamed")
    assert entry.metadata == {"name": EVIL, "before": "Acme"}
    client.post(PAGE, {"name": EVIL})
    assert acme.audit_events.filter(action="account.renamed").count() == 1
    assert "renamed the account from" in text_of(client.get("/settings/audit/"))


def test_the_page_says_who_opens_further_ones(acme: Account, alice: User) -> None:
    shown = text_of(client_of(alice).get(PAGE))
    assert "Who runs this server opens them" in shown
    assert acme.pk in shown
