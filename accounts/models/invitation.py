"""Invitations: how people come into an account."""

import re
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.account import Account
from accounts.models.audit import Actor, AuditEvent
from accounts.models.key import check_held, digest_of
from accounts.models.person import Membership, User, normalize_email
from accounts.scopes import Role, scopes_of
from accounts.validators import EachIn
from config.storage.fields import ObjectIdField
from config.storage.moments import now
from config.storage.transaction import atomic

TOKEN = re.compile(r"[0-9a-f]{64}")
LIFETIME = timedelta(days=7)
AT_MOST = 100
"""Open invitations of an account: each is a mail to somebody who did not ask for it."""

REST = timedelta(minutes=1)
"""Between two mails to the same person."""


class InvitationRefused(Exception):
    """That person is not invited; the text says why."""


class InvitationGone(Exception):
    """It was accepted, withdrawn or replaced, has expired, or never was: who asks is not told which."""


class InvitationOfAnother(Exception):
    """An invitation is for one e-mail address, and opens nothing to any other."""


class InvitationManager(models.Manager["Invitation"]):
    @atomic
    def invite(
        self, *, account: Account, email: str, roles: Iterable[str], by: User | None
    ) -> tuple["Invitation", str]:
        """An invitation and its secret, which goes into one mail and is nowhere else.

        Raises ValidationError for a bad address or no role, ScopeNotHeld for more than ``by`` holds, and
        InvitationRefused.
        """
        held = account.lock_team(by)
        invitation = Invitation(account=account, email=email, roles=Role.sorted(roles), invited_by=by)
        token = invitation.renew()
        invitation.full_clean(exclude=["account", "invited_by"], validate_unique=False, validate_constraints=False)
        check_held(sorted(scopes_of(invitation.roles)), held)
        if account.memberships.filter(user__email=invitation.email).exists():
            raise InvitationRefused(_("Is in the team already."))
        if self.filter(account=account, email=invitation.email).exists():
            raise InvitationRefused(_("Is invited already. You can send the invitation again, or withdraw it."))
        if self.filter(account=account).count() >= AT_MOST:
            raise InvitationRefused(_("Too many invitations are open. Withdraw some first."))
        if cache.get(invitation._rest):  # withdrawing and inviting anew is no way around it
            raise InvitationRefused(_("A mail went to that address a moment ago. Give it a minute."))
        invitation.save(force_insert=True)
        invitation.log("invitation.sent", by=by, roles=invitation.roles)
        return invitation, token


class Invitation(models.Model):
    """Somebody is asked into an account. Accepted or withdrawn it is gone, and the audit log tells of it.

    One account, one e-mail address, once, for seven days. The secret is in the mail alone: the store keeps its SHA-256.
    """

    id = ObjectIdField(primary_key=True)
    account: "models.ForeignKey[Any, Account]" = models.ForeignKey(
        Account, verbose_name=_("account"), on_delete=models.CASCADE, related_name="invitations", db_index=False
    )
    email = models.EmailField(_("e-mail address"))
    roles = models.JSONField(_("roles"), default=list, validators=[EachIn(Role)])
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by: "models.ForeignKey[Any, Any]" = models.ForeignKey(
        "accounts.User",
        verbose_name=_("invited by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)
    expires_at = models.DateTimeField(_("expires at"), editable=False)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True, editable=False)

    objects = InvitationManager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ("email", "id")
        constraints = (models.UniqueConstraint(fields=("account", "email"), name="invitation_once_per_account"),)

    def __str__(self) -> str:
        return self.email

    @classmethod
    def of_token(cls, token: str) -> "Invitation | None":
        """The open invitation whose secret is ``token``, or None: unknown, malformed, used, withdrawn or expired."""
        return cls.of_digest(digest_of(token)) if TOKEN.fullmatch(token) else None

    @classmethod
    def of_digest(cls, digest: str) -> "Invitation | None":
        open_ones = cls.objects.filter(digest=digest, expires_at__gt=now())
        return open_ones.select_related("account", "invited_by").first()

    def clean_fields(self, exclude: Any = None) -> None:
        self.email = normalize_email(self.email)
        super().clean_fields(exclude)

    @property
    def person(self) -> User | None:
        """Who is invited, where they have signed in here before."""
        return User.objects.filter(email=self.email).first()

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= now()

    @property
    def may_be_sent(self) -> bool:
        """Not twice within a minute."""
        return self.sent_at is None or self.sent_at <= now() - REST

    def renew(self) -> str:
        """A new secret and seven more days, on the unsaved object; the secret of before opens nothing any more."""
        token = secrets.token_hex(32)
        self.digest, self.expires_at, self.sent_at = digest_of(token), now() + LIFETIME, None
        return token

    @atomic
    def send_again(self, *, by: User | None) -> str:
        """A new secret for the next mail. Raises InvitationGone, and ScopeNotHeld for more roles than ``by`` holds."""
        held = self.account.lock_team(by)
        check_held(sorted(scopes_of(self.roles)), held)
        token = self.renew()
        values = {"digest": self.digest, "expires_at": self.expires_at, "sent_at": None, "invited_by": by}
        if not Invitation.objects.filter(pk=self.pk).update(**values):
            raise InvitationGone
        self.invited_by = by
        self.log("invitation.sent_again", by=by, roles=self.roles)
        return token

    @property
    def _rest(self) -> str:
        return f"invited:{digest_of(f'{self.account_id}:{self.email}')}"

    def mark_sent(self) -> None:
        """Remember that the mail server took the mail with the present secret."""
        self.sent_at = now()
        cache.set(self._rest, 1, REST.total_seconds())
        Invitation.objects.filter(pk=self.pk, digest=self.digest).update(sent_at=self.sent_at)

    @atomic
    def withdraw(self, *, by: User | None) -> None:
        """It opens nothing any more. Repeating it changes nothing."""
        if Invitation.objects.filter(pk=self.pk).delete()[0]:
            self.log("invitation.withdrawn", by=by, roles=self.roles)

    @atomic
    def accept(self, *, by: User) -> Membership:
        """``by`` is in the account from now on. Raises InvitationGone and InvitationOfAnother."""
        if normalize_email(by.email) != self.email:
            raise InvitationOfAnother
        self.account.lock_team(None)
        if not Invitation.objects.filter(pk=self.pk, digest=self.digest, expires_at__gt=now()).delete()[0]:
            raise InvitationGone
        member = Membership.objects.filter(account=self.account, user=by).first()
        if member is None:  # else an operator was quicker, whose choice of roles stands
            member = Membership(account=self.account, user=by, roles=self.roles)
            member.save(force_insert=True)
            member.log("member.joined", by=by, roles=member.roles)
        return member

    @atomic
    def join(self, *, name: str, password: str) -> User:
        """Who is invited, and was not here before, becomes a person and a member.

        Raises InvitationGone, and ValidationError for what somebody with that address would have been refused for.
        """
        self.account.lock_team(None)  # the same person twice at once: the second one waits, and finds themselves known
        person = User.objects.create_user(self.email, password, name=name)
        self.accept(by=person)
        return person

    def log(self, action: str, *, by: Actor, **metadata: Any) -> None:
        AuditEvent.objects.log(
            action, account=self.account, by=by, resource=self, metadata={"name": self.email, **metadata}
        )
