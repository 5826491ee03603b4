"""People, and what they may do in which account."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.account import Account
from accounts.models.audit import Actor, AuditEvent
from accounts.models.key import check_held
from accounts.models.preferences import Preferences
from accounts.scopes import Role, Scope, scopes_of
from accounts.validators import EachIn, validate_text
from config.storage.fields import ObjectIdField
from config.storage.moments import now
from config.storage.transaction import atomic

LAST_SEEN_RESOLUTION = timedelta(minutes=5)

LAST_OWNER = _("An account needs an owner, and nobody else is one. Make somebody else an owner first.")


class LastOwner(Exception):
    """Somebody who can sign in has to be able to decide who else may."""


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = User(email=normalize_email(email), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(force_insert=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalize_email(username or ""))


def normalize_email(email: str) -> str:
    """One person, one spelling: nobody means two people by ``Ana@`` and ``ana@``."""
    return email.strip().lower()


class User(AbstractUser, Preferences):
    """A person who signs in by e-mail. Belongs to accounts through memberships."""

    id = ObjectIdField(primary_key=True)
    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True, validators=[validate_text])

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    objects = UserManager()  # type: ignore[assignment,misc]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ("email",)

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        self.email = normalize_email(self.email)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.partition(" ")[0] or self.email.partition("@")[0]

    def log(self, action: str, *, by: Actor, **metadata: Any) -> None:
        """What happened to somebody stands in the log of each of their accounts."""
        for membership in self.memberships.select_related("account"):
            AuditEvent.objects.log(
                action, account=membership.account, by=by, resource=self, metadata={"name": str(self), **metadata}
            )


class Membership(models.Model):
    """A person's place in an account. The scopes of several roles add up."""

    id = ObjectIdField(primary_key=True)
    account: "models.ForeignKey[Any, Account]" = models.ForeignKey(
        Account, verbose_name=_("account"), on_delete=models.CASCADE, related_name="memberships"
    )
    user: "models.ForeignKey[Any, User]" = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="memberships"
    )
    roles = models.JSONField(_("roles"), default=list, validators=[EachIn(Role)])
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ("created_at", "id")
        constraints = (models.UniqueConstraint(fields=("account", "user"), name="membership_once_per_account"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.account}"

    @property
    def scopes(self) -> frozenset[str]:
        return scopes_of(self.roles, masked=self.account.masked_roles)

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes

    @property
    def is_last_owner(self) -> bool:
        """Whether nobody who can sign in would own the account without this person."""
        return Role.OWNER in self.roles and not _is_owned_without(self.account, [self.pk])

    def clean(self) -> None:
        """For the admin, where operators change members past the verbs."""
        before = None if self._state.adding else Membership.objects.filter(pk=self.pk).first()
        if before and Role.OWNER not in self.roles and before.is_last_owner:
            raise ValidationError(LAST_OWNER)

    @atomic
    def change_roles(self, roles: Iterable[str], *, by: User | None) -> None:
        """Raises ValidationError for no or unknown roles, LastOwner, and DoesNotExist for who is gone meanwhile.

        ScopeNotHeld where the roles, those of before among them, hold more than ``by``: nobody gives more than they
        hold, and nobody takes from those who hold more.
        """
        held = self._lock(by)
        loses_owner = Role.OWNER not in (roles := Role.sorted(roles)) and self.is_last_owner
        before, self.roles = self.roles, roles
        self.clean_fields(exclude=["account", "user"])
        check_held(sorted(self.scopes), held)
        if loses_owner:
            raise LastOwner
        if self.roles != Role.sorted(before):
            Membership.objects.filter(pk=self.pk).update(roles=self.roles)
            self.log("member.roles_changed", by=by, **{"from": before, "to": self.roles})
            self._withdraw_invitations(self.scopes, by=by)

    @atomic
    def remove(self, *, by: User | None) -> None:
        """Out of the account, from the next request on. Who removes themselves leaves.

        API keys that they made belong to the account and go on working. Raises LastOwner, ScopeNotHeld where the member
        holds more than ``by``, and DoesNotExist for who is gone meanwhile.
        """
        self._lock(by)
        if self.is_last_owner:
            raise LastOwner
        Membership.objects.filter(pk=self.pk).delete()
        self.log("member.left" if by == self.user else "member.removed", by=by, roles=self.roles)
        self._withdraw_invitations(frozenset(), by=by)

    def touch(self) -> None:
        """Remember that the person was here, to five minutes: a read must not become a write each time."""
        moment = now()
        if self.last_seen_at and self.last_seen_at > moment - LAST_SEEN_RESOLUTION:
            return
        stale = Q(last_seen_at=None) | Q(last_seen_at__lte=moment - LAST_SEEN_RESOLUTION)
        Membership.objects.filter(stale, pk=self.pk).update(last_seen_at=moment)

    def _lock(self, by: User | None) -> frozenset[str] | None:
        """What ``by`` holds while the team stays as it is now. Raises ScopeNotHeld where the member holds more."""
        held = self.account.lock_team(by)
        self.refresh_from_db(fields=["roles"])
        if by != self.user:
            check_held(sorted(self.scopes), held)
        return held

    def _withdraw_invitations(self, held: frozenset[str], *, by: User | None) -> None:
        """What somebody gave whom they may no longer give: else who is removed would come back by the side door."""
        for invitation in self.account.invitations.filter(invited_by=self.user):
            if Scope.TEAM_MANAGE not in held or not scopes_of(invitation.roles) <= held:
                invitation.withdraw(by=by)

    def log(self, action: str, *, by: Actor, **metadata: Any) -> None:
        AuditEvent.objects.log(
            action,
            account=self.account,
            by=by,
            resource=self,
            metadata={"name": str(self.user), "email": self.user.email, **metadata},
        )


def ownerless_without(memberships: Iterable[Membership]) -> list[Account]:
    """Accounts that nobody would own without all of these members; those that are suspended do without."""
    leaving: dict[Account, list[Membership]] = {}
    for membership in memberships:
        leaving.setdefault(membership.account, []).append(membership)
    return [
        account
        for account, members in leaving.items()
        if account.suspended_at is None
        and any(Role.OWNER in member.roles for member in members)
        and not _is_owned_without(account, [member.pk for member in members])
    ]


def _is_owned_without(account: Account, pks: list[str]) -> bool:
    others = account.memberships.exclude(pk__in=pks).filter(user__is_active=True)
    return any(Role.OWNER in roles for roles in others.values_list("roles", flat=True))
