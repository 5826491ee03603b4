"""The tenant, and the base of everything it owns."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.scopes import MASKABLE_ROLES, Role
from accounts.validators import EachIn, validate_text
from config.storage.fields import ObjectIdField, is_object_id
from config.storage.moments import now
from config.storage.transaction import atomic

if TYPE_CHECKING:
    from accounts.models.audit import Actor
    from accounts.models.person import User

M = TypeVar("M", bound=models.Model)


class Environment(models.TextChoices):
    """Live and test never mix: not in lists, counts, search or by id (contract, section 3)."""

    LIVE = "live", pgettext_lazy("data", "Live")
    TEST = "test", pgettext_lazy("data", "Test")


class AccountManager(models.Manager["Account"]):
    def find(self, name_or_id: str) -> "Account":
        """The account that an operator means. Raises Account.DoesNotExist, saying what there is instead."""
        if is_object_id(name_or_id) and (account := self.filter(pk=name_or_id).first()):
            return account
        found = list(self.filter(name=name_or_id)[:2])
        if len(found) == 1:
            return found[0]
        if found:
            raise Account.DoesNotExist(f"Several accounts are named {name_or_id}: give the id of one.")
        names = ", ".join(f"{account.name} ({account.pk})" for account in self.all()[:20])
        raise Account.DoesNotExist(f"No account {name_or_id}. There are: {names or 'none yet; see create_account'}.")

    @atomic
    def open(self, *, name: str, owner: "User", by: "Actor") -> "Account":
        """A new account with its first owner."""
        account = Account(name=name)
        account.full_clean()
        account.save(force_insert=True)
        account.memberships.create(user=owner, roles=[Role.OWNER])
        account.log("account.opened", by=by, name=name)
        return account


class RateLimited(models.Model):
    """May have a rate limit of its own; see ``accounts.throttling``."""

    rate_limit = models.PositiveIntegerField(
        _("rate limit"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text=_("API requests in 60 seconds. Empty: the installation's limit."),
    )

    class Meta:
        abstract = True

    @atomic
    def limit_rate(self, rate_limit: int | None, *, by: "Actor") -> None:
        """From now on. Raises ValidationError for what is not 1 to a million, or None."""
        self.rate_limit = rate_limit
        self.clean_fields(exclude=[field.name for field in self._meta.fields if field.name != "rate_limit"])
        type(self)._default_manager.filter(pk=self.pk).update(rate_limit=self.rate_limit)
        self.log("rate_limit.changed", by=by, rate_limit=self.rate_limit)

    def log(self, action: str, *, by: "Actor", **metadata: Any) -> None:
        raise NotImplementedError


class Account(RateLimited):
    """A tenant: a company whose agents talk to its leads. Everything belongs to exactly one."""

    id = ObjectIdField(primary_key=True)
    name = models.CharField(_("name"), max_length=100, validators=[validate_text])
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)
    suspended_at = models.DateTimeField(_("suspended at"), null=True, blank=True, editable=False)
    team_revision = models.PositiveIntegerField(default=0, editable=False)
    masked_roles = models.JSONField(default=list, blank=True, validators=[EachIn(MASKABLE_ROLES)])

    masks_contacts = False
    """Whether who reads through this instance sees what it owns masked (``accounts.masking``)."""

    objects = AccountManager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name

    @atomic
    def rename(self, name: str, *, by: "Actor") -> None:
        """Raises ValidationError; the same name changes nothing."""
        before, self.name = self.name, name
        self.clean_fields(exclude=[field.name for field in self._meta.fields if field.name != "name"])
        if name != before and Account.objects.filter(pk=self.pk).update(name=name):
            self.log("account.renamed", by=by, name=name, before=before)

    @atomic
    def suspend(self, *, by: "Actor") -> None:
        """Closed to its keys and people from the next request on; nothing is lost. Repeating it changes nothing."""
        self._set_suspended(now(), "account.suspended", by, suspended_at=None)

    @atomic
    def reinstate(self, *, by: "Actor") -> None:
        """Open again as before. Repeating it changes nothing."""
        self._set_suspended(None, "account.reinstated", by, suspended_at__isnull=False)

    def _set_suspended(self, moment: Any, action: str, by: "Actor", **before: Any) -> None:
        if Account.objects.filter(pk=self.pk, **before).update(suspended_at=moment):
            self.log(action, by=by)
        self.refresh_from_db(fields=["suspended_at"])

    @atomic
    def mask_roles(self, roles: Iterable[str], *, by: "Actor") -> None:
        """People of these roles see phones and e-mail addresses masked, unless another role of theirs opens them.

        Raises ValidationError for a role that cannot be masked; the same roles change nothing.
        """
        before, self.masked_roles = self.masked_roles, Role.sorted(roles)
        self.clean_fields(exclude=[field.name for field in self._meta.fields if field.name != "masked_roles"])
        if self.masked_roles != before and Account.objects.filter(pk=self.pk).update(masked_roles=self.masked_roles):
            self.log("contacts.masked", by=by, **{"from": before, "to": self.masked_roles})

    def lock_team(self, by: "User | None") -> frozenset[str] | None:
        """Nobody else changes the team until the transaction ends; what ``by`` holds in it. None bounds nothing.

        A write, for that makes others wait on PostgreSQL and conflict on MongoDB. On SQLite a transaction is alone
        from its beginning.
        """
        Account.objects.filter(pk=self.pk).update(team_revision=F("team_revision") + 1)
        if by is None:
            return None
        membership = self.memberships.filter(user=by).first()
        return membership.scopes if membership else frozenset()

    def log(self, action: str, *, by: "Actor", **metadata: Any) -> None:
        from accounts.models.audit import AuditEvent

        AuditEvent.objects.log(action, account=self, by=by, resource=self, metadata=metadata)


class OwnedQuerySet(models.QuerySet[M]):
    """Rows of one account, in one of its two environments."""

    def within(self, environment: str) -> Self:
        return self.filter(environment=environment)

    def live(self) -> Self:
        return self.within(Environment.LIVE)

    def test(self) -> Self:
        return self.within(Environment.TEST)


class Owned(models.Model):
    """What an account owns, in one environment. Reach it from the account: ``account.conversations.live()``."""

    id = ObjectIdField(primary_key=True)
    account: "models.ForeignKey[Any, Account]" = models.ForeignKey(
        Account, verbose_name=_("account"), on_delete=models.CASCADE, related_name="%(class)ss", db_index=False
    )
    environment = models.CharField(
        _("environment"), max_length=4, choices=Environment.choices, default=Environment.LIVE
    )

    class Meta:
        abstract = True
