"""What people call the ids that conversations carry: agents, campaigns, stages."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.ids import short
from accounts.models import Account
from config.storage.prepared import Prepared
from conversations.models import Agent, Campaign, Conversation

AGENT = ("id", "agent_config_id", "name", "stages")
CAMPAIGN = ("id", "campaign_id", "name")


def _agents_of(account: str, environment: str) -> "QuerySet[Agent, Any]":
    return Agent.objects.filter(account=account, environment=environment).values_list(*AGENT)


def _campaigns_of(account: str, environment: str) -> "QuerySet[Campaign, Any]":
    return Campaign.objects.filter(account=account, environment=environment).values_list(*CAMPAIGN)


_agents, _campaigns = Prepared(_agents_of, values=2), Prepared(_campaigns_of, values=2)


@dataclass(frozen=True)
class StageName:
    """A stage as it is shown; ``number`` of ``total`` where its agent's stages are known, else both are 0."""

    name: str
    number: int = 0
    total: int = 0

    def __str__(self) -> str:
        return self.name


def stage_number(index: int) -> str:
    """What a stage without a name is called."""
    return _("Stage %s") % index


@dataclass(frozen=True)
class Names:
    """Those of one account in one environment, read once a page."""

    agents: dict[str, Agent]
    campaigns: dict[str, Campaign]

    @classmethod
    def of(cls, account: Account, environment: str) -> "Names":
        agents = (Agent(**dict(zip(AGENT, row, strict=True))) for row in _agents(account.pk, environment))
        campaigns = (Campaign(**dict(zip(CAMPAIGN, row, strict=True))) for row in _campaigns(account.pk, environment))
        return cls({one.named_id: one for one in agents}, {one.named_id: one for one in campaigns})

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
        """The name that the conversation carries, else its agent's for that index, else the index as the API has it."""
        index = conversation.current_stage_index
        agent = self.agents.get(conversation.agent_config_id)
        named = agent.stage_name(index) if agent else ""
        name = conversation.current_stage_name or named or stage_number(index)
        if agent and named == name:
            return StageName(name, index + 1, len(agent.stages))
        return StageName(name)

    @cached_property
    def stages(self) -> list[str]:
        """The names of all agents' stages, each once, in their order."""
        return list(dict.fromkeys(name for agent in self.agents.values() for name in agent.stages if name))
