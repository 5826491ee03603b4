"""The state of the audit log's page as it stands in its URL, and what follows from it: filters, chips, links."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.filters import AuditEventFilter, Events
from accounts.ids import short
from accounts.models import Account, ApiKey, AuditEvent
from accounts.page_state import Chip, Field, Options, PageState, Text, chips_of, fields_of
from accounts.parameters import MAX_SKIP
from accounts.vocabulary import ACTIONS, RESOURCES
from config.storage.moments import format_moment

LABELS = {
    "search": _("Search"),
    "action": _("Action"),
    "resourceType": _("About"),
    "actorType": _("By"),
    "actorId": _("Who"),
    "from": _("From"),
    "to": _("To"),
}
"""The API's filters, by the names that the page gives them."""

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PAGE = 50


@dataclass(frozen=True)
class Query(PageState):
    """The filters; links lead to the log's first page."""

    skip: int = 0

    route = "settings:audit"

    @classmethod
    def read(cls, data: Mapping[str, str]) -> "Query":
        skip = str(data.get("skip", ""))
        is_number = skip.isascii() and skip.isdigit() and len(skip) <= 10
        given = {name: str(data[name]).strip() for name in LABELS if data.get(name)}
        values = {name: value for name, value in given.items() if value}
        return cls(values, min(int(skip), MAX_SKIP - PAGE) if is_number else 0)

    @property
    def is_narrow(self) -> bool:
        return bool(self.values)

    @property
    def search(self) -> str:
        return self.values.get("search", "")

    def filterset(self, entries: Events) -> AuditEventFilter:
        """The API's filters, which know moments and no days."""
        return AuditEventFilter({name: moment_of(name, value) for name, value in self.values.items()}, entries)

    @property
    def newer(self) -> str:
        return self.link(skip=str(max(0, self.skip - PAGE) or "")) if self.skip else ""

    @property
    def older(self) -> str:
        return self.link(skip=str(self.skip + PAGE))


def moment_of(name: str, value: str) -> str:
    """A day as the person means it, to its end where it is the last: a moment, as the API wants it."""
    if name not in ("from", "to") or not DAY.fullmatch(value):
        return value
    try:
        start = datetime.combine(date.fromisoformat(value) + timedelta(days=int(name == "to")), time())
        return format_moment(timezone.make_aware(start).astimezone(UTC))
    except (ValueError, OverflowError):
        return value


def actors_of(account: Account, keys: Iterable[ApiKey]) -> Options:
    """Who may have done something: the people of the account, then its keys."""
    people = [membership.user for membership in account.memberships.select_related("user")]
    return [(person.pk, str(person)) for person in people] + [(key.pk, str(key)) for key in keys]


def fields(query: Query, actors: Options) -> list[Field]:
    return fields_of(query, LABELS, _offered(actors), partial(_shown, actors))


def chips(query: Query, actors: Options) -> list[Chip]:
    return chips_of(query, LABELS, partial(_shown, actors))


def _offered(actors: Options) -> list[tuple[str, Text, Options]]:
    return [
        ("action", _("Any action"), [(action, label) for action, (label, _) in ACTIONS.items()]),
        ("resourceType", _("About anything"), list(RESOURCES.items())),
        ("actorId", _("By anybody"), actors),
        ("actorType", _("Any kind of actor"), list(AuditEvent.ActorType.choices)),
    ]


def _shown(actors: Options, name: str, value: str) -> str:
    if name == "search":
        return f"“{value}”"
    words = {field: dict(options) for field, _, options in _offered(actors)}.get(name, {})
    return words.get(value, short(value) if name == "actorId" else value)
