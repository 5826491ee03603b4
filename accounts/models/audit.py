"""The record of every change: who, from where, what."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.masking import Maskable, MaskedQuerySet, mask_deep
from accounts.models.account import Account, Environment
from accounts.origin import current_origin
from config.storage.fields import ObjectIdField
from config.storage.moments import now

if TYPE_CHECKING:
    from accounts.models.key import ApiKey
    from accounts.models.person import User

Actor: TypeAlias = Union["User", "ApiKey", None]
"""Who makes a change: a person, a key, or None for the system itself."""


class AuditEventQuerySet(MaskedQuerySet["AuditEvent"]):
    def of_resource(self, pk: str, *, actions: Iterable[str], most: int) -> "list[AuditEvent]":
        """The last ``most`` things that were done to one resource, oldest first."""
        return list(self.filter(resource_id=pk, action__in=list(actions)).order_by("-timestamp", "-id")[:most])[::-1]


class AuditEventManager(models.Manager["AuditEvent"]):
    def log(
        self,
        action: str,
        *,
        account: Account,
        by: Actor,
        resource: models.Model | None = None,
        resource_type: str = "",
        environment: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> "AuditEvent":
        """Write one entry; call it in the transaction of the change it tells of."""
        return self.create(
            account=account,
            environment=environment,
            action=action,
            resource_type=resource_type or (_snake_case(type(resource).__name__) if resource else ""),
            resource_id="" if resource is None else str(resource.pk),
            metadata=metadata or {},
            **actor_fields(by),
        )

    def log_each(
        self,
        action: str,
        changes: Mapping[str, dict[str, Any]],
        *,
        account: Account,
        by: Actor,
        resource_type: str,
        environment: str,
    ) -> None:
        """Write one entry for each resource of a change of many: its id → what to know of it."""
        shared = {"account": account, "environment": environment, "action": action, "resource_type": resource_type}
        shared |= actor_fields(by)
        self.bulk_create(
            (self.model(resource_id=pk, metadata=metadata, **shared) for pk, metadata in changes.items()),
            batch_size=500,
        )


def actor_fields(by: Actor) -> dict[str, Any]:
    """Who an entry says made the change, and from where."""
    return {
        "actor_type": _actor_type(by),
        "actor_id": None if by is None else by.pk,
        "actor_name": "" if by is None else str(by)[:100],
        "actor_ip": current_origin().address,
    }


def _actor_type(by: Actor) -> "AuditEvent.ActorType":
    if by is None:
        return AuditEvent.ActorType.SYSTEM
    return AuditEvent.ActorType.USER if hasattr(by, "email") else AuditEvent.ActorType.API_KEY


def _snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


OURS = frozenset({"account", "api_key", "invitation", "membership", "user"})
"""What entries tell of where the names and addresses in them are the team's, not a lead's."""


class AuditEvent(Maskable, models.Model):
    """One change, written in the same transaction: the audit log, and a transcript's timeline. Never edited.

    Actors and resources are kept by id and name, without foreign keys: an entry outlives what it tells of.
    """

    class ActorType(models.TextChoices):
        USER = "user", _("Person")
        API_KEY = "api_key", _("API key")
        SYSTEM = "system", _("System")

    id = ObjectIdField(primary_key=True)
    account: "models.ForeignKey[Any, Account]" = models.ForeignKey(
        Account, verbose_name=_("account"), on_delete=models.CASCADE, related_name="audit_events", db_index=False
    )
    environment = models.CharField(_("environment"), max_length=4, choices=Environment.choices, null=True, blank=True)  # noqa: DJ001
    actor_type = models.CharField(_("kind of actor"), max_length=7, choices=ActorType.choices)
    actor_id = ObjectIdField(_("ID of the actor"), null=True, blank=True)
    actor_name = models.CharField(_("name of the actor"), max_length=100, blank=True)
    actor_ip = models.CharField(_("address of the actor"), max_length=45, blank=True)
    action = models.CharField(_("action"), max_length=50)
    resource_type = models.CharField(_("kind of resource"), max_length=30, blank=True)
    resource_id = models.CharField(_("ID of the resource"), max_length=24, blank=True)
    timestamp = models.DateTimeField(_("time"), default=now)
    metadata = models.JSONField(_("details"), default=dict)

    objects = AuditEventManager.from_queryset(AuditEventQuerySet)()

    class Meta:
        verbose_name = _("entry of the audit log")
        verbose_name_plural = _("entries of the audit log")
        ordering = ("-timestamp", "-id")
        indexes = (
            models.Index(fields=("account", "-timestamp", "-id"), name="audit_newest"),
            models.Index(fields=("account", "resource_id", "-timestamp", "-id"), name="audit_of_resource"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.resource_type} {self.resource_id}".strip()

    @classmethod
    def masked(cls, values: dict[str, Any]) -> dict[str, Any]:
        if "metadata" not in values or values.get("resource_type") in OURS:
            return values
        return {**values, "metadata": mask_deep(values["metadata"])}
