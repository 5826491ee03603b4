"""Names for ids: agents, their stages, and campaigns, as people call them."""

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.ids import short
from accounts.masking import HIDDEN, Maskable, MaskedQuerySet, mask_deep, mask_text
from accounts.models import Account, Actor, AuditEvent, Owned, OwnedQuerySet
from accounts.validators import validate_text
from config.storage.fields import ObjectIdField
from config.storage.transaction import atomic

if TYPE_CHECKING:
    from conversations.models.conversation import Conversation

MAX_STAGES = 50
"""Stages of an agent that can be named."""


class NamedQuerySet(OwnedQuerySet[Any], MaskedQuerySet[Any]):  # type: ignore[override]
    def by_id(self) -> dict[str, Any]:
        """Id, as conversations carry it → what is known of it."""
        return {named.named_id: named for named in self}


class Named(Maskable, Owned):
    """Something that conversations name by an id alone. Appears, unnamed, with the first conversation that does.

    Names are learned from conversations, so a lead's phone may stand in one.
    """

    id_field: ClassVar[str]
    NAMES = ("name", "stages")

    name = models.CharField(_("name"), max_length=100, blank=True, validators=[validate_text])

    objects = NamedQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name or short(self.named_id)

    @property
    def named_id(self) -> str:
        return str(getattr(self, self.id_field))

    @classmethod
    def masked(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {name: mask_deep(value) if name in cls.NAMES else value for name, value in values.items()}

    def meant(self, value: Any, field: str) -> Any:
        """What somebody means who sends ``value``, but sees contacts masked: what they saw and left stays as it is.

        Raises ValidationError for anything else that is masked: to keep that would be to lose what it stands for.
        """
        if not self.masks_contacts:
            return value
        stored: Any = getattr(type(self)._default_manager.get(pk=self.pk), field)
        names: list[str] = stored if isinstance(stored, list) else [stored]
        texts: list[str] = value if isinstance(value, list) else [value]
        kept = {mask_text(name): name for name in names}
        found = [kept.get(text, text) for text in texts]
        if any(HIDDEN in name and name not in names for name in found):
            raise ValidationError(_("Holds a phone or an e-mail address that is masked for you. Write it anew."))
        return found if isinstance(value, list) else found[0]

    @atomic
    def rename(self, *, by: Actor, **values: Any) -> None:
        """Set the name, and for an agent the names of its stages. Raises ValidationError; the same changes nothing."""
        stored = type(self)._default_manager.get(pk=self.pk)
        changes = {}
        for field, value in values.items():
            old, new = getattr(stored, field), self.meant(value, field)
            setattr(stored, field, new)
            if old != new:
                changes[field] = {"from": old, "to": new}
        stored.clean_fields(exclude=["account"])
        self.__dict__.update({field: stored.__dict__[field] for field in values})
        if self.masks_contacts:
            self.mask()
        if changes:
            stored.save(update_fields=list(changes))
            AuditEvent.objects.log(
                f"{self._meta.model_name}.renamed",
                account=self.account,
                by=by,
                resource=self,
                environment=self.environment,
                metadata=changes,
            )


def validate_stages(stages: Any) -> None:
    if not isinstance(stages, list) or len(stages) > MAX_STAGES:
        raise ValidationError(_("Must be at most %(number)s names of stages."), params={"number": MAX_STAGES})
    for name in stages:
        if not isinstance(name, str) or len(name) > 200:
            raise ValidationError(_("The name of a stage is at most 200 characters."))
        validate_text(name)


class Agent(Named):
    """An AI agent's configuration. ``stages`` are their names in order, empty where one is unknown.

    Names that conversations carry are learned; what a person has written is kept.
    """

    id_field = "agent_config_id"

    agent_config_id = ObjectIdField(_("agent config ID"))
    stages = models.JSONField(_("stages"), default=list, blank=True, validators=[validate_stages])

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        constraints = (
            models.UniqueConstraint(fields=("account", "environment", "agent_config_id"), name="agent_once"),
        )

    def stage_name(self, index: int) -> str:
        return self.stages[index] if index < len(self.stages) else ""

    def learn(self, seen: dict[int, str]) -> Self | None:
        """Fill in names of stages that were unknown. Returns itself if that changed anything."""
        stages = list(self.stages)
        for index, name in seen.items():
            stages += [""] * (index + 1 - len(stages))
            stages[index] = stages[index] or name
        if stages == self.stages:
            return None
        self.stages = stages
        return self


class Campaign(Named):
    """A campaign that conversations belong to."""

    id_field = "campaign_id"

    campaign_id = ObjectIdField(_("campaign ID"))

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints = (models.UniqueConstraint(fields=("account", "environment", "campaign_id"), name="campaign_once"),)


def notice_names(account: Account, environment: str, conversations: "Collection[Conversation]") -> None:
    """Make agents, stages and campaigns that are new with ``conversations`` known. In the caller's transaction."""
    campaigns = {conversation.campaign_id for conversation in conversations if conversation.campaign_id}
    stages: dict[str, dict[int, str]] = defaultdict(dict)
    for conversation in conversations:
        seen = stages[conversation.agent_config_id]
        if conversation.current_stage_name and conversation.current_stage_index < MAX_STAGES:
            seen.setdefault(conversation.current_stage_index, conversation.current_stage_name)
    known = _notice(Agent, account, environment, stages.keys())
    learned = [agent for agent_id, seen in stages.items() if (agent := known[agent_id].learn(seen))]
    if learned:
        Agent.objects.bulk_update(learned, ["stages"])
    _notice(Campaign, account, environment, campaigns)


def _notice(model: type[Any], account: Account, environment: str, ids: Collection[str]) -> dict[str, Any]:
    """Rows for ``ids``, made where there are none."""
    if not ids:
        return {}
    mine = model.objects.filter(account=account, environment=environment, **{f"{model.id_field}__in": sorted(ids)})
    known: dict[str, Any] = mine.by_id()
    new = [
        model(account=account, environment=environment, **{model.id_field: one}) for one in sorted(ids - known.keys())
    ]
    if new:
        model.objects.bulk_create(new)
        known |= {named.named_id: named for named in new}
    return known
