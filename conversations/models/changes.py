"""What changes of a conversation set beside the field that somebody changed."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce, Greatest

from conversations.messages import beginning_of

DETAILS = frozenset(
    {
        "agent_config_id",
        "campaign_id",
        "current_stage_index",
        "current_stage_name",
        "lead_email",
        "qualification_reason",
        "qualified",
        "summary",
    }
)

NAMING = frozenset({"agent_config_id", "campaign_id", "current_stage_index", "current_stage_name"})
"""Details that may bring names with them."""


def kept_beginning(new: list[dict[str, Any]]) -> dict[str, Any]:
    """What appending sets of ``first_lead_at`` and ``first_reply_at``, each of which stays once it is there."""
    asked, answered = beginning_of(new).values()
    first_answer = beginning_of(new, is_asked=True)["first_reply_at"]
    values: dict[str, Any] = {}
    if asked:
        values["first_lead_at"] = Coalesce(F("first_lead_at"), Value(asked))
    if first_answer:
        moment = models.DateTimeField()
        reply = Case(
            When(first_lead_at__isnull=False, then=Value(first_answer, moment)),
            default=Value(answered, moment),
            output_field=moment,
        )
        values["first_reply_at"] = Coalesce(F("first_reply_at"), reply)
    return values


def touched(moment: datetime) -> dict[str, Any]:
    """What every change of a stored conversation sets."""
    return {"updated_at": Greatest(F("updated_at"), moment), "revision": F("revision") + 1}
