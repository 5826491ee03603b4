"""How long conversations are kept: days since their last change, by status. What is older goes, with all of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Actor, AuditEvent, Owned, OwnedQuerySet
from config.storage.moments import now
from config.storage.transaction import atomic
from conversations.models.conversation import Conversation
from conversations.models.erasure import forget_answers, forget_in_log
from conversations.models.note import Note
from conversations.models.queries import ConversationQuerySet, Status
from conversations.models.reading import ReadMark

BATCH = 200
"""Conversations that one transaction deletes, so that nobody waits long for it."""

MAX_DAYS = 36_500


@dataclass(frozen=True)
class Due:
    """What a rule would delete now: how many, and since when the oldest has not changed."""

    rule: "RetentionRule"
    before: datetime
    number: int
    oldest: datetime | None


class RetentionManager(models.Manager["RetentionRule"]):
    @atomic
    def set_days(self, days: dict[str, int | None], *, account: Account, environment: str, by: Actor) -> None:
        """Status → days; None keeps for good. Raises ValidationError; what is the same changes nothing."""
        mine = self.filter(account=account, environment=environment)
        before = dict(mine.values_list("status", "days"))
        changes: dict[str, dict[str, int | None]] = {}
        for status, number in days.items():
            if before.get(status) == number:
                continue
            mine.filter(status=status).delete()
            if number is not None:
                rule = RetentionRule(account=account, environment=environment, status=status, days=number)
                rule.clean_fields(exclude=["account"])
                rule.save(force_insert=True)
            changes[str(status)] = {"from": before.get(status), "to": number}
        if changes:
            AuditEvent.objects.log(
                "retention.changed", account=account, by=by, resource=account, environment=environment, metadata=changes
            )


class RetentionRule(Owned):
    """Conversations of one status are deleted when they have not changed for so many days."""

    account: "models.ForeignKey[Any, Account]" = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="retention_rules", db_index=False
    )
    status = models.CharField(max_length=10, choices=Status.choices)
    days = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(MAX_DAYS)])

    objects = RetentionManager.from_queryset(OwnedQuerySet)()

    class Meta:
        verbose_name = _("retention rule")
        verbose_name_plural = _("retention rules")
        constraints = (models.UniqueConstraint(fields=("account", "environment", "status"), name="retention_once"),)

    def __str__(self) -> str:
        return f"{self.status} for {self.days} days"

    def due(self, moment: datetime) -> ConversationQuerySet:
        """What is older at ``moment``; the list filtered by this status and ``updatedBefore`` shows the same."""
        mine: ConversationQuerySet = Conversation.objects.owned_by(self.account_id, self.environment)
        return mine.filter(status=self.status, updated_at__lt=moment - timedelta(days=self.days))

    def preview(self, moment: datetime) -> Due:
        found = self.due(moment)
        oldest = found.order_by("updated_at", "pk").values_list("updated_at", flat=True).first()
        return Due(self, moment - timedelta(days=self.days), found.count(), oldest)

    def apply(self) -> int:
        """Delete what is due, a batch at a time, and write down how many. Returns that."""
        moment, number = now(), 0
        while deleted := self._delete_batch(moment):
            number += deleted
        return number

    @atomic
    def _delete_batch(self, moment: datetime) -> int:
        # Locked: what is changed meanwhile is not due any more, and stays.
        due = self.due(moment).order_by("updated_at", "pk").select_for_update()
        pks = list(due.values_list("pk", flat=True)[:BATCH])
        if not pks:
            return 0
        Note.objects.filter(conversation__in=pks).delete()
        ReadMark.objects.filter(conversation__in=pks).delete()
        forget_in_log(self.account, pks)
        forget_answers(self.account, self.environment)
        Conversation.objects.filter(pk__in=pks).only("pk").delete()
        AuditEvent.objects.log(
            "retention.applied",
            account=self.account,
            by=None,
            resource_type="conversation",
            environment=self.environment,
            metadata={"deleted": len(pks), "status": self.status, "days": self.days},
        )
        return len(pks)
