"""The one FilterSet of conversations: endpoint, page and counts share it, so that a number opens exactly its rows."""

from collections.abc import Mapping

import django_filters

from accounts.parameters import MomentFilter, ObjectIdFilter, OnceForm, TextFilter, one_of
from conversations.models import Channel, Conversation, ConversationQuerySet, Status
from conversations.search import MAX_SEARCH_LENGTH


class ConversationFilter(django_filters.FilterSet):
    status = one_of(Status.choices)
    search = TextFilter(
        method="filter_search",
        max_length=MAX_SEARCH_LENGTH,
        error_messages={"max_length": f"At most {MAX_SEARCH_LENGTH} characters."},
    )
    channel = one_of(Channel.choices)
    campaignId = ObjectIdFilter("campaign_id")
    agentConfigId = ObjectIdFilter("agent_config_id")
    leadId = TextFilter("lead_id")
    qualified = one_of([("true", "Qualified"), ("false", "Not qualified")], method="filter_qualified")
    # Half-open, so that periods which follow each other neither overlap nor leave a gap.
    createdAfter = MomentFilter("created_at", lookup_expr="gte")
    createdBefore = MomentFilter("created_at", lookup_expr="lt")
    updatedAfter = MomentFilter("updated_at", lookup_expr="gte")
    updatedBefore = MomentFilter("updated_at", lookup_expr="lt")

    class Meta:
        model = Conversation
        fields: list[str] = []
        form = OnceForm

    @classmethod
    def narrows(cls, parameters: Mapping[str, str]) -> bool:
        """Whether any of ``parameters`` leaves something out; an empty one does not."""
        return any(parameters.get(name) for name in cls.base_filters)

    def filter_search(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return conversations.search(value)

    def filter_qualified(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return conversations.filter(qualified=value == "true")
