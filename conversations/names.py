"""What people call the ids that conversations carry: agents, campaigns, stages."""

from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from accounts.ids import short
from accounts.models import Account
from conversations.models import Agent, Campaign, Conversation


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
        return cls(account.agents.within(environment).by_id(), account.campaigns.within(environment).by_id())

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
