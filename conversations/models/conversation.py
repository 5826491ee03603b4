"""A conversation and its verbs."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.masking import Maskable
from accounts.models import Actor, AuditEvent, Owned
from accounts.validators import validate_text
from config.storage.expressions import AppendDocuments, append_text
from config.storage.fields import DocumentListField, ObjectIdField
from config.storage.moments import now
from config.storage.transaction import atomic
from conversations import search
from conversations.messages import (
    MAX_MESSAGES,
    PREVIEW,
    beginning_of,
    bytes_of,
    clean_messages,
    contents_of,
    ending_of,
    validate_messages,
)
from conversations.models.changes import DETAILS, NAMING, kept_beginning, touched
from conversations.models.indexes import INDEXES
from conversations.models.masked import ERASED, masked_values
from conversations.models.naming import notice_names
from conversations.models.queries import CLOSED_STATUSES, Channel, ConversationQuerySet, Status
from conversations.models.recording import RecordingManager
from conversations.models.refusals import ConversationFull, StatusMoved, StatusNotAllowed

MAX_STAGE_INDEX = 2**31 - 1
MAX_BYTES = 12_000_000
"""Stored bytes of a conversation's messages and search text: inside MongoDB's 16 MB a document with room to spare."""


class Conversation(Maskable, Owned):
    """What a lead and an agent (later perhaps a person) said to each other over one channel, and what came of it.

    Messages live inside, in the wire's own shape. Validators bound every field: a stored row is always a legal answer.
    ``search_text``, ``message_count``, ``stored_bytes``, ``last_role``, ``last_text``, ``last_lead_at`` (when the lead
    wrote last), ``first_lead_at`` and ``first_reply_at`` follow from other fields; the verbs keep them so,
    ``status_changed_at`` and ``qualified_at`` too.
    ``revision`` counts the changes: unlike ``updated_at``, which a recording may set back, it only grows.
    """

    lead_id = models.CharField(_("lead ID"), max_length=64, validators=[validate_text])
    agent_config_id = ObjectIdField(_("agent config ID"))
    channel = models.CharField(_("channel"), max_length=8, choices=Channel.choices)
    lead_phone = models.CharField(_("lead's phone"), max_length=64, blank=True, validators=[validate_text])
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.ACTIVE)
    current_stage_index = models.PositiveIntegerField(
        _("number of the stage"), default=0, validators=[MaxValueValidator(MAX_STAGE_INDEX)]
    )
    message_count = models.PositiveIntegerField(_("messages"), default=0, editable=False)
    created_at = models.DateTimeField(_("started at"), default=now)
    updated_at = models.DateTimeField(_("last activity"), default=now)
    campaign_id = ObjectIdField(_("campaign ID"), null=True, blank=True)
    lead_email = models.CharField(_("lead's e-mail address"), max_length=320, blank=True, validators=[validate_text])
    current_stage_name = models.CharField(_("stage"), max_length=200, blank=True, validators=[validate_text])
    qualified = models.BooleanField(_("qualified"), null=True, blank=True)
    stored_bytes = models.PositiveIntegerField(_("stored bytes"), default=0, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)
    last_role = models.CharField(max_length=6, blank=True, editable=False)
    last_text = models.CharField(max_length=PREVIEW, blank=True, editable=False)
    last_lead_at = models.DateTimeField(null=True, editable=False)
    first_lead_at = models.DateTimeField(null=True, editable=False)
    first_reply_at = models.DateTimeField(null=True, editable=False)
    status_changed_at = models.DateTimeField(default=now, editable=False)
    qualified_at = models.DateTimeField(null=True, editable=False)
    # What may be long comes last: SQLite reads a row from its beginning, and a list wants none of it.
    qualification_reason = models.TextField(
        _("reason of the qualification"),
        max_length=5_000,
        blank=True,
        validators=[MaxLengthValidator(5_000), validate_text],
    )
    summary = models.TextField(
        _("summary"), max_length=20_000, blank=True, validators=[MaxLengthValidator(20_000), validate_text]
    )
    messages = DocumentListField(default=list, validators=[validate_messages])
    search_text = models.TextField(editable=False)

    objects = RecordingManager.from_queryset(ConversationQuerySet)()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        indexes = INDEXES
        constraints = (
            models.CheckConstraint(condition=Q(status__in=Status.values), name="conversation_status_known"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="conversation_channel_known"),
            models.CheckConstraint(
                condition=Q(channel=Channel.EMAIL) | ~Q(lead_phone=""), name="conversation_phone_unless_email"
            ),
        )

    def __str__(self) -> str:
        return gettext("%(channel)s with %(lead)s") % {"channel": self.get_channel_display(), "lead": self.lead_name}

    @property
    def is_erased(self) -> bool:
        """Whether its lead was erased: what was counted is left (``conversations.models.erasure``)."""
        return self.lead_phone == ERASED

    @property
    def lead_name(self) -> str:
        """What a person calls the lead: nobody sends a name, so e-mail or phone, else the caller's id."""
        if self.is_erased:
            return gettext("Erased lead")
        return self.lead_email or self.lead_phone or gettext("Lead %s") % self.lead_id

    @classmethod
    def masked(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, **masked_values(values)}

    def clean(self) -> None:
        if self.channel != Channel.EMAIL and not self.lead_phone:
            raise ValidationError({"lead_phone": "May be empty for e-mail conversations only."})

    def derive(self) -> None:
        """Bring the fields that follow from others up to date. Raises ConversationFull."""
        contents = contents_of(self.messages)
        for name, value in (ending_of(self.messages) | beginning_of(self.messages)).items():
            setattr(self, name, value)
        self.message_count = len(self.messages)
        self.search_text = search.search_text(phone=self.lead_phone, email=self.lead_email, contents=contents)
        self.stored_bytes = bytes_of(self.messages, self.search_text)
        if self.stored_bytes > MAX_BYTES:
            raise ConversationFull(f"At most {MAX_BYTES:,} bytes of messages a conversation.")

    def append(self, messages: list[dict[str, Any]], *, by: Actor) -> None:
        """Add messages at the end: one statement, so that writers at the same time lose nothing.

        A message is its own record, so none is written to the audit log. Raises ValidationError for bad messages and
        ConversationFull when they do not fit; then nothing is added.
        """
        moment = now()
        new = clean_messages(messages, default_timestamp=moment)
        text = search.appended_search_text(contents_of(new))
        size = bytes_of(new, text)
        ending = {name: value for name, value in ending_of(new).items() if value is not None} if new else {}
        room = Conversation.objects.filter(
            pk=self.pk, message_count__lte=MAX_MESSAGES - len(new), stored_bytes__lte=MAX_BYTES - size
        )
        changes = {
            "messages": AppendDocuments("messages", new),
            "message_count": F("message_count") + len(new),
            "search_text": append_text("search_text", text),
            "stored_bytes": F("stored_bytes") + size,
            **ending,
            **kept_beginning(new),
            **touched(moment),
        }
        if not room.update(**changes):
            raise ConversationFull(f"At most {MAX_MESSAGES:,} messages and {MAX_BYTES:,} bytes a conversation.")
        for name in changes:  # read again when somebody asks, for most only send
            self.__dict__.pop(name, None)

    @atomic
    def change_status(self, status: str, *, by: Actor, reason: str = "", expected: str = "") -> None:
        """Close the conversation, or correct how it was closed. The same status again changes nothing.

        Raises StatusMoved where ``expected`` is not its status any more; then nothing is changed.
        """
        if status not in CLOSED_STATUSES:
            raise StatusNotAllowed(f"Must be one of {', '.join(CLOSED_STATUSES)}.")
        # Compare and set: of two changes at the same time each one's entry tells what it really replaced.
        while (old := self._stored("status")) != status:
            if expected and old != expected:
                raise StatusMoved
            moment = now()
            mine = Conversation.objects.filter(pk=self.pk, status=old)
            if mine.update(status=status, status_changed_at=moment, **touched(moment)):
                changes = {"from": old, "to": str(status), **({"reason": reason} if reason else {})}
                self._log("conversation.status_changed", by=by, **changes)
        self.refresh_from_db()

    @atomic
    def update_details(self, changes: Mapping[str, Any], *, by: Actor) -> None:
        """Set any of ``DETAILS``; what stays the same is not written. Raises ValidationError for what may not be."""
        unknown = changes.keys() - DETAILS
        if unknown:
            raise TypeError(f"Not a detail: {', '.join(sorted(unknown))}.")
        while True:
            self.refresh_from_db()
            seen_count = self.message_count
            before = {name: getattr(self, name) for name in changes}
            different = {name: value for name, value in changes.items() if before[name] != value}
            if not different:
                return
            for name, value in different.items():
                setattr(self, name, value)
            self.clean_fields(exclude=["account", "search_text"])
            self.clean()
            self.derive()
            # An append in between would be missing in the search text we just made: then again, from what is there.
            moment = now()
            values = {name: getattr(self, name) for name in (*different, "search_text", "stored_bytes")}
            if "qualified" in different:
                values["qualified_at"] = None if self.qualified is None else moment
            if Conversation.objects.filter(pk=self.pk, message_count=seen_count).update(**values, **touched(moment)):
                break
        if NAMING & different.keys():
            notice_names(self.account, self.environment, [self])
        self._log(
            "conversation.details_updated",
            by=by,
            **{name: {"from": before[name], "to": value} for name, value in different.items()},
        )
        self.refresh_from_db()

    @atomic
    def reveal(self, *, by: Actor) -> None:
        """Somebody who sees contacts masked wants to see this one in full: that is their right, and on record."""
        self._log("contacts.revealed", by=by)

    @atomic
    def share(self, *, days: int, by: Actor) -> None:
        """Somebody makes a link to the brief: whoever has it reads that page, and that is on record."""
        self._log("conversation.shared", by=by, days=days)

    def _stored(self, field: str) -> Any:
        return Conversation.objects.values_list(field, flat=True).get(pk=self.pk)

    def _log(self, action: str, *, by: Actor, **metadata: Any) -> None:
        AuditEvent.objects.log(
            action, account=self.account, by=by, resource=self, environment=self.environment, metadata=metadata
        )
