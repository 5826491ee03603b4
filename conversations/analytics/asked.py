"""What the page is asked for, as it stands in its URL: a period, and filters that the list has too."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from config.storage.moments import format_moment
from conversations.analytics.overview import DEFAULT_RANGE, RANGES
from conversations.analytics.period import Period
from conversations.listing.query import Chip, Field
from conversations.models import Channel
from conversations.names import Names

PERIOD = ("range", "from", "to")
FILTERS = {"channel": "Channel", "agentConfigId": "Agent", "campaignId": "Campaign"}


@dataclass(frozen=True)
class Choice:
    label: str
    link: str
    is_current: bool


@dataclass(frozen=True)
class Asked:
    values: Mapping[str, str]

    @classmethod
    def read(cls, data: Mapping[str, str]) -> "Asked":
        return cls({name: str(data[name]) for name in (*PERIOD, *FILTERS) if data.get(name)})

    @property
    def filters(self) -> dict[str, str]:
        """Those of the list, but the period."""
        return {name: value for name, value in self.values.items() if name in FILTERS}

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

    def link(self, **changes: str) -> str:
        """The page with some parameters changed; an empty value drops one."""
        values = {name: value for name, value in {**self.values, **changes}.items() if value}
        return f"{reverse('analytics')}?{urlencode(values)}" if values else reverse("analytics")

    @property
    def ranges(self) -> list[Choice]:
        chosen = "" if self.has_own_period else self.values.get("range", DEFAULT_RANGE)
        return [
            Choice(
                f"{length.days} days",
                self.link(**{"from": "", "to": "", "range": "" if name == DEFAULT_RANGE else name}),
                name == chosen,
            )
            for name, length in RANGES.items()
        ]

    def fields(self, names: Names) -> list[Field]:
        """Those with something to choose; a value that is not offered is still kept."""
        offered: list[tuple[str, str, list[tuple[str, str]]]] = [
            ("channel", "Any channel", list(Channel.choices)),
            ("agentConfigId", "Any agent", [(key, str(agent)) for key, agent in names.agents.items()]),
            ("campaignId", "Any campaign", [(key, str(campaign)) for key, campaign in names.campaigns.items()]),
        ]
        found = []
        for name, any_value, options in offered:
            value = self.values.get(name, "")
            if value and value not in dict(options):
                options = [*options, (value, self._shown(name, names))]
            found.append(Field(name, FILTERS[name], any_value, options, value))
        return found

    def chips(self, names: Names, period: Period | None) -> list[Chip]:
        chips = [
            Chip(label, self._shown(name, names), self.link(**{name: ""}))
            for name, label in FILTERS.items()
            if name in self.values
        ]
        if self.has_own_period and period:
            chips.insert(0, Chip("Period", period.text, self.link(**{"from": "", "to": ""})))
        return chips

    @property
    def clear_link(self) -> str:
        return self.link(**dict.fromkeys(FILTERS, ""), **{"from": "", "to": ""})

    def _shown(self, name: str, names: Names) -> str:
        value = self.values[name]
        if name == "channel":
            return str(Channel(value).label) if value in Channel.values else value
        return names.agent(value) if name == "agentConfigId" else names.campaign(value)
