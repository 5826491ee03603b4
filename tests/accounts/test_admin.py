"""The operators' admin: secrets never show, the past is not edited, and looking at a transcript is written down."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Account, ApiKey, AuditEvent, User
from conversations.models import Conversation
from tests.conftest import Api
from tests.factories import message

Record = Callable[..., Conversation]


@pytest.fixture
def olga(db: None) -> User:
    """An operator: runs the installation, and belongs to no account."""
    return User.objects.create_superuser("olga@example.com", "correct horse battery", name="Olga")


@pytest.fixture
def admin(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


LISTS = ["accounts/account", "accounts/user", "accounts/membership", "accounts/apikey", "accounts/auditevent"]


@pytest.mark.parametrize("path", ["", *LISTS, "conversations/conversation"])
def test_members_of_an_account_are_not_let_in(client: Client, acme: Account, alice: User, path: str) -> None:
    client.force_login(alice)
    response = client.get(f"/admin/{path}/" if path else "/admin/")
    assert response.status_code == 302
    assert "/admin/login/" in response.headers["Location"]


@pytest.mark.parametrize("path", [*LISTS, "conversations/conversation"])
def test_every_list_shows_finds_and_opens(admin: Client, api: Api, record: Record, path: str) -> None:
    record()
    assert admin.get(f"/admin/{path}/").status_code == 200
    response = admin.get(f"/admin/{path}/?q=acme")
    assert response.status_code == 200
    shown = admin.get(f"/admin/{path}/").content.decode()
    opened = re.search(rf'href="(/admin/{path}/[0-9a-f]{{24}}/change/)', shown)
    assert opened
    assert admin.get(opened[1]).status_code == 200
    assert admin.get(f"/admin/{path}/nonsense/change/").status_code == 302


@pytest.mark.parametrize("path", ["accounts/auditevent", "conversations/conversation"])
def test_the_past_is_not_edited(admin: Client, record: Record, path: str) -> None:
    pk = record().pk if "conversation" in path else AuditEvent.objects.log("x", account=record().account, by=None).pk
    for action in ("change", "delete"):
        assert admin.post(f"/admin/{path}/{pk}/{action}/", {"status": "dropped", "post": "yes"}).status_code == 403
    assert admin.get(f"/admin/{path}/add/").status_code == 403


def test_secret_of_a_key_is_shown_once_when_it_is_issued(admin: Client, acme: Account, olga: User) -> None:
    form = {"account": acme.pk, "environment": "test", "name": "CRM", "scopes": ["conversations:view"]}
    response = admin.post("/admin/accounts/apikey/add/", form, follow=True)
    [token] = set(re.findall(r"nl_test_[0-9a-f]{64}", response.content.decode()))
    key = ApiKey.objects.authenticate(token)
    assert key
    assert (key.name, key.environment, key.account, key.created_by) == ("CRM", "test", acme, olga)
    page = admin.get(f"/admin/accounts/apikey/{key.pk}/change/").content.decode()
    assert key.masked in page
    assert token not in page
    assert key.digest not in page


@pytest.mark.parametrize(
    "form", [{"name": ""}, {"scopes": []}, {"expires_at_0": "2020-01-01", "expires_at_1": "00:00"}]
)
def test_bad_key_is_refused(admin: Client, acme: Account, form: dict[str, object]) -> None:
    good = {"account": acme.pk, "environment": "live", "name": "CRM", "scopes": ["conversations:view"]}
    assert admin.post("/admin/accounts/apikey/add/", {**good, **form}).status_code == 200
    assert not acme.api_keys.exists()


def test_key_is_revoked_and_its_scopes_stay(admin: Client, api: Api) -> None:
    admin.post(f"/admin/accounts/apikey/{api.key.pk}/change/", {"scopes": ["team:view"], "name": "Mine"})
    api.key.refresh_from_db()
    assert api.key.has_scope("conversations:view")
    admin.post("/admin/accounts/apikey/", {"action": "revoke", "_selected_action": [api.key.pk]})
    api.key.refresh_from_db()
    assert api.key.status == ApiKey.Status.REVOKED
    assert AuditEvent.objects.get(action="api_key.revoked").actor_name == "Olga"


def test_opening_a_transcript_is_written_down(admin: Client, record: Record, olga: User) -> None:
    conversation = record(messages=[message("<script>alert(1)</script>"), message("Hi")])
    page = admin.get(f"/admin/conversations/conversation/{conversation.pk}/change/").content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>alert(1)" not in page
    entry = AuditEvent.objects.get(action="conversation.opened_in_admin")
    assert (entry.actor_id, entry.resource_id, entry.account) == (olga.pk, conversation.pk, conversation.account)


def test_change_of_a_person_stands_in_each_of_their_accounts(
    admin: Client, acme: Account, other_account: Account, charlie: User, olga: User
) -> None:
    acme.memberships.create(user=charlie, roles=["analyst"])
    form = {"email": "charlie@example.com", "name": "Charles", "is_active": "on"}
    assert admin.post(f"/admin/accounts/user/{charlie.pk}/change/", form).status_code == 302
    for account in (acme, other_account):
        entry = account.audit_events.get(action="user.changed_in_admin")
        assert (entry.actor_id, entry.resource_id) == (olga.pk, charlie.pk)
    admin.post(f"/admin/accounts/membership/{acme.memberships.get(user=charlie).pk}/delete/", {"post": "yes"})
    assert acme.audit_events.filter(action="membership.deleted_in_admin").count() == 1


def test_search_of_conversations_is_everybodys(admin: Client, record: Record) -> None:
    found, other = record(messages=[message("Kein ÄRGER")]), record()
    for query in ("ärger", found.pk):
        page = admin.get("/admin/conversations/conversation/", {"q": query}).content.decode()
        assert found.pk in page
        assert other.pk not in page


def test_roles_are_chosen_from_the_vocabulary(admin: Client, acme: Account, charlie: User) -> None:
    form = {"account": acme.pk, "user": charlie.pk, "roles": ["analyst", "operator"]}
    admin.post("/admin/accounts/membership/add/", form)
    membership = acme.memberships.get(user=charlie)
    assert set(membership.roles) == {"analyst", "operator"}
    assert acme.audit_events.get(action="membership.added_in_admin").resource_id == membership.pk
    admin.post("/admin/accounts/membership/add/", {**form, "roles": ["king"]})
    assert acme.memberships.filter(user=charlie).count() == 1


def test_an_operator_takes_no_account_its_last_owner_by_a_form(admin: Client, acme: Account, alice: User) -> None:
    membership = acme.memberships.get(user=alice)
    form = {"account": acme.pk, "user": alice.pk, "roles": ["analyst"]}
    page = admin.post(f"/admin/accounts/membership/{membership.pk}/change/", form).content.decode()
    assert "An account needs an owner" in page
    membership.refresh_from_db()
    assert membership.roles == ["owner"]


def test_an_invitation_is_looked_at_without_what_opens_it(admin: Client, acme: Account, alice: User) -> None:
    invitation, token = acme.invitations.invite(account=acme, email="x@example.com", roles=["analyst"], by=alice)
    for path in ("", f"{invitation.pk}/change/"):
        page = admin.get(f"/admin/accounts/invitation/{path}").content.decode()
        assert "x@example.com" in page
        assert token not in page
        assert invitation.digest not in page
    assert admin.post(f"/admin/accounts/invitation/{invitation.pk}/delete/", {"post": "yes"}).status_code == 403
