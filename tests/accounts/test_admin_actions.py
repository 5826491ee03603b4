"""What operators do in the admin beyond looking: accounts, last owners, lost second factors, and lists at scale."""

import re
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.admin import base
from accounts.models import Account, ApiKey, AuditEvent, Membership, User
from config.storage.fields import new_object_id
from conversations import admin as conversations_admin
from conversations.models import Conversation
from conversations.models.masked import ERASED
from tests.accounts.test_admin import admin, olga
from tests.conftest import Api, client_of
from tests.factories import message

__all__ = ["admin", "olga"]

Record = Callable[..., Conversation]
CONVERSATIONS = "/admin/conversations/conversation/"


def act(admin: Client, path: str, action: str, *pks: str, **more: str) -> str:
    form = {"action": action, "_selected_action": list(pks), **more}
    return admin.post(f"/admin/accounts/{path}/", form, follow=True).content.decode()


# No account at work loses its last owner


@pytest.mark.parametrize("way", ["one", "selected"])
@pytest.mark.parametrize("kind", ["membership", "user"])
def test_last_owner_is_not_deleted(admin: Client, acme: Account, alice: User, kind: str, way: str) -> None:
    pk = alice.pk if kind == "user" else acme.memberships.get(user=alice).pk
    if way == "one":
        page = admin.post(f"/admin/accounts/{kind}/{pk}/delete/", {"post": "yes"}).content.decode()
    else:
        page = act(admin, kind, "delete_selected", pk, post="yes")
    assert "Acme: An account needs an owner" in page
    assert acme.memberships.filter(user=alice).exists()


def test_all_owners_together_are_not_deleted(admin: Client, acme: Account, alice: User, bob: User) -> None:
    acme.memberships.get(user=bob).change_roles(["owner"], by=None)
    owners = list(acme.memberships.values_list("pk", flat=True))
    assert "An account needs an owner" in act(admin, "membership", "delete_selected", *owners, post="yes")
    assert acme.memberships.count() == 2
    act(admin, "membership", "delete_selected", owners[0], post="yes")
    assert acme.memberships.count() == 1


def test_last_owner_is_not_made_inactive(admin: Client, acme: Account, alice: User) -> None:
    form = {"email": alice.email, "name": "Alice"}
    page = admin.post(f"/admin/accounts/user/{alice.pk}/change/", form).content.decode()
    assert "An account needs an owner" in page
    alice.refresh_from_db()
    assert alice.is_active


def test_a_suspended_account_lets_its_last_owner_go(admin: Client, acme: Account, alice: User) -> None:
    acme.suspend(by=None)
    admin.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=alice.pk).exists()
    assert not acme.memberships.exists()


def test_an_account_is_not_deleted(admin: Client, acme: Account) -> None:
    assert admin.post(f"/admin/accounts/account/{acme.pk}/delete/", {"post": "yes"}).status_code == 403


# Suspending


def test_a_suspended_account_is_closed_to_keys_and_people(
    admin: Client, acme: Account, api: Api, alice: User, olga: User
) -> None:
    browser = client_of(alice)
    assert browser.get("/conversations/").status_code == 200
    act(admin, "account", "suspend", acme.pk)
    answer = api.get()
    assert (answer.status_code, answer.json()["message"]) == (403, "The account is suspended.")
    for path in ("/conversations/", "/analytics/", "/settings/api-keys/"):
        page = browser.get(path)
        assert page.status_code == 403
        assert "Your account is suspended" in page.content.decode()
    assert browser.get("/settings/security/").status_code == 200  # one's own
    entry = acme.audit_events.get(action="account.suspended")
    assert entry.actor_id == olga.pk
    act(admin, "account", "reinstate", acme.pk)
    assert api.get().status_code == 200
    assert browser.get("/conversations/").status_code == 200
    assert "reinstated the account" in " ".join(browser.get("/settings/audit/").content.decode().split())


def test_who_has_another_account_goes_on_there(acme: Account, other_account: Account, alice: User) -> None:
    other_account.memberships.create(user=alice, roles=["analyst"])
    browser = client_of(alice)
    browser.post("/account/", {"account": acme.pk})
    acme.suspend(by=None)
    page = browser.get("/conversations/").content.decode()
    assert "The account that you looked at is not open to you any more. This is Charlie &amp; Sons." in page


def test_suspending_twice_is_one_change(acme: Account) -> None:
    for _ in range(2):
        acme.suspend(by=None)
    assert acme.audit_events.filter(action="account.suspended").count() == 1


# Opening, and the first key


