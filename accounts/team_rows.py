"""A team as its page shows it: who is in it, with which roles, and what the person who looks may do about it."""

from dataclasses import dataclass

from accounts.models import Account, ApiKey, Invitation, Membership, User
from accounts.scopes import Role, Scope, scopes_of


def labels_of(roles: list[str]) -> list[str]:
    """What is no role any more is shown as it is stored."""
    return [str(Role(role).label) if role in Role.values else role for role in roles]


@dataclass(frozen=True)
class MemberRow:
    member: Membership
    is_self: bool
    is_last_owner: bool
    may_manage: bool

    @property
    def roles(self) -> list[str]:
        return labels_of(self.member.roles)


@dataclass(frozen=True)
class InvitationRow:
    invitation: Invitation
    may_send: bool

    @property
    def roles(self) -> list[str]:
        return labels_of(self.invitation.roles)


def members_of(account: Account, viewer: Membership) -> list[MemberRow]:
    """By name. ``viewer`` may change who holds no more than they do."""
    members = list(account.memberships.select_related("user"))
    owners = [one.pk for one in members if Role.OWNER in one.roles and one.user.is_active]
    rows = [
        MemberRow(
            member=one,
            is_self=one.pk == viewer.pk,
            is_last_owner=owners == [one.pk],
            may_manage=viewer.has_scope(Scope.TEAM_MANAGE) and one.scopes <= viewer.scopes,
        )
        for one in members
    ]
    return sorted(rows, key=lambda row: (str(row.member.user).casefold(), row.member.pk))


def invitations_of(account: Account, viewer: Membership) -> list[InvitationRow]:
    found = account.invitations.select_related("invited_by")
    return [InvitationRow(one, scopes_of(one.roles) <= viewer.scopes) for one in found]


def keys_of(account: Account, person: User) -> int:
    """How many of the account's keys a person made that still open something."""
    return sum(key.status == ApiKey.Status.ACTIVE for key in account.api_keys.filter(created_by=person))
