"""``manage.py retention [--dry-run]``"""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand
from django.db.models import QuerySet

from accounts.models import AuditEvent, IdempotentRequest, Invitation, Remembered
from accounts.models.idempotency import REMEMBERED
from config.storage.moments import format_moment, now
from conversations.models import RetentionRule

BATCH = 500

INVITATIONS = timedelta(days=30)
"""For so long an expired one stays in the list, to be sent again."""


class Command(BaseCommand):
    help = (
        "Delete the conversations that accounts keep no longer, and what has expired: sessions, invitations, "
        "remembered answers, and entries of the audit log older than AUDIT_DAYS. In small transactions, while others "
        "go on. To be run once a day."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and delete nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        for rule in RetentionRule.objects.select_related("account").order_by("account_id", "environment", "status"):
            due = rule.preview(now())
            number = due.number if dry_run else rule.apply()
            if number:
                oldest = f", the oldest of {format_moment(due.oldest)}" if due.oldest else ""
                self.stdout.write(
                    f"{number:>9,}  {rule.account} {rule.environment}: {rule.status} for {rule.days} days{oldest}"
                )
        for name, expired in _expired().items():
            number = expired.count() if dry_run else _delete(expired)
            if number:
                self.stdout.write(f"{number:>9,}  {name}")
        self.stdout.write("Nothing was deleted: a dry run." if dry_run else "Done.")


def _expired() -> "dict[str, QuerySet[Any]]":
    """What nobody can use any more."""
    moment = now()
    found: dict[str, QuerySet[Any]] = {
        "sessions": Session.objects.filter(expire_date__lt=moment),
        "invitations": Invitation.objects.filter(expires_at__lt=moment - INVITATIONS),
        "remembered answers": IdempotentRequest.objects.filter(created_at__lt=moment - REMEMBERED),
        "cache entries": Remembered.objects.filter(expires_at__lt=moment),
    }
    if settings.AUDIT_DAYS:
        found["audit entries"] = AuditEvent.objects.filter(timestamp__lt=moment - timedelta(days=settings.AUDIT_DAYS))
    return found


def _delete(rows: "QuerySet[Any]") -> int:
    number = 0
    while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=pks).delete()
        number += len(pks)
    return number
