"""The ways in which a person may close a conversation, with what each brings about."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from conversations.models import CLOSED_STATUSES, Status

VERBS = {
    Status.COMPLETED: _("Mark completed"),
    Status.HANDED_OFF: _("Hand off"),
    Status.DROPPED: _("Mark dropped"),
}
CLOSES = {
    Status.COMPLETED: _(
        "Closes the conversation: the agent has reached what it was for. It cannot be made active again."
    ),
    Status.HANDED_OFF: _("Somebody of the team takes over; the AI stops answering. It cannot be made active again."),
    Status.DROPPED: _("Closes the conversation: the lead is lost or gone silent. It cannot be made active again."),
}


@dataclass(frozen=True)
class Way:
    status: str
    verb: str
    consequence: str


def ways_to_close(status: str) -> list[Way]:
    """Those that differ from the present status."""
    return [Way(str(one), str(VERBS[one]), _consequence(status, one)) for one in CLOSED_STATUSES if one != status]


def _consequence(old: str, new: Status) -> str:
    if old == Status.ACTIVE:
        return str(CLOSES[new])
    was = Status(old).label.lower() if old in Status.values else old
    text = _("Corrects how it was closed: it counts as %(new)s, no longer as %(old)s. The log keeps both.")
    return text % {"new": new.label.lower(), "old": was}
