"""Saved views, and which columns a person sees."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Account, AuditEvent, User
from conversations.models import Conversation, SavedView
from tests.conftest import client_of, text_of
from tests.conversations.test_pages import LIST, names_on

Record = Callable[..., Conversation]
VIEWS = f"{LIST}views/"


def views_of(user: User) -> list[str]:
    return [one["view"].name for one in client_of(user).get(LIST).context["views"]]


def test_a_view_opens_the_list_that_was_saved(page: Client, record: Record, alice: User, bob: User) -> None:
    record(leadId="yes", channel="telegram", status="dropped")
    record(leadId="no")
    query = "?status=dropped&channel=telegram&sort=-createdAt&evil=1"
    response = page.post(VIEWS, {"name": "  Lost   ones ", "query": query})
    assert response["Location"] == f"{LIST}?status=dropped&channel=telegram&sort=-createdAt"
    [view] = page.get(LIST).context["views"]
    assert (view["view"].name, view["is_own"], view["is_current"]) == ("Lost ones", True, False)
    assert names_on(page.get(view["link"])) == ["yes"]
    assert page.get(view["link"]).context["views"][0]["is_current"]
    assert views_of(bob) == []
    assert AuditEvent.objects.filter(action="saved_view.saved", actor_id=alice.pk).count() == 1


def test_a_shared_view_is_everybodys_in_the_account_and_its_owners_to_remove(
    page: Client, alice: User, bob: User, charlie: User, other_account: Account
) -> None:
    page.post(VIEWS, {"name": "Team", "query": "?status=active", "shared": "on"})
    view = SavedView.objects.get()
    assert views_of(bob) == ["Team"]
    assert views_of(charlie) == []
    for user in (bob, charlie):
        assert client_of(user).post(f"{VIEWS}{view.pk}/remove/").status_code == 404
    assert page.post(f"{VIEWS}{view.pk}/remove/")["Location"] == f"{LIST}?status=active"
    assert views_of(alice) == []
    assert page.post(f"{VIEWS}{view.pk}/remove/").status_code == 404
    assert page.post(f"{VIEWS}nonsense/remove/").status_code == 404


def test_ones_own_view_is_removed_in_its_account_alone(page: Client, alice: User, other_account: Account) -> None:
    page.post(VIEWS, {"name": "Mine", "query": "?status=active"})
    view = SavedView.objects.get()
    other_account.memberships.create(user=alice, roles=["owner"])
    page.post("/account/", {"account": other_account.pk})
    assert page.get(LIST).context["views"] == []
    assert page.post(f"{VIEWS}{view.pk}/remove/").status_code == 404
    assert SavedView.objects.get() == view


def test_the_same_name_again_replaces_ones_own_view(page: Client, bob: User) -> None:
    page.post(VIEWS, {"name": "Mine", "query": "?status=active"})
    page.post(VIEWS, {"name": "Mine", "query": "?status=dropped"})
    client_of(bob).post(VIEWS, {"name": "Mine", "query": ""})
    assert sorted(SavedView.objects.values_list("query", flat=True)) == ["", "status=dropped"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b"])
def test_a_name_that_cannot_be_is_refused_and_the_list_stays(page: Client, name: str) -> None:
    response = page.post(VIEWS, {"name": name, "query": "?status=active"})
    assert response["Location"] == f"{LIST}?status=active"
    assert "The view was not saved." in text_of(page.get(response["Location"]))
    assert not SavedView.objects.exists()


def test_columns_and_density_are_the_persons(page: Client, record: Record, alice: User, bob: User) -> None:
    record()
    response = page.post(
        f"{LIST}columns/",
        {
            "column": ["messages", "status", "nonsense", "is_superuser"],
            "density": "compact",
            "query": "?sort=createdAt",
        },
    )
    assert response["Location"] == f"{LIST}?sort=createdAt"
    alice.refresh_from_db()
    assert (alice.columns, alice.density, alice.is_superuser) == (["status", "messages"], "compact", False)
    assert [column["value"] for column in page.get(LIST).context["shown"]] == ["status", "messages"]
    assert "rows__last_message" not in text_of(page.get(LIST))
    assert "rows__last_message" in text_of(client_of(bob).get(LIST))


def test_no_column_at_all_still_shows_the_leads(page: Client, record: Record, alice: User) -> None:
    record(leadId="one", leadPhone="+1 555 010 9999")
    page.post(f"{LIST}columns/", {"density": "nonsense"})
    alice.refresh_from_db()
    assert (alice.columns, alice.density) == ([], "comfortable")
    assert "+1 555 010 9999" in text_of(page.get(LIST))