def test_an_account_is_opened_with_its_owner(admin: Client, charlie: User) -> None:
    form = {"name": "New", "owner": charlie.pk}
    assert admin.post("/admin/accounts/account/add/", {"name": "New"}).status_code == 200
    assert admin.post("/admin/accounts/account/add/", form).status_code == 302
    account = Account.objects.get(name="New")
    assert account.memberships.get().roles == ["owner"]
    admin.post(f"/admin/accounts/account/{account.pk}/change/", {"name": "Newer", "rate_limit": "7"})
    account.refresh_from_db()
    assert (account.name, account.rate_limit) == ("Newer", 7)
    done = set(account.audit_events.values_list("action", flat=True))
    assert done == {"account.opened", "account.renamed", "rate_limit.changed"}


def test_first_key_is_shown_once_and_only_where_there_is_none(admin: Client, acme: Account) -> None:
    page = act(admin, "account", "issue_first_key", acme.pk)
    [token] = set(re.findall(r"nl_live_[0-9a-f]{64}", page))
    assert ApiKey.objects.authenticate(token) == acme.api_keys.get()
    assert not any(token in str(cookie) for cookie in admin.cookies.values())
    assert "has keys already" in act(admin, "account", "issue_first_key", acme.pk)
    assert acme.api_keys.count() == 1


# A lost second factor


def test_a_lost_second_factor_is_removed_and_its_person_told(
    admin: Client, acme: Account, alice: User, olga: User
) -> None:
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    page = act(admin, "user", "remove_second_factor", alice.pk)
    assert "The second factor of alice@example.com is removed." in page
    assert not Authenticator.objects.filter(user=alice).exists()
    entry = acme.audit_events.get(action="user.second_factor_taken_away")
    assert (entry.actor_id, entry.resource_id) == (olga.pk, alice.pk)
    [sent] = mail.outbox
    assert sent.to == ["alice@example.com"]
    assert "removed your second factor" in sent.body
    assert "There is no second factor of alice@example.com." in act(admin, "user", "remove_second_factor", alice.pk)
    assert len(mail.outbox) == 1


# Transcripts


def test_a_long_transcript_is_shown_in_pages(admin: Client, record: Record) -> None:
    conversation = record(messages=[message(f"word{number};") for number in range(250)])
    first = admin.get(f"{CONVERSATIONS}{conversation.pk}/change/").content.decode()
    assert "word99;" in first
    assert "word100;" not in first
    last = admin.get(f"{CONVERSATIONS}{conversation.pk}/change/?from=200").content.decode()
    assert "word249;" in last
    assert "word199;" not in last
    for start in ("x", "-1", "99999", "²"):
        assert admin.get(f"{CONVERSATIONS}{conversation.pk}/change/", {"from": start}).status_code == 200


def test_the_dashboard_is_for_members(
    admin: Client, acme: Account, other_account: Account, record: Record, olga: User
) -> None:
    other_account.memberships.create(user=olga, roles=["analyst"])
    conversation = record(environment="test")
    path = f"{CONVERSATIONS}{conversation.pk}/dashboard/"
    assert admin.get(path).status_code == 405
    assert admin.post(path)["Location"] == f"{CONVERSATIONS}{conversation.pk}/change/"
    acme.memberships.create(user=olga, roles=["analyst"])
    answer = admin.post(path)
    assert answer["Location"] == f"/conversations/{conversation.pk}/"
    assert admin.get(answer["Location"]).status_code == 200
    assert admin.post(f"{CONVERSATIONS}{new_object_id()}/dashboard/").status_code == 404
    assert admin.post(f"{CONVERSATIONS}nonsense/dashboard/").status_code == 404


def test_the_dashboard_asks_for_an_operator(client: Client, acme: Account, alice: User, record: Record) -> None:
    client.force_login(alice)
    assert "/admin/login/" in client.post(f"{CONVERSATIONS}{record().pk}/dashboard/")["Location"]


# Lists at scale


