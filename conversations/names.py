"""What people call the ids that conversations carry: agents, campaigns, stages."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.ids import short
from accounts.models import Account
from config.storage.prepared import Prepared
from conversations.models import Agent, Campaign, Conversation
from conversations.models.naming import Named

N = TypeVar("N", bound=Named)


class Known(Generic[N]):
    """All of a kind that an account's environment has: id, as conversations carry it → the named."""

    def __init__(self, model: type[N], *more: str) -> None:
        self.model = model
        self.fields = ("id", model.id_field, "name", *more)
        self.rows = Prepared(self._rows_of, values=2)

    def _rows_of(self, account: str, environment: str) -> "QuerySet[N, Any]":
        return self.model.objects.filter(account=account, environment=environment).values_list(*self.fields)

    def of(self, account: Account, environment: str) -> dict[str, N]:
        known = [self.model(**dict(zip(self.fields, row, strict=True))) for row in self.rows(account.pk, environment)]
        if account.masks_contacts:
            for one in known:
                one.mask()
        return {one.named_id: one for one in known}


AGENTS, CAMPAIGNS = Known(Agent, "stages"), Known(Campaign)


@dataclass(frozen=True)
class StageName:
    """A stage as it is shown; ``number`` of ``total`` where its agent's stages are known, else both are 0."""

    name: str
    number: int = 0
    total: int = 0

    def __str__(self) -> str:
        return self.name


def stage_number(index: int) -> str:
    """What a stage without a name is called. People count from 1, as in ``2/4``; the API's index begins with 0."""
    return _("Stage %s") % (index + 1)


@dataclass(frozen=True)
class Names:
    """Those of one account in one environment, read once a page."""

    agents: dict[str, Agent]
    campaigns: dict[str, Campaign]

    @classmethod
    def of(cls, account: Account, environment: str) -> "Names":
        return cls(AGENTS.of(account, environment), CAMPAIGNS.of(account, environment))

    @property
    def agent_options(self) -> list[tuple[str, str]]:
        """What a form offers: ids and names."""
        return [(key, str(agent)) for key, agent in self.agents.items()]

    @property
    def campaign_options(self) -> list[tuple[str, str]]:
        return [(key, str(campaign)) for key, campaign in self.campaigns.items()]

    def agent(self, agent_config_id: str) -> str:
        """The agent's name, else the end of its id."""
        known = self.agents.get(agent_config_id)
        return str(known) if known else short(agent_config_id)

    def campaign(self, campaign_id: str | None) -> str:
        if not campaign_id:
            return ""
        known = self.campaigns.get(campaign_id)
        return str(known) if known else short(campaign_id)

    def stage(self, conversation: Conversation) -> StageName:
        """The name that the conversation carries, else its agent's for that index, else its number."""
        index = conversation.current_stage_index
        agent = self.agents.get(conversation.agent_config_id)
        called = (agent and agent.stage_name(index)) or stage_number(index)
        name = conversation.current_stage_name or called
        if agent and index < len(agent.stages) and name == called:
            return StageName(name, index + 1, len(agent.stages))
        return StageName(name)

    @cached_property
    def stages(self) -> list[str]:
        """The names of all agents' stages, each once, in their order."""
        return list(dict.fromkeys(name for agent in self.agents.values() for name in agent.stages if name))
