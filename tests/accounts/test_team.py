"""What changes a team: nobody gives more than they hold, and an account always has an owner."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse

from accounts.models import Account, ApiKey, Invitation, Membership, User
from accounts.models.invitation import InvitationGone, InvitationOfAnother, InvitationRefused
from accounts.models.key import ScopeNotHeld
from accounts.models.person import LastOwner
from accounts.scopes import Role, Scope
from accounts.team_rows import keys_of, members_of
from config.storage.moments import now
from tests.conftest import client_of


def member(account: Account, user: User) -> Membership:
    return Membership.objects.get(account=account, user=user)


def invite(account: Account, email: str = "new@example.com", *, by: User | None, **fields: Any) -> Any:
    return account.invitations.invite(account=account, email=email, by=by, **{"roles": [Role.ANALYST], **fields})


def actions(account: Account) -> list[str]:
    return [entry.action for entry in account.audit_events.order_by("id")]


def issue_key(account: Account, environment: str, *, by: User) -> None:
    key, _ = ApiKey.objects.issue(
        account=account, name="Key", environment=environment, scopes=[Scope.CONVERSATIONS_VIEW], by=None
    )
    ApiKey.objects.filter(pk=key.pk).update(created_by=by)


@pytest.fixture
def manager(acme: Account, monkeypatch: pytest.MonkeyPatch) -> User:
    """Somebody who manages the team and holds little else: no role of today does."""
    from accounts import scopes

    held = scopes.ROLE_SCOPES[Role.ANALYST] | {Scope.TEAM_MANAGE}
    monkeypatch.setitem(scopes.ROLE_SCOPES, Role.AI_ARCHITECT, frozenset(held))
    user = User.objects.create_user("mia@example.com", None, name="Mia")
    acme.memberships.create(user=user, roles=[Role.AI_ARCHITECT])
    return user


# Refusals


@pytest.mark.parametrize("roles", [[], ["boss"], ["owner", "boss"]])
def test_no_or_unknown_roles_are_refused(acme: Account, alice: User, bob: User, roles: list[str]) -> None:
    with pytest.raises(ValidationError):
        member(acme, bob).change_roles(roles, by=alice)
    with pytest.raises(ValidationError):
        invite(acme, by=alice, roles=roles)
    assert member(acme, bob).roles == [Role.OPERATOR]
    assert not acme.invitations.exists()


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@b", "a@example.com, b@example.com", "a@example.com\nBcc: b@example.com", "a\x00@b.de"]
)
def test_what_is_no_address_is_not_invited(acme: Account, alice: User, email: str) -> None:
    with pytest.raises(ValidationError):
        invite(acme, email, by=alice)
    assert not acme.invitations.exists()


def test_nobody_gives_more_than_they_hold(acme: Account, manager: User, bob: User) -> None:
    dana = User.objects.create_user("dana@example.com")
    acme.memberships.create(user=dana, roles=[Role.ANALYST])
    for roles in ([Role.OWNER], [Role.ANALYST, Role.OPERATOR]):
        with pytest.raises(ScopeNotHeld):
            invite(acme, by=manager, roles=roles)
        with pytest.raises(ScopeNotHeld):
            member(acme, dana).change_roles(roles, by=manager)
        with pytest.raises(ScopeNotHeld):
            member(acme, manager).change_roles(roles, by=manager)
    assert member(acme, dana).roles == [Role.ANALYST]
    assert not acme.invitations.exists()
    invitation, _ = invite(acme, by=None, roles=[Role.OWNER])
    with pytest.raises(ScopeNotHeld):
        invitation.send_again(by=manager)


def test_nobody_takes_from_those_who_hold_more(acme: Account, alice: User, manager: User, bob: User) -> None:
    for user in (alice, bob):
        with pytest.raises(ScopeNotHeld):
            member(acme, user).change_roles([Role.ANALYST], by=manager)
        with pytest.raises(ScopeNotHeld):
            member(acme, user).remove(by=manager)
    assert acme.memberships.count() == 3


def test_pages_of_somebody_who_holds_more_are_refused(acme: Account, alice: User, manager: User, bob: User) -> None:
    page = client_of(manager)
    reader = acme.memberships.create(user=User.objects.create_user("reader@example.com"), roles=[Role.ANALYST])
    for name in ("change-roles", "remove-member"):
        for one, code in ((member(acme, alice), 403), (member(acme, bob), 403), (reader, 200)):
            assert page.get(reverse(f"settings:{name}", args=[one.pk])).status_code == code


def test_who_is_in_the_team_no_more_gives_nothing(acme: Account, charlie: User, bob: User) -> None:
    with pytest.raises(ScopeNotHeld):
        invite(acme, by=charlie)
    with pytest.raises(ScopeNotHeld):
        member(acme, bob).remove(by=charlie)


def test_the_last_owner_stays(acme: Account, alice: User, bob: User) -> None:
    for by in (alice, None):
        with pytest.raises(LastOwner):
            member(acme, alice).remove(by=by)
        with pytest.raises(LastOwner):
            member(acme, alice).change_roles([Role.OPERATOR], by=by)
    assert member(acme, alice).roles == [Role.OWNER]


def test_the_last_owner_stays_in_the_admin_too(acme: Account, alice: User, bob: User, other_account: Account) -> None:
    first = member(acme, alice)
    first.roles = [Role.ANALYST]
    with pytest.raises(ValidationError):
        first.clean()
    member(acme, bob).change_roles([Role.OWNER], by=alice)
    first.clean()


def test_what_a_row_of_the_team_tells_is_the_accounts_own(acme: Account, bob: User, other_account: Account) -> None:
    for account in (acme, other_account):
        for environment in ("live", "test"):
            issue_key(account, environment, by=bob)
    assert keys_of(acme, bob) == 2
    reader, colleague = (
        acme.memberships.create(user=User.objects.create_user(f"{name}@example.com"), roles=[Role.ANALYST])
        for name in ("reader", "colleague")
    )
    assert not any(row.may_manage for row in members_of(acme, reader))
    assert {row.member for row in members_of(acme, member(acme, bob))} >= {reader, colleague}


def test_who_cannot_sign_in_is_no_owner_to_rely_on(acme: Account, alice: User, bob: User) -> None:
    member(acme, bob).change_roles([Role.OWNER], by=alice)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    with pytest.raises(LastOwner):
        member(acme, alice).remove(by=alice)


def test_who_is_in_the_team_or_invited_is_not_invited_again(acme: Account, alice: User, bob: User) -> None:
    invite(acme, by=alice)
    for email in ("BOB@example.com", "bob@example.com", " New@Example.com "):
        with pytest.raises(InvitationRefused):
            invite(acme, email, by=alice)
    assert acme.invitations.count() == 1


def test_invitations_are_bounded(acme: Account, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.models.invitation.AT_MOST", 2)
    invite(acme, "a@example.com", by=alice)
    invite(acme, "b@example.com", by=alice)
    with pytest.raises(InvitationRefused):
        invite(acme, "c@example.com", by=alice)


def test_what_another_account_has_invited_counts_for_nothing(
    acme: Account, alice: User, other_account: Account, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.models.invitation.AT_MOST", 1)
    invite(other_account, "a@example.com", by=charlie)
    invite(acme, "a@example.com", by=alice)
    assert acme.invitations.count() == other_account.invitations.count() == 1


def test_an_invitation_is_for_one_address(acme: Account, alice: User, charlie: User) -> None:
    invitation, _ = invite(acme, by=alice)
    with pytest.raises(InvitationOfAnother):
        invitation.accept(by=charlie)
    assert acme.memberships.count() == 1


@pytest.mark.parametrize("end", ["accepted", "withdrawn", "expired", "sent again"])
def test_what_has_ended_opens_nothing(acme: Account, alice: User, charlie: User, end: str) -> None:
    invitation, token = invite(acme, charlie.email, by=alice)
    known = Invitation.objects.get()
    if end == "accepted":
        invitation.accept(by=charlie)
        member(acme, charlie).remove(by=alice)
    elif end == "withdrawn":
        invitation.withdraw(by=alice)
    elif end == "expired":
        Invitation.objects.update(expires_at=now() - timedelta(seconds=1))
    else:
        invitation.send_again(by=alice)
    assert Invitation.of_token(token) is None
    with pytest.raises(InvitationGone):
        known.accept(by=charlie)
    assert acme.memberships.count() == 1


def test_a_person_is_not_made_where_the_invitation_is_gone(acme: Account, alice: User) -> None:
    invitation, _ = invite(acme, by=alice)
    Invitation.objects.get().withdraw(by=alice)
    with pytest.raises(InvitationGone):
        invitation.join(name="New", password="correct horse battery")
    assert not User.objects.filter(email="new@example.com").exists()


# What they do


def test_several_roles_add_up_and_are_logged(acme: Account, alice: User, bob: User) -> None:
    member(acme, bob).change_roles(["analyst", "integrator", "operator"], by=alice)
    assert member(acme, bob).roles == [Role.INTEGRATOR, Role.OPERATOR, Role.ANALYST]
    assert member(acme, bob).has_scope(Scope.API_KEYS_MANAGE)
    entry = acme.audit_events.get(action="member.roles_changed")
    assert (entry.actor_id, entry.resource_type) == (alice.pk, "membership")
    assert entry.metadata == {
        "name": "Bob",
        "email": "bob@example.com",
        "from": ["operator"],
        "to": ["integrator", "operator", "analyst"],
    }


def test_the_same_roles_change_nothing(acme: Account, alice: User, bob: User) -> None:
    member(acme, bob).change_roles(["operator"], by=alice)
    assert actions(acme) == ["account.opened"]


def test_leaving_and_removing_are_told_apart(acme: Account, alice: User, bob: User, charlie: User) -> None:
    acme.memberships.create(user=charlie, roles=[Role.ANALYST])
    member(acme, bob).remove(by=bob)
    member(acme, charlie).remove(by=alice)
    assert actions(acme) == ["account.opened", "member.left", "member.removed"]
    assert [one.user for one in acme.memberships.all()] == [alice]


@pytest.mark.parametrize("end", ["removed", "demoted"])
def test_who_loses_a_right_leaves_no_side_door(acme: Account, alice: User, bob: User, end: str) -> None:
    member(acme, bob).change_roles([Role.OWNER], by=alice)
    invite(acme, "bobs-friend@example.com", by=bob)
    invite(acme, "stays@example.com", by=alice)
    if end == "removed":
        member(acme, bob).remove(by=alice)
    else:
        member(acme, bob).change_roles([Role.OPERATOR], by=alice)
    assert [one.email for one in acme.invitations.all()] == ["stays@example.com"]
    assert actions(acme)[-1] == "invitation.withdrawn"


def test_who_is_removed_here_has_invited_elsewhere_all_the_same(
    acme: Account, alice: User, bob: User, other_account: Account
) -> None:
    member(acme, bob).change_roles([Role.OWNER], by=alice)
    other_account.memberships.create(user=bob, roles=[Role.OWNER])
    invite(other_account, by=bob)
    member(acme, bob).remove(by=alice)
    assert other_account.invitations.count() == 1


def test_the_store_keeps_the_digest_of_an_invitation_alone(acme: Account, alice: User) -> None:
    invitation, token = invite(acme, by=alice)
    assert len(token) == 64
    kept = str([vars(invitation), [vars(entry) for entry in acme.audit_events.all()]])
    assert token not in kept
    assert Invitation.of_token(token) == invitation


def test_a_new_person_joins(acme: Account, alice: User) -> None:
    invitation, _ = invite(acme, "New@Example.com", by=alice, roles=[Role.ANALYST, Role.INTEGRATOR])
    person = invitation.join(name="New", password="correct horse battery")
    assert (person.email, person.check_password("correct horse battery")) == ("new@example.com", True)
    assert member(acme, person).roles == [Role.INTEGRATOR, Role.ANALYST]
    assert actions(acme) == ["account.opened", "invitation.sent", "member.joined"]


def test_an_operator_who_was_quicker_decides_on_the_roles(acme: Account, alice: User, bob: User) -> None:
    Membership.objects.filter(user=bob).delete()
    invitation, _ = invite(acme, bob.email, by=alice)
    acme.memberships.create(user=bob, roles=[Role.OPERATOR])
    assert invitation.accept(by=bob).roles == [Role.OPERATOR]
    assert not acme.invitations.exists()


# At the same time


def together(*functions: Callable[[], Any]) -> list[type[Exception] | None]:
    """What each of them raised, all run at once."""

    def run(function: Callable[[], Any]) -> type[Exception] | None:
        try:
            function()
        except Exception as error:
            return type(error)
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", range(5))
def test_two_owners_who_go_at_once_do_not_both_go(acme: Account, alice: User, bob: User, number: int) -> None:
    member(acme, bob).change_roles([Role.OWNER], by=alice)
    ways: list[Callable[[Membership, User], Any]] = [
        lambda one, by: one.remove(by=by),
        lambda one, by: one.change_roles([Role.ANALYST], by=by),
    ]
    first, second = member(acme, alice), member(acme, bob)
    raised = together(lambda: ways[number % 2](first, alice), lambda: ways[number // 2 % 2](second, bob))
    assert sorted(raised, key=str) == [LastOwner, None]
    assert sum(Role.OWNER in one.roles for one in acme.memberships.all()) == 1


@pytest.mark.django_db(transaction=True)
def test_owners_who_remove_each_other_leave_one(acme: Account, alice: User, bob: User) -> None:
    member(acme, bob).change_roles([Role.OWNER], by=alice)
    first, second = member(acme, alice), member(acme, bob)
    raised = together(lambda: first.remove(by=bob), lambda: second.remove(by=alice))
    assert sorted(raised, key=str) == [ScopeNotHeld, None]
    assert acme.memberships.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_invitation_is_used_once_however_many_try(acme: Account, alice: User, charlie: User) -> None:
    invite(acme, charlie.email, by=alice)
    copies = [Invitation.objects.get() for _ in range(8)]
    raised = together(*(lambda one=one: one.accept(by=charlie) for one in copies))
    assert sorted(raised, key=str) == [InvitationGone] * 7 + [None]
    assert acme.memberships.filter(user=charlie).count() == 1
    assert actions(acme).count("member.joined") == 1


@pytest.mark.django_db(transaction=True)
def test_a_person_is_made_once_however_often_a_form_is_sent(acme: Account, alice: User) -> None:
    invite(acme, by=alice)
    copies = [Invitation.objects.get() for _ in range(4)]
    raised = together(*(lambda one=one: one.join(name="New", password="x" * 12) for one in copies))
    assert raised.count(None) == 1
    assert set(raised) <= {None, ValidationError, InvitationGone}
    assert User.objects.filter(email="new@example.com").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_address_is_invited_once_however_many_try(acme: Account, alice: User) -> None:
    raised = together(*([lambda: invite(acme, by=alice)] * 4))
    assert sorted(raised, key=str) == [InvitationRefused] * 3 + [None]
    assert acme.invitations.count() == 1
