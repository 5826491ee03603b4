"""What the team writes down about a conversation, for itself."""

from typing import Any

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.masking import Maskable, MaskedQuerySet, mask_text
from accounts.models import AuditEvent, Owned, OwnedQuerySet, User
from accounts.validators import validate_text
from config.storage.moments import now
from config.storage.transaction import atomic
from conversations.models.conversation import Conversation

MAX_NOTE_LENGTH = 5_000


class NoteManager(models.Manager["Note"]):
    def newest(self, most: int) -> models.QuerySet["Note"]:
        return self.order_by("-created_at", "-id")[:most]

    @atomic
    def write(self, conversation: Conversation, text: str, *, by: User) -> "Note":
        """Raises ValidationError for a text that may not be. The log says that there is a note, not what it says."""
        note = Note(
            account=conversation.account,
            environment=conversation.environment,
            conversation=conversation,
            author=by,
            author_name=str(by)[:100],
            text=text,
        )
        note.clean_fields(exclude=["account", "conversation", "author"])
        note.save(force_insert=True)
        note.log("note.written", by=by)
        return note


class NoteQuerySet(OwnedQuerySet["Note"], MaskedQuerySet["Note"]):  # type: ignore[override]
    """Notes of one conversation, masked where it is."""


class Note(Maskable, Owned):
    """Internal: only pages show it, never the API's messages, exports or the search."""

    conversation: "models.ForeignKey[Any, Conversation]" = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="notes", db_index=False
    )
    author: "models.ForeignKey[Any, User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="notes"
    )
    author_name = models.CharField(max_length=100)
    text = models.TextField(max_length=MAX_NOTE_LENGTH, validators=[MaxLengthValidator(MAX_NOTE_LENGTH), validate_text])
    created_at = models.DateTimeField(default=now, editable=False)

    objects = NoteManager.from_queryset(NoteQuerySet)()

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ("created_at", "id")
        indexes = (models.Index(fields=("conversation", "created_at", "id"), name="notes_of_conversation"),)

    def __str__(self) -> str:
        return f"Note by {self.author_name}"

    @classmethod
    def masked(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "text": mask_text(values["text"])} if "text" in values else values

    @atomic
    def remove(self, *, by: User) -> None:
        self.log("note.removed", by=by)
        self.delete()

    def log(self, action: str, *, by: User) -> None:
        AuditEvent.objects.log(
            action,
            account=self.account,
            by=by,
            resource=self.conversation,
            environment=self.environment,
            metadata={"note": self.pk},
        )