@pytest.mark.parametrize("path", ["conversations/conversation", "accounts/auditevent", "accounts/membership"])
def test_lists_take_as_many_statements_for_one_row_as_for_many(
    admin: Client, acme: Account, record: Record, bob: User, path: str
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(f"/admin/{path}/").status_code == 200
        return len(captured)

    record()
    few = statements()
    for _ in range(5):
        record()
    assert statements() == few


def test_a_list_counts_no_further_than_it_pages(admin: Client, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "LISTED", 3)
    for _ in range(3):
        record()
    assert "3 conversations" in " ".join(admin.get(CONVERSATIONS).content.decode().split())
    record()
    assert "more than 10,000 conversations" in " ".join(admin.get(CONVERSATIONS).content.decode().split())


def test_inside_an_account_it_is_one_environments_list(
    admin: Client, acme: Account, other_account: Account, record: Record
) -> None:
    mine, test, theirs = record(), record(environment="test"), record(account=other_account)
    page = admin.get(f"{CONVERSATIONS}?account={acme.pk}", follow=True).content.decode()
    assert mine.pk in page
    assert test.pk not in page
    assert theirs.pk not in page
    page = admin.get(f"{CONVERSATIONS}?account={acme.pk}&environment=test", follow=True).content.decode()
    assert test.pk in page
    assert mine.pk not in page
    page = admin.get(
        f"{CONVERSATIONS}?account={acme.pk}&environment__exact=live&status__exact=dropped"
    ).content.decode()
    assert mine.pk not in page
    assert admin.get(f"{CONVERSATIONS}?account=nonsense").status_code == 200


def test_search_goes_through_accounts_and_says_where_it_ends(
    admin: Client, acme: Account, other_account: Account, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = record(messages=[message("zebra")]), record(account=other_account, messages=[message("zebra")])
    both = admin.get(CONVERSATIONS, {"q": "zebra"}).content.decode()
    assert first.pk in both
    assert second.pk in both
    monkeypatch.setattr(conversations_admin, "ACCOUNTS_SEARCHED", 1)
    one = admin.get(CONVERSATIONS, {"q": "zebra"}).content.decode()
    assert "Searched in the first 1 accounts" in one
    assert second.pk not in one


def test_the_audit_log_is_found_by_what_was_changed(admin: Client, acme: Account, other_account: Account) -> None:
    membership = Membership.objects.get(account=acme)
    entry = AuditEvent.objects.log("x.y", account=acme, by=None, resource=membership)
    page = admin.get("/admin/accounts/auditevent/", {"q": membership.pk}).content.decode()
    assert re.findall(r"auditevent/([0-9a-f]{24})/change", page) == [entry.pk]
    page = admin.get("/admin/accounts/auditevent/", {"q": "Charlie"}).content.decode()
    assert "account.opened" in page
    assert entry.pk not in page


# Erasing a lead


def erasing(conversation: Conversation) -> str:
    return f"{CONVERSATIONS}{conversation.pk}/erase/"


def test_only_superusers_erase(admin: Client, olga: User, record: Record) -> None:
    conversation = record()
    User.objects.filter(pk=olga.pk).update(is_superuser=False)
    for page in (admin, Client(), client_of(User.objects.get(email="alice@example.com"))):
        for method in ("get", "post"):
            assert getattr(page, method)(erasing(conversation), {"expected": "1"}).status_code in (302, 403)
    conversation.refresh_from_db()
    assert not conversation.is_erased
    assert "erase/" not in admin.get(f"{CONVERSATIONS}{conversation.pk}/change/").content.decode()


def test_lead_is_erased_after_the_number_was_said_and_confirmed(admin: Client, olga: User, record: Record) -> None:
    lead = {"leadPhone": "+1 (555) 867-5309", "leadEmail": "ana@acme-example.com"}
    mine, same = record(**lead, messages=[message("Zanzibar")]), record(leadPhone="15558675309", leadEmail=None)
    record()
    record(**lead, environment="test")
    page = admin.get(f"{CONVERSATIONS}{mine.pk}/change/").content.decode()
    assert f'href="{erasing(mine)}"' in page
    asked = admin.get(erasing(mine)).content.decode()
    assert "2 conversations have this phone or e-mail address." in asked
    assert 'name="expected" value="2"' in asked
    for expected in ("", "1", "3", "2 "):
        again = admin.post(erasing(mine), {"expected": expected}).content.decode()
        assert "There are other conversations of this lead" in again
        assert not Conversation.objects.get(pk=mine.pk).is_erased
    done = admin.post(erasing(mine), {"expected": "2"}, follow=True).content.decode()
    assert "Erased from 2 conversations." in done
    assert "Zanzibar" not in done
    erased = Conversation.objects.filter(lead_phone=ERASED).values_list("pk", flat=True)
    assert sorted(erased) == sorted([mine.pk, same.pk])
    entry = AuditEvent.objects.get(action="lead.erased")
    assert (entry.account, entry.environment, entry.actor_id) == (mine.account, "live", olga.pk)
    assert sorted(entry.metadata["erased"]) == sorted([mine.pk, same.pk])
    assert "erase/" not in admin.get(f"{CONVERSATIONS}{mine.pk}/change/").content.decode()
    assert "This lead is erased already." in admin.get(erasing(mine), follow=True).content.decode()


def test_unknown_conversation_is_not_erased(admin: Client) -> None:
    for pk in (new_object_id(), "nonsense"):
        assert admin.get(f"{CONVERSATIONS}{pk}/erase/").status_code == 404
