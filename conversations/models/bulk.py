"""One change of many conversations, and its undoing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, AuditEvent, Owned, OwnedQuerySet, User
from config.formats import grouped
from config.storage.chunks import chunks_of
from config.storage.moments import now
from config.storage.transaction import atomic
from conversations.models.changes import touched
from conversations.models.conversation import Conversation
from conversations.models.queries import CLOSED_STATUSES, COUNTED, ConversationQuerySet, Status
from conversations.models.refusals import StatusNotAllowed

MAX_CHANGED = COUNTED
"""Conversations that one change may concern: it is one transaction, and more are not counted."""


class BulkChangeManager(models.Manager["BulkChange"]):
    @atomic
    def change_status(
        self, conversations: ConversationQuerySet, status: str, *, account: Account, environment: str, by: User
    ) -> "BulkChange":
        """Close all ``conversations``, each with its own entry in the log; those that are closed so stay as they are.

        Raises StatusNotAllowed, and ValidationError where there are more than ``MAX_CHANGED``.
        """
        if status not in CLOSED_STATUSES:
            raise StatusNotAllowed(f"Must be one of {', '.join(CLOSED_STATUSES)}.")
        different = conversations.order_by().exclude(status=status).select_for_update()
        before = dict(different.values_list("pk", "status")[: MAX_CHANGED + 1])
        if len(before) > MAX_CHANGED:
            raise ValidationError(_("At most %s conversations at a time.") % grouped(MAX_CHANGED))
        moment = now()
        change = BulkChange(
            account=account, environment=environment, user=by, status=status, before=before, created_at=moment
        )
        change.save(force_insert=True)
        _set(before, status, moment)
        change.log({pk: {"from": old, "to": str(status)} for pk, old in before.items()}, by=by)
        return change


class BulkChange(Owned):
    """Who closed which conversations at once, and what they were before."""

    account: "models.ForeignKey[Any, Account]" = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="bulk_changes", db_index=False
    )
    user: "models.ForeignKey[Any, User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bulk_changes"
    )
    status = models.CharField(max_length=10, choices=Status.choices)
    before = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=now, editable=False)
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = BulkChangeManager.from_queryset(OwnedQuerySet)()

    class Meta:
        verbose_name = _("change of many")
        verbose_name_plural = _("changes of many")

    def __str__(self) -> str:
        return f"{len(self.before)} to {self.status}"

    @property
    def number(self) -> int:
        return len(self.before)

    @atomic
    def undo(self, *, by: User) -> int:
        """Give each conversation its former status back, unless somebody has changed it since. Returns how many."""
        if not BulkChange.objects.filter(pk=self.pk, undone_at=None).update(undone_at=now()):
            return 0
        mine = Conversation.objects.filter(account=self.account, environment=self.environment, status=self.status)
        same: set[str] = set()
        for chunk in chunks_of(self.before):
            untouched = mine.filter(pk__in=chunk, status_changed_at=self.created_at)
            same |= set(untouched.select_for_update().values_list("pk", flat=True))
        moment = now()
        by_status: dict[str, list[str]] = defaultdict(list)
        for pk in same:
            by_status[self.before[pk]].append(pk)
        for status, pks in by_status.items():
            _set(pks, status, moment)
        self.log({pk: {"from": self.status, "to": self.before[pk], "reason": "Undone"} for pk in same}, by=by)
        return len(same)

    def log(self, changes: Mapping[str, dict[str, Any]], *, by: User) -> None:
        AuditEvent.objects.log_each(
            "conversation.status_changed",
            changes,
            account=self.account,
            by=by,
            resource_type="conversation",
            environment=self.environment,
        )


def _set(pks: Iterable[str], status: str, moment: datetime) -> None:
    for chunk in chunks_of(pks):
        Conversation.objects.filter(pk__in=chunk).update(status=status, status_changed_at=moment, **touched(moment))
