"""Recording: taking over whole conversations as another system tells them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models
from django.db.models import F

from accounts.models import Account, Actor, AuditEvent
from config.storage.transaction import atomic
from conversations.models.naming import notice_names

if TYPE_CHECKING:
    from conversations.models.conversation import Conversation


class Outcome(models.TextChoices):
    """What became of one conversation that was to be recorded."""

    RECORDED = "recorded", "Recorded"
    REPLACED = "replaced", "Replaced"
    UNCHANGED = "unchanged", "Unchanged"
    REFUSED = "refused", "Refused"


@dataclass(frozen=True)
class Recorded:
    """The outcome for one conversation; ``faults`` (field → messages, a model's names) when it was refused."""

    id: str
    outcome: Outcome
    faults: dict[str, list[str]] | None = None


TAKEN = "Another account or environment already has a conversation with this _id."


class RecordingManager(models.Manager["Conversation"]):
    def record(
        self,
        account: Account,
        records: Sequence[dict[str, Any]],
        *,
        environment: str,
        by: Actor,
        dry_run: bool = False,
    ) -> list[Recorded]:
        """Record conversations, given as model values; an id the account already has is replaced whole.

        Returns an outcome for each, in order. One bad record never loses the others. What was changed and its single
        audit entry are written together. Of two records with one id, the later wins. ``dry_run`` writes nothing.
        """
        outcomes: list[Recorded] = []
        for batch in _without_repeated_ids(records):
            plan = partial(self._record_batch, account, batch, environment, by, dry_run=dry_run)
            try:
                outcomes += plan()
            except IntegrityError:
                outcomes += plan()  # somebody recorded one of these ids at the same moment: now we see it
        return outcomes

    @atomic
    def _record_batch(
        self, account: Account, records: list[dict[str, Any]], environment: str, by: Actor, *, dry_run: bool
    ) -> list[Recorded]:
        # Whosever they are: an id that another account has must not look free.
        existing = self.model._default_manager.in_bulk([record["id"] for record in records if "id" in record])
        outcomes, new, changed = [], [], []
        for record in records:
            conversation = self.model(account=account, environment=environment, **record)
            try:
                outcome = _prepare(conversation, existing.get(conversation.pk))
            except ValidationError as error:
                outcomes.append(Recorded(conversation.pk, Outcome.REFUSED, _faults(error)))
                continue
            if outcome == Outcome.RECORDED:
                new.append(conversation)
            elif outcome == Outcome.REPLACED and not dry_run:
                self._replace(conversation)
                changed.append(conversation)
            outcomes.append(Recorded(conversation.pk, outcome))
        if dry_run:
            return outcomes
        # The oldest first: a search's index looks at what came last first.
        self.bulk_create(sorted(new, key=attrgetter("updated_at")))
        notice_names(account, environment, [*new, *changed])
        _log_batch(account, environment, outcomes, by)
        return outcomes

    def _replace(self, conversation: "Conversation") -> None:
        values = {name: getattr(conversation, name) for name in _stored_names(self.model)}
        self.filter(pk=conversation.pk).update(**values, revision=F("revision") + 1)


def _prepare(conversation: "Conversation", existing: "Conversation | None") -> Outcome:
    """Check a conversation and say what is to be done with it. Raises ValidationError."""
    conversation.clean_fields(exclude=["account", "search_text"])
    conversation.clean()
    conversation.derive()
    conversation.status_changed_at = conversation.updated_at
    conversation.qualified_at = None if conversation.qualified is None else conversation.updated_at
    if existing is None:
        return Outcome.RECORDED
    if (existing.account_id, existing.environment) != (conversation.account_id, conversation.environment):
        raise ValidationError({"id": TAKEN})
    if existing.status == conversation.status:
        conversation.status_changed_at = existing.status_changed_at
    if existing.qualified == conversation.qualified:
        conversation.qualified_at = existing.qualified_at
    names = _stored_names(type(conversation))
    same = all(getattr(existing, name) == getattr(conversation, name) for name in names)
    return Outcome.UNCHANGED if same else Outcome.REPLACED


def _stored_names(model: "type[Conversation]") -> list[str]:
    return [
        field.attname
        for field in model._meta.concrete_fields
        if field.name not in ("id", "account", "environment", "revision")
    ]


def _faults(error: ValidationError) -> dict[str, list[str]]:
    return error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}


def _without_repeated_ids(records: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Runs of records in which no id stands twice: the later one has to find the earlier one stored."""
    run: list[dict[str, Any]] = []
    seen: set[str] = set()
    for record in records:
        if record.get("id") in seen:
            yield run
            run, seen = [], set()
        run.append(record)
        if "id" in record:
            seen.add(record["id"])
    if run:
        yield run


def _log_batch(account: Account, environment: str, outcomes: list[Recorded], by: Actor) -> None:
    changed = {
        outcome.value: [recorded.id for recorded in outcomes if recorded.outcome == outcome]
        for outcome in (Outcome.RECORDED, Outcome.REPLACED)
    }
    if any(changed.values()):
        AuditEvent.objects.log(
            "conversations.recorded",
            account=account,
            by=by,
            resource_type="conversation",
            environment=environment,
            metadata={name: ids for name, ids in changed.items() if ids},
        )
