"""Figures of days and half hours, kept up to date by the database (``config.storage.cells``). Nothing here writes them.

A conversation is counted by the moment it began, as it stands. ``narrowed`` is nothing, or one filter of analytics;
``divided`` is nothing, or what a row of one of its tables is about. Both are written as ``channel:email``. Cells of
pairs are narrowed by two filters, and divided by all at once.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from django.db import models

from accounts.models import Account, Owned, OwnedQuerySet
from config.storage.cells import Cells
from config.storage.pieces import Number
from conversations.messages import Role
from conversations.models.conversation import Conversation
from conversations.models.lead import Lead
from conversations.models.naming import MAX_STAGES
from conversations.models.queries import CLOSED_STATUSES, Status

DAY = 86_400
HALF_HOUR = 1_800

LAST_STAGE = MAX_STAGES - 1
"""The stage that holds those beyond it too: it is the last that can be asked for."""

FILTERS = {"channel": "channel", "agent": "agent_config_id", "campaign": "campaign_id"}

_EACH = [f"{name}:{{{column}}}" for name, column in FILTERS.items()]
_NARROWED = ["", *_EACH]
_DIVIDED = [*_EACH[:2], "stage:{current_stage_index}"]

_PAIRS = [" ".join(pair) for pair in combinations(_EACH, 2)]
_WHOLE = "{channel} {agent_config_id} {current_stage_index}"

_LIMITS = {"current_stage_index": LAST_STAGE}

_OUTCOMES: dict[str, Number] = {
    **{status.value: {"status": [status.value]} for status in Status},
    "qualified": {"qualified": [True], "status": [status.value for status in CLOSED_STATUSES]},
}
_SAID: dict[str, Number] = {
    "said_yes": {"qualified": [True]},
    "said_no": {"qualified": [False]},
    "completed_yes": {"qualified": [True], "status": [Status.COMPLETED.value]},
}
_DROPPED = {"status": [Status.DROPPED.value]}
_LAST: dict[str, Number] = {f"dropped_after_{role}": {**_DROPPED, "last_role": [role.value]} for role in Role}

_READ = ("account_id", "environment", "created_at", "status", "qualified", *FILTERS.values())
_READ_OF_DAYS = (*_READ, "current_stage_index", "last_role")

_ONLY = {"last_role": _DROPPED}
"""Who wrote last is not counted of the rest: an append to it changes no figure but that of messages."""


def narrowed_by(filters: Mapping[str, str]) -> str:
    """What ``narrowed`` is for these (none, one or two of ``FILTERS``, each with its value)."""
    return " ".join(f"{name}:{filters[name]}" for name in FILTERS if name in filters)


class _Place(Owned):
    is_derived = True  # a backup leaves it out: the database makes it anew

    # No constraint: each change of a conversation would look at its account again.
    account: "models.ForeignKey[Any, Account]" = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="%(class)ss", db_index=False, db_constraint=False
    )
    bin = models.IntegerField()
    narrowed = models.CharField(max_length=64)
    divided = models.CharField(max_length=40)

    objects = models.Manager.from_queryset(OwnedQuerySet[Any])()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.bin} {self.narrowed} {self.divided}"


class _Cell(_Place):
    active = models.BigIntegerField()
    completed = models.BigIntegerField()
    handed_off = models.BigIntegerField()
    dropped = models.BigIntegerField()
    qualified = models.BigIntegerField()
    """Of the finished."""

    class Meta:
        abstract = True


class _Said(models.Model):
    said_yes = models.BigIntegerField()
    """Qualified, whatever the status; and not."""
    said_no = models.BigIntegerField()
    completed_yes = models.BigIntegerField()

    class Meta:
        abstract = True


class _Last(models.Model):
    dropped_after_lead = models.BigIntegerField()
    dropped_after_agent = models.BigIntegerField()
    dropped_after_human = models.BigIntegerField()
    dropped_after_system = models.BigIntegerField()

    class Meta:
        abstract = True


class DayCell(_Said, _Last, _Cell):
    """Days of UTC, by all that the page tells apart. Undivided they are the sum of the channels."""

    class Meta:
        indexes = (
            models.Index(fields=("account", "environment", "narrowed", "bin", "divided"), name="day_cell_place"),
        )


class HalfHourCell(_Said, _Cell):
    """Half hours, undivided: days are their reader's, and begin at another hour, or half of one, in each zone."""

    class Meta:
        indexes = (
            models.Index(fields=("account", "environment", "narrowed", "bin", "divided"), name="half_hour_cell_place"),
        )


class PairDayCell(_Last, _Cell):
    """Days of what two filters leave; ``divided`` is channel, agent and stage, with a space between."""

    class Meta:
        indexes = (
            models.Index(fields=("account", "environment", "narrowed", "bin", "divided"), name="pair_day_cell_place"),
        )


class PairHalfHourCell(_Cell):
    """Half hours of what two filters leave, by channel alone: so they are those of all three filters too."""

    class Meta:
        indexes = (
            models.Index(
                fields=("account", "environment", "narrowed", "bin", "divided"), name="pair_half_hour_cell_place"
            ),
        )


class MessageCell(_Place):
    """Messages of the conversations of half hours. Alone, because an append changes nothing but these."""

    messages = models.BigIntegerField()

    class Meta:
        indexes = (
            models.Index(fields=("account", "environment", "narrowed", "bin", "divided"), name="message_cell_place"),
        )


class LeadFirstCell(_Place):
    """Leads of the half hours in which they first came."""

    leads = models.BigIntegerField()

    class Meta:
        indexes = (
            models.Index(fields=("account", "environment", "narrowed", "bin", "divided"), name="lead_first_cell_place"),
        )


class LeadLastCell(_Place):
    """Leads of the half hours in which they last came."""

    leads = models.BigIntegerField()

    class Meta:
        indexes = (
            models.Index(fields=("account", "environment", "narrowed", "bin", "divided"), name="lead_last_cell_place"),
        )


def kept() -> list[Cells]:
    source = Conversation._meta.db_table
    return [
        Cells(
            source, DayCell._meta.db_table, DAY, _NARROWED, _DIVIDED, {**_OUTCOMES, **_SAID, **_LAST}, _READ_OF_DAYS,
            _ONLY, _LIMITS,
        ),
        Cells(source, HalfHourCell._meta.db_table, HALF_HOUR, _NARROWED, [""], {**_OUTCOMES, **_SAID}, _READ),
        Cells(
            source, PairDayCell._meta.db_table, DAY, _PAIRS, [_WHOLE], {**_OUTCOMES, **_LAST}, _READ_OF_DAYS, _ONLY,
            _LIMITS,
        ),
        Cells(source, PairHalfHourCell._meta.db_table, HALF_HOUR, _PAIRS, ["{channel}"], _OUTCOMES, _READ),
        Cells(
            source, MessageCell._meta.db_table, HALF_HOUR, [""], [""], {"messages": "message_count"},
            ("account_id", "environment", "created_at", "message_count"),
        ),
        *(
            Cells(
                Lead._meta.db_table, table, HALF_HOUR, [""], [""], {"leads": {}},
                ("account_id", "environment", moment), moment=moment,
            )
            for table, moment in ((LeadFirstCell._meta.db_table, "first_at"), (LeadLastCell._meta.db_table, "last_at"))
        ),
    ]  # fmt: skip
