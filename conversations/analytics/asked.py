"""What the page is asked for, as it stands in its URL: a period, and filters that the list has too."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.page_state import Chip, Field, Options, PageState, Text, chips_of, fields_of
from config.storage.moments import format_moment
from conversations.analytics.overview import DEFAULT_RANGE, RANGES
from conversations.analytics.period import Period
from conversations.models import Channel
from conversations.names import Names

PERIOD = ("range", "from", "to")
FILTERS = {"channel": _("Channel"), "agentConfigId": _("Agent"), "campaignId": _("Campaign")}


@dataclass(frozen=True)
class Choice:
    label: str
    link: str
    is_current: bool


@dataclass(frozen=True)
class Asked(PageState):
    route = "analytics"

    @property
    def address(self) -> str:
        return reverse(self.route)

    @classmethod
    def read(cls, data: Mapping[str, str]) -> Self:
        return cls({name: str(data[name]) for name in (*PERIOD, *FILTERS) if data.get(name)})

    @property
    def filters(self) -> dict[str, str]:
        """Those of the list, but the period."""
        return {name: value for name, value in self.values.items() if name in FILTERS}

    @property
    def narrowed(self) -> dict[str, str]:
        """The same, by what they are of: channel, agent, campaign."""
        return {name.removesuffix("ConfigId").removesuffix("Id"): value for name, value in self.filters.items()}

    @property
    def has_own_period(self) -> bool:
        return "from" in self.values or "to" in self.values

    @property
    def period_fields(self) -> list[tuple[str, str]]:
        """What the form of the filters passes on."""
        return [(name, value) for name, value in self.values.items() if name in PERIOD]

    def within(self, period: Period) -> dict[str, str]:
        """Filters of the list for all that the page counts."""
        return {
            **self.filters,
            "createdAfter": format_moment(period.start),
            "createdBefore": format_moment(period.end),
        }

    @property
    def ranges(self) -> list[Choice]:
        chosen = "" if self.has_own_period else self.values.get("range", DEFAULT_RANGE)
        return [
            Choice(
                gettext("%s days") % length.days,
                self.link(**{"from": "", "to": "", "range": "" if name == DEFAULT_RANGE else name}),
                name == chosen,
            )
            for name, length in RANGES.items()
        ]

    def fields(self, names: Names) -> list[Field]:
        offered: list[tuple[str, Text, Options]] = [
            ("channel", gettext("Any channel"), list(Channel.choices)),
            ("agentConfigId", gettext("Any agent"), names.agent_options),
            ("campaignId", gettext("Any campaign"), names.campaign_options),
        ]
        return fields_of(self, FILTERS, offered, partial(_shown, names))

    def chips(self, names: Names, period: Period | None) -> list[Chip]:
        chips = chips_of(self, FILTERS, partial(_shown, names))
        if self.has_own_period and period:
            chips.insert(0, Chip(gettext("Period"), period.text, self.link(**{"from": "", "to": ""})))
        return chips

    @property
    def clear_link(self) -> str:
        return self.link(**dict.fromkeys(FILTERS, ""), **{"from": "", "to": ""})


class AskedLastWords(Asked):
    route = "last-words"


def _shown(names: Names, name: str, value: str) -> str:
    if name == "channel":
        return str(Channel(value).label) if value in Channel.values else value
    return names.agent(value) if name == "agentConfigId" else names.campaign(value)
