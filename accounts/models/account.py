"""The tenant, and the base of everything it owns."""

from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models

from accounts.validators import validate_text
from config.storage.fields import ObjectIdField, is_object_id
from config.storage.moments import now
from config.storage.transaction import atomic

if TYPE_CHECKING:
    from accounts.models.audit import Actor
    from accounts.models.person import User

M = TypeVar("M", bound=models.Model)


class Environment(models.TextChoices):
    """Live and test never mix: not in lists, counts, search or by id (contract, section 3)."""

    LIVE = "live", "Live"
    TEST = "test", "Test"


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
        from accounts.models.audit import AuditEvent
        from accounts.scopes import Role

        account = Account(name=name)
        account.full_clean()
        account.save(force_insert=True)
        account.memberships.create(user=owner, roles=[Role.OWNER])
        AuditEvent.objects.log("account.opened", account=account, by=by, resource=account, metadata={"name": name})
        return account


class Account(models.Model):
    """A tenant: a company whose agents talk to its leads. Everything belongs to exactly one."""

    id = ObjectIdField(primary_key=True)
    name = models.CharField(max_length=100, validators=[validate_text])
    created_at = models.DateTimeField(default=now, editable=False)

    objects = AccountManager()

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


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
        Account, on_delete=models.CASCADE, related_name="%(class)ss", db_index=False
    )
    environment = models.CharField(max_length=4, choices=Environment.choices, default=Environment.LIVE)

    class Meta:
        abstract = True
