"""The one FilterSet of conversations: endpoint, page and counts share it, so that a number opens exactly its rows."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property

from django.utils.translation import gettext_lazy as _

from accounts.filters import at_most
from accounts.parameters import AskedFilterSet, MomentFilter, ObjectIdFilter, OnceForm, TextFilter, one_of
from config.storage.moments import now
from config.storage.search import Search, among
from conversations.analytics.lines import MOST_COMMON
from conversations.analytics.rows import Rows
from conversations.analytics.said import EVER, Said
from conversations.messages import LAST_ROLES, NO_ROLE
from conversations.models import Channel, Conversation, ConversationQuerySet, Status
from conversations.models.naming import MAX_STAGES
from conversations.models.reading import LastLookManager
from conversations.search import MAX_SEARCH_LENGTH

ACTIVITIES = [
    ("1d", _("Last 24 hours")),
    ("7d", _("Last 7 days")),
    ("30d", _("Last 30 days")),
    ("quiet1d", _("Quiet for a day")),
    ("quiet7d", _("Quiet for a week")),
    ("quiet30d", _("Quiet for 30 days")),
]

OWNER = ("account", "environment")

FIGURES = {"channel": "channel", "agentConfigId": "agent", "campaignId": "campaign"}
"""Filters that figures are narrowed by → what they are of."""

INDEXES = [(str(index), f"Stage {index}") for index in range(MAX_STAGES)]
"""Stages that can be asked for by their index, from 0."""


def activity_limit(activity: str) -> tuple[str, datetime]:
    """The API's parameter that says the same. Counted back from now, so that a saved view stays what it says."""
    days = int(activity.removeprefix("quiet").removesuffix("d"))
    return "updatedBefore" if activity.startswith("quiet") else "updatedAfter", now() - timedelta(days=days)


class ConversationFilter(AskedFilterSet):
    status = one_of(Status.choices)
    search = TextFilter(
        method="filter_search",
        max_length=MAX_SEARCH_LENGTH,
        error_messages={"max_length": at_most(MAX_SEARCH_LENGTH)},
    )
    channel = one_of(Channel.choices)
    campaignId = ObjectIdFilter("campaign_id")
    agentConfigId = ObjectIdFilter("agent_config_id")
    leadId = TextFilter(method="filter_lead")
    stage = TextFilter(method="filter_stage", max_length=200)
    qualified = one_of([("true", "Qualified"), ("false", "Not qualified")], method="filter_qualified")
    # Half-open, so that periods which follow each other neither overlap nor leave a gap.
    createdAfter = MomentFilter("created_at", lookup_expr="gte")
    createdBefore = MomentFilter("created_at", lookup_expr="lt")
    updatedAfter = MomentFilter("updated_at", lookup_expr="gte")
    updatedBefore = MomentFilter("updated_at", lookup_expr="lt")

    repliedAfter = MomentFilter(method="filter_replied")
    qualifiedAfter = MomentFilter(method="filter_qualified_after")
    statusChangedAfter = MomentFilter(method="filter_status_changed")

    # What figures are made of
    finished = one_of([("true", "Finished"), ("false", "Not finished")], method="filter_finished")
    stageReached = one_of(INDEXES, method="filter_stage_reached")
    stageIndex = one_of(INDEXES, field_name="current_stage_index")
    lastRole = one_of(LAST_ROLES, method="filter_last_role")

    class Meta:
        model = Conversation
        fields: list[str] = []
        form = OnceForm

    @classmethod
    def asked(cls, parameters: Mapping[str, str]) -> bool:
        """Whether any filter stands among ``parameters``, if only to be refused."""
        return not cls.base_filters.keys().isdisjoint(parameters)

    @classmethod
    def asks_conversations(cls, parameters: Mapping[str, str]) -> bool:
        """Whether conversations alone decide what is found: the names of stages are their agents'."""
        return "stage" not in parameters

    @classmethod
    def narrowing(cls, parameters: Mapping[str, str]) -> set[str]:
        """Those of ``parameters`` that leave something out; an empty one does not."""
        return {name for name in cls.base_filters if parameters.get(name)}

    def filter_search(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return conversations.found_by(self.looked_for)

    @cached_property
    def looked_for(self) -> Search:
        """One search for the rows and for their counts."""
        found: Search = self.queryset.look_for(self.form.cleaned_data["search"])
        return found

    def filter_lead(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return conversations.of_lead(value)

    def filter_qualified(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return conversations.filter(qualified=value == "true")

    def filter_stage(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        owner = getattr(self.request, "auth", None) or self.request  # a key, or a page's request
        return conversations.at_stage(value, owner.account.agents.unmasked().within(owner.environment))

    def filter_replied(self, conversations: ConversationQuerySet, name: str, value: datetime) -> ConversationQuerySet:
        return conversations.replied_since(value)

    def filter_qualified_after(
        self, conversations: ConversationQuerySet, name: str, value: datetime
    ) -> ConversationQuerySet:
        return conversations.qualified_since(value)

    def filter_status_changed(
        self, conversations: ConversationQuerySet, name: str, value: datetime
    ) -> ConversationQuerySet:
        return conversations.status_changed_since(value)

    def filter_finished(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return conversations.finished() if value == "true" else conversations.unfinished()

    def filter_stage_reached(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return conversations.reached(int(value))

    def filter_last_role(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return conversations.last_written_by("" if value == NO_ROLE else value)


class PageFilter(ConversationFilter):
    """The same for a person, to whom things may be new. For pages and what they export or change."""

    # The API looks for white space at either end too; people bring it along when they paste.
    search = TextFilter(
        method="filter_search",
        max_length=MAX_SEARCH_LENGTH,
        error_messages={"max_length": at_most(MAX_SEARCH_LENGTH)},
        strip=True,
    )
    unread = one_of([("true", "Unread")], method="filter_unread")
    activity = one_of(ACTIVITIES, method="filter_activity")
    lastWords = TextFilter(method="filter_last_words", max_length=MOST_COMMON)

    def whatever_status(self) -> ConversationQuerySet:
        """All filters but the status: what the tabs count within."""
        found = self.queryset.all()
        for name, value in self.form.cleaned_data.items():
            if name != "status":
                found = self.filters[name].filter(found, value)
        return found

    @cached_property
    def seen_at(self) -> datetime:
        """Since when things are new to the person."""
        request = self.request
        looks: LastLookManager = request.account.last_looks
        return looks.moment_of(request.membership, request.environment)

    def filter_unread(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return conversations.unread_by(self.request.user, self.seen_at)

    def filter_last_words(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return among(conversations, self.said.ids_of(value), OWNER)

    @cached_property
    def said(self) -> Said:
        """What figures of last words are made of, for the same period, channel, agent and campaign."""
        asked = {name: self.form.cleaned_data.get(name) for name in (*FIGURES, "createdAfter", "createdBefore")}
        start, end = asked.pop("createdAfter") or EVER[0], asked.pop("createdBefore") or EVER[1]
        owner = (self.request.account.pk, str(self.request.environment))
        return Said.of(Rows(owner, {FIGURES[name]: value for name, value in asked.items() if value}), start, end)

    def filter_activity(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        bound, limit = activity_limit(value)
        return conversations.filter(**{"updated_at__lt" if bound == "updatedBefore" else "updated_at__gte": limit})
