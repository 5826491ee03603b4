"""What each person has seen: one moment for everything, and later ones for single conversations."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Owned, OwnedQuerySet, User
from config.storage.chunks import chunks_of
from config.storage.fields import ObjectIdField
from config.storage.moments import now
from config.storage.transaction import atomic
from conversations.models.conversation import Conversation

NEWS = timedelta(days=30)


class LastLookManager(models.Manager["LastLook"]):
    def moment_of(self, membership: Membership, environment: str) -> datetime:
        """Since when things are new to a person: since they said that they had seen all, else since they joined.

        What is older than ``NEWS`` is news to nobody, and costs nothing to count.
        """
        look = self.filter(account=membership.account_id, environment=environment, user=membership.user_id).first()
        return max(look.seen_at if look else membership.created_at, now() - NEWS)

    def mark_seen(self, membership: Membership, environment: str, *, until: datetime | None = None) -> None:
        """Nothing up to ``until``, else up to now, is new to the person any more.

        The moment only moves on: an older page, in another tab, takes nothing back.
        """
        until = until or now()
        mine: dict[str, Any] = {"account": membership.account, "environment": environment, "user": membership.user}
        if not self.filter(**mine, seen_at__gt=until).exists():
            self.update_or_create(**mine, defaults={"seen_at": until})


class LastLook(Owned):
    """When a person last said that they had seen everything of an account's environment."""

    account: "models.ForeignKey[Any, Any]" = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, related_name="last_looks", db_index=False
    )
    user: "models.ForeignKey[Any, User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="last_looks"
    )
    seen_at = models.DateTimeField(default=now)

    objects = LastLookManager.from_queryset(OwnedQuerySet)()

    class Meta:
        verbose_name = _("last look")
        verbose_name_plural = _("last looks")
        constraints = (models.UniqueConstraint(fields=("account", "environment", "user"), name="last_look_once"),)

    def __str__(self) -> str:
        return f"{self.user} at {self.seen_at}"


class ReadMarkManager(models.Manager["ReadMark"]):
    def mark(self, conversation: Conversation, *, by: User) -> None:
        """``by`` has read the conversation as it is now."""
        mine = self.filter(conversation=conversation, user=by)
        known = mine.values_list("revision", flat=True).first()
        if known is None:
            with suppress(IntegrityError):  # read in two windows at the same moment
                self._create(conversation, by)
        elif known != conversation.revision:
            mine.update(revision=conversation.revision)

    @atomic
    def mark_all(self, conversations: list[str], *, by: User) -> None:
        """``by`` has read all of these ids as they are now."""
        for chunk in chunks_of(conversations):
            revisions = Conversation.objects.filter(pk__in=chunk).values_list("pk", "revision")
            self.filter(conversation__in=chunk, user=by).delete()
            self.bulk_create(ReadMark(conversation_id=pk, user=by, revision=revision) for pk, revision in revisions)

    @atomic
    def _create(self, conversation: Conversation, user: User) -> None:
        self.create(conversation=conversation, user=user, revision=conversation.revision)

    def revisions(self, conversations: list[str]) -> dict[str, int]:
        """Conversation → the last revision that a person has read: ``user.read_marks.revisions(ids)``."""
        return dict(self.filter(conversation__in=conversations).values_list("conversation_id", "revision"))


class ReadMark(models.Model):
    """The revision of a conversation that a person has read."""

    id = ObjectIdField(primary_key=True)
    user: "models.ForeignKey[Any, User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="read_marks", db_index=False
    )
    conversation: "models.ForeignKey[Any, Conversation]" = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="read_marks"
    )
    revision = models.PositiveIntegerField()

    objects = ReadMarkManager()

    class Meta:
        verbose_name = _("read mark")
        verbose_name_plural = _("read marks")
        constraints = (models.UniqueConstraint(fields=("user", "conversation"), name="read_mark_once"),)

    def __str__(self) -> str:
        return f"{self.user} read {self.conversation_id} at {self.revision}"
