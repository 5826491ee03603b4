"""The ways in which a person may close a conversation, with what each brings about."""

from dataclasses import dataclass

from conversations.models import CLOSED_STATUSES, Status

VERBS = {
    Status.COMPLETED: "Mark completed",
    Status.HANDED_OFF: "Hand off",
    Status.DROPPED: "Mark dropped",
}
CLOSES = {
    Status.COMPLETED: "Closes the conversation: the agent has reached what it was for. It cannot be made active again.",
    Status.HANDED_OFF: "Somebody of the team takes over; the AI stops answering. It cannot be made active again.",
    Status.DROPPED: "Closes the conversation: the lead is lost or gone silent. It cannot be made active again.",
}


@dataclass(frozen=True)
class Way:
    status: str
    verb: str
    consequence: str


def ways_to_close(status: str) -> list[Way]:
    """Those that differ from the present status."""
    return [Way(str(one), VERBS[one], _consequence(status, one)) for one in CLOSED_STATUSES if one != status]


def _consequence(old: str, new: Status) -> str:
    if old == Status.ACTIVE:
        return CLOSES[new]
    was = Status(old).label.lower() if old in Status.values else old
    return f"Corrects how it was closed: it counts as {new.label.lower()}, no longer as {was}. The log keeps both."
