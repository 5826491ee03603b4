"""The state of the list page as it stands in its URL, and what follows from it: tabs, chips, links."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from accounts.page_state import Chip, Field, Options, PageState, Text, chips_of, fields_of
from accounts.request import AccountRequest
from config.storage.counting import sum_of
from config.storage.moments import format_moment, parse_moment
from conversations.filters import ACTIVITIES, PageFilter, activity_limit
from conversations.listing.ordering import Order
from conversations.messages import LAST_ROLES
from conversations.models import Channel, ConversationQuerySet, Status, several
from conversations.names import Names
from conversations.templatetags.parley import exact

CHIPS = {
    "search": _("Search"),
    "channel": _("Channel"),
    "stage": _("Stage"),
    "agentConfigId": _("Agent"),
    "campaignId": _("Campaign"),
    "qualified": _("Qualified"),
    "activity": _("Last activity"),
    "unread": _("Unread"),
    "leadId": _("Lead"),
    "createdAfter": _("Started from"),
    "createdBefore": _("Started before"),
    "updatedAfter": _("Changed from"),
    "updatedBefore": _("Changed before"),
    "repliedAfter": _("Lead replied since"),
    "qualifiedAfter": _("Qualification decided since"),
    "statusChangedAfter": _("Status since"),
    "finished": _("Finished"),
    "stageReached": _("Stage reached"),
    "stageIndex": _("Stage number"),
    "lastRole": _("Last message by"),
    "lastWords": _("Last words"),
}
"""Parameters that narrow the list, by the names that the page gives them. The status is a tab."""

FIELDS = ("search", "channel", "stage", "agentConfigId", "campaignId", "qualified", "activity", "unread")
"""Those that the page's form has a field for."""

TABS = ("", Status.ACTIVE, Status.HANDED_OFF, Status.COMPLETED, Status.DROPPED)
"""The statuses in a manager's order: what goes on, what waits for a person, what is over. Empty for all."""


@dataclass(frozen=True)
class Query(PageState):
    """Status, search, filters and order."""

    route = "conversations:list"

    @classmethod
    def read(cls, data: Mapping[str, str]) -> "Query":
        given = {name: str(data[name]) for name in ("status", *CHIPS) if data.get(name)}
        given["search"] = given.get("search", "").strip()
        values = {name: value for name, value in given.items() if value}
        order = Order.read(data.get("sort", ""))
        return cls(values if order == Order() else {**values, "sort": str(order)})

    @classmethod
    def parse(cls, text: str) -> "Query":
        """From a query string."""
        return cls.read(QueryDict(text))

    @property
    def order(self) -> Order:
        return Order.read(self.values.get("sort", ""))

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the form on the page has no field for, and has to pass on."""
        return [(name, value) for name, value in self.values.items() if name not in FIELDS]

    @property
    def status(self) -> str:
        return self.values.get("status", "")

    @property
    def search(self) -> str:
        return self.values.get("search", "")

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.values.keys() - {"sort"})

    def filterset(self, request: AccountRequest, conversations: ConversationQuerySet, **changes: str) -> PageFilter:
        """The filters over ``conversations``, some changed."""
        return PageFilter({**self.values, **changes}, conversations, request=request)


@dataclass(frozen=True)
class Tab:
    value: str
    label: str
    count: int | None
    link: str
    is_current: bool


def fields(query: Query, names: Names) -> list[Field]:
    stages = [(name, name) for name in names.stages]
    offered: list[tuple[str, Text, Options]] = [
        ("channel", _("Any channel"), list(Channel.choices)),
        ("stage", _("Any stage"), stages),
        ("agentConfigId", _("Any agent"), names.agent_options),
        ("campaignId", _("Any campaign"), names.campaign_options),
        ("qualified", _("Any outcome"), [("true", _("Qualified")), ("false", _("Not qualified"))]),
        ("activity", _("Any time"), ACTIVITIES),
    ]
    return fields_of(query, CHIPS, offered, partial(_shown, names))


def tabs(query: Query, counts: Mapping[str, int] | None) -> list[Tab]:
    return [
        Tab(
            str(value),
            several(value) if value else pgettext("conversations", "All"),
            None if counts is None else (counts[value] if value else sum_of(counts.values())),
            query.link(status=value),
            value == query.status,
        )
        for value in TABS
    ]


def chips(query: Query, names: Names) -> list[Chip]:
    return chips_of(query, CHIPS, partial(_shown, names))


def _shown(names: Names, name: str, value: str) -> str:
    if name in ("agentConfigId", "campaignId"):
        return names.agent(value) if name == "agentConfigId" else names.campaign(value)
    if name.endswith(("After", "Before")):
        try:
            return exact(parse_moment(value))
        except ValueError:
            return value
    words: dict[str, dict[str, Any]] = {
        "channel": dict(Channel.choices),
        "qualified": {"true": _("yes"), "false": _("no")},
        "unread": {"true": _("only")},
        "finished": {"true": _("yes"), "false": _("no")},
        "stageReached": {value: _("%s or later") % _stage(value)},
        "stageIndex": {value: _stage(value)},
        "lastRole": dict(LAST_ROLES),
        "activity": dict(ACTIVITIES),
        "search": {value: f"“{value}”"},
        "lastWords": {value: f"“{value}”"},
    }
    return str(words.get(name, {}).get(value, value))


def _stage(index: str) -> str:
    """People count stages from 1, as everywhere on the pages; parameters count from 0."""
    return str(int(index) + 1) if index.isascii() and index.isdigit() and len(index) < 10 else index


@dataclass(frozen=True)
class Sort:
    """What a column's header leads to, and how the list is ordered by it now: ``ascending``, ``descending`` or not."""

    link: str
    direction: str


def sort_link(query: Query, name: str) -> Sort:
    """The list ordered by ``name``: the greatest first, and the other way round where it is so already."""
    order, asked = query.order, Order(name)
    if order.name != name:
        return Sort(query.link(sort="" if asked == Order() else str(asked)), "")
    other = order.reversed
    return Sort(
        query.link(sort="" if other == Order() else str(other)), "descending" if order.is_descending else "ascending"
    )


PAGE_ONLY = ("unread", "activity", "lastWords", "sort")
"""Parameters of the page that the API does not know."""


def api_call(query: Query, address: str) -> str:
    """The call of the API that answers with this list; what is unread is a person's, and not part of it.

    Nor is what the agent said last, of which the page looks at the newest alone.
    """
    values = {name: value for name, value in query.values.items() if name not in PAGE_ONLY}
    activity = query.values.get("activity")
    if activity in dict(ACTIVITIES):
        name, limit = activity_limit(activity)
        values[name] = format_moment(limit)
    return f"curl -H \"X-API-Key: $PARLEY_KEY\" '{address}?{urlencode({**values, 'limit': 50})}'"
