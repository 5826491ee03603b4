"""The conversations that figures are counted from, in statements that are written once."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, cached_property
from typing import Any

from django.db import connection
from django.db.models import CharField, Count, Func

from config.storage.expressions import StoredMoment
from config.storage.prepared import Prepared
from conversations.models import Conversation, ConversationQuerySet, Status
from conversations.models.cells import FILTERS

INDEXED = ("agent", "campaign")
"""Filters that have an index of their own to count along."""

COUNTED_ALONG = {
    "agent": "conversation_of_agent",
    "campaign": "conversation_of_campaign",
    "": "conversation_figures",
}


class Rows:
    """Of an environment's conversations what filters leave. No contact is shown of them."""

    def __init__(self, owner: tuple[str, str], filters: Mapping[str, str]) -> None:
        """``owner``: the ids of account and environment. ``filters``: by the names of ``FILTERS``, none empty."""
        self.owner, self.filters = owner, filters
        self.leading = next((name for name in (*INDEXED, "channel") if name in filters), "")

    def read(self, what: Callable[..., Any], low: datetime, high: datetime, *limit: int) -> list[Any]:
        """The rows of one of the functions below, of what began between two moments."""
        statement = _prepared(what, tuple(self.filters), has_limit=bool(limit))
        return statement(*self.owner, *self.filters.values(), low, high, *limit)

    @cached_property
    def listed(self) -> ConversationQuerySet:
        return self._narrowed(self.leading)

    @cached_property
    def counted(self) -> ConversationQuerySet:
        if self.leading in INDEXED:
            return self.listed.order_by()
        # Every status, so that the index of figures, which begins with it, is the one to read.
        return self._narrowed("").order_by().filter(status__in=Status.values)

    def newest(self, start: datetime, end: datetime, *, status: str = "") -> ConversationQuerySet:
        """What began in that time, the latest first, to be read up to a limit: of one status, or of any."""
        found = self.listed.started_within(start, end).newest_started()
        if status and self.leading and connection.vendor == "sqlite":
            return found.alias(asked_status=plain("status")).filter(asked_status=status)
        return found.filter(status=status) if status else found

    def _narrowed(self, leading: str) -> ConversationQuerySet:
        """By all filters, along the index of ``leading``, if any."""
        account, environment = self.owner
        found: ConversationQuerySet = Conversation.objects.filter(account_id=account, environment=environment)
        for name, value in self.filters.items():
            if connection.vendor == "sqlite" and name != leading:
                # Without statistics it would rather look any of them up in an index than a moment.
                found = found.alias(**{f"asked_{name}": plain(FILTERS[name])}).filter(**{f"asked_{name}": value})
            else:
                found = found.filter(**{FILTERS[name]: value})
        return found


@cache
def _prepared(what: Callable[..., Any], names: tuple[str, ...], *, has_limit: bool) -> Prepared:
    def build(account: str, environment: str, *given: Any) -> Any:
        values, (low, high, *limit) = given[: len(names)], given[len(names) :]
        found = what(Rows((account, environment), dict(zip(names, values, strict=True))), low, high)
        return found[: limit[0]] if has_limit else found

    along = "" if has_limit else COUNTED_ALONG[next((name for name in INDEXED if name in names), "")]
    return Prepared(build, values=2 + len(names), moments=2, has_limit=has_limit, along=along)


def outcomes(rows: Rows, low: datetime, high: datetime) -> Any:
    """Status, qualified, number."""
    return _numbered(rows.counted.started_within(low, high), "status", "qualified")


def all_apart(rows: Rows, low: datetime, high: datetime) -> Any:
    """Status, channel, agent, qualified, stage, number."""
    found = rows.counted.started_within(low, high)
    return _numbered(found, "status", "channel", "agent_config_id", "qualified", "current_stage_index")


def stops(rows: Rows, low: datetime, high: datetime) -> Any:
    """Of the dropped: stage, who wrote last, number."""
    found = rows.counted.started_within(low, high).filter(status=Status.DROPPED)
    return _numbered(found, "current_stage_index", "last_role")


def first_replies(rows: Rows, low: datetime, high: datetime) -> Any:
    """The lead's first message, and the first answer after it, an agent's or a person's."""
    return _moments(rows.newest(low, high), "first_lead_at", "first_reply_at")


def silences(rows: Rows, low: datetime, high: datetime) -> Any:
    """Of the dropped: the lead's last message, and when it was dropped."""
    return _moments(rows.newest(low, high, status=Status.DROPPED), "last_lead_at", "status_changed_at")


def dropped(rows: Rows, low: datetime, high: datetime) -> Any:
    """What ``said.Dropped`` holds, in its order."""
    newest = rows.newest(low, high, status=Status.DROPPED).annotate(start=StoredMoment("created_at"))
    place = ("current_stage_index", "agent_config_id")
    return newest.values_list("pk", "start", "last_role", "last_text", *place, "lead_phone", "lead_email")


def plain(column: str) -> Func:
    """The column, as an expression that no index of SQLite has."""
    return Func(column, template="+%(expressions)s", output_field=CharField())


def _numbered(found: ConversationQuerySet, *names: str) -> Any:
    return found.values_list(*names).annotate(number=Count("*"))


def _moments(newest: ConversationQuerySet, start: str, end: str) -> Any:
    return newest.annotate(start=StoredMoment(start), end=StoredMoment(end)).values_list("start", "end")
