"""A conversation as it is read: days, runs of one speaker, the changes between them. Pure functions over stored data.

Stored messages may be damaged by hand or by another program; whatever lies there becomes a line, never an error.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString

from conversations.highlight import hits, linked
from conversations.messages import Role, parse_moment
from conversations.models import Conversation, Status

UNKNOWN_SENDER = "Unknown sender"
GAP = timedelta(hours=1)
TIMELINE_ACTIONS = ("conversation.status_changed", "conversation.details_updated")


@dataclass(frozen=True)
class Change:
    """Something that happened beside the messages: a thin line in the thread, and a step of the stages rail."""

    kind: str
    text: str
    moment: datetime
    by: str = ""
    reason: str = ""
    anchor: str = ""
    before: str = ""


@dataclass(frozen=True)
class Line:
    """One message; ``number`` counts from 1, so that ``#m-<number>`` is its address for good."""

    number: int
    role: str
    html: SafeString | str = ""
    moment: datetime | None = None
    agent: str = ""
    hit: bool = False

    @property
    def is_damaged(self) -> bool:
        return not self.role


@dataclass
class Run:
    """Lines of one speaker, one after the other, under one header."""

    role: str
    agent: str = ""
    lines: list[Line] = field(default_factory=list)

    @property
    def speaker(self) -> str:
        return str(Role(self.role).label) if self.role in Role.values else UNKNOWN_SENDER

    @property
    def side(self) -> str:
        return (
            {Role.LEAD: "lead", Role.SYSTEM: "middle"}.get(Role(self.role), "ours") if self.role in Role else "middle"
        )


@dataclass
class Day:
    """What happened on one day of the reader's zone; None for what stands before the first moment known."""

    date: date | None
    gap: str = ""
    items: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Stage:
    """A step of the rail: how long the conversation stayed, and where in the thread it began."""

    name: str
    anchor: str
    lasted: str
    is_current: bool


def lines_of(messages: object, search: str = "") -> list[Line]:
    """Every stored message in order, those that ``search`` finds marked."""
    if not isinstance(messages, list):
        return [Line(1, "")]
    return [_line(number, message, search) for number, message in enumerate(messages, start=1)]


def _line(number: int, message: object, search: str) -> Line:
    if not isinstance(message, dict):
        return Line(number, "")
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str) or not isinstance(content, str) or not role:
        return Line(number, "")
    spans = hits(content, search) if search else []
    agent = message.get("agentConfigId")
    return Line(
        number,
        role,
        linked(content, spans),
        moment_of(message),
        agent if role == Role.AGENT and isinstance(agent, str) else "",
        bool(spans),
    )


def moment_of(message: Mapping[str, Any]) -> datetime | None:
    """When a stored message was written; None when that is not to be read."""
    try:
        return parse_moment(message.get("timestamp"))
    except ValueError:
        return None


def changes_of(events: Iterable[Any]) -> list[Change]:
    """Audit entries of one conversation, oldest first, as the lines a reader wants."""
    changes: list[Change] = []
    for event in events:
        for kind, text, more in _told(event):
            anchor = f"e-{len(changes) + 1}"
            changes.append(Change(kind, text, event.timestamp, by=event.actor_name, anchor=anchor, **more))
    return changes


def _told(event: Any) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The kind of each change that an entry tells of, its text, and what else is known of it."""
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    if event.action == "conversation.status_changed":
        status, reason = metadata.get("to"), metadata.get("reason")
        label = Status(status).label if status in Status.values else str(status)
        yield "status", f"Status: {label}", {"reason": reason} if isinstance(reason, str) else {}
        return
    new = {name: change["to"] for name, change in metadata.items() if isinstance(change, dict) and "to" in change}
    if new.get("current_stage_name"):
        before = metadata["current_stage_name"].get("from")
        yield "stage", str(new["current_stage_name"]), {"before": str(before or "")}
    elif "current_stage_index" in new:
        before = metadata["current_stage_index"].get("from")
        yield "stage", f"Stage {new['current_stage_index']}", {"before": f"Stage {before}"}
    if "qualified" in new:
        yield "qualified", {True: "Qualified", False: "Not qualified"}.get(new["qualified"], "Qualification open"), {}


def days_of(lines: Sequence[Line], changes: Sequence[Change] = ()) -> list[Day]:
    """Lines and changes in one thread. Messages keep their stored order; a change stands before what came after it."""
    days: list[Day] = []
    waiting = list(changes)
    last: datetime | None = None
    for line in lines:
        while waiting and line.moment and waiting[0].moment <= line.moment:
            change = waiting.pop(0)
            last = _place(days, last, change.moment, {"change": change})
        last = _place(days, last, line.moment, {"line": line})
    for change in waiting:
        last = _place(days, last, change.moment, {"change": change})
    return days


def _place(days: list[Day], last: datetime | None, moment: datetime | None, item: dict[str, Any]) -> datetime | None:
    """Put one item at the end of the thread, under a new day or after a gap; returns the latest moment."""
    gap = duration(moment - last) if moment and last and moment - last >= GAP else ""
    today = timezone.localtime(moment).date() if moment else None
    if not days or (today and today != days[-1].date):
        days.append(Day(today, gap=f"{gap} later" if gap else ""))
    elif gap:
        days[-1].items.append({"gap": f"{gap} later"})
    items = days[-1].items
    line = item.get("line")
    if line is None:
        items.append(item)
    elif line.is_damaged:
        items.append({"damaged": line})
    else:
        run = items[-1].get("run") if items else None
        if run is None or (run.role, run.agent) != (line.role, line.agent):
            run = Run(line.role, line.agent)
            items.append({"run": run})
        run.lines.append(line)
    return moment or last


def stages_of(changes: Sequence[Change], *, current: str, began: datetime, until: datetime) -> list[Stage]:
    """The stages passed through, the current one last, as far as changes were recorded."""
    steps = [change for change in changes if change.kind == "stage"]
    if not steps:
        return [Stage(current, "", duration(until - began), is_current=True)]
    first = steps[0]
    earlier = [Stage(first.before, "", duration(first.moment - began), is_current=False)] if first.before else []
    ends = [*(step.moment for step in steps[1:]), until]
    return earlier + [
        Stage(step.text, step.anchor, duration(end - step.moment), is_current=step is steps[-1])
        for step, end in zip(steps, ends, strict=True)
    ]


def stage_of(conversation: Conversation) -> str:
    """The current stage's name, else its number as the API gives it."""
    return conversation.current_stage_name or f"Stage {conversation.current_stage_index}"


def duration(length: timedelta) -> str:
    """A length of time in its largest unit: ``3 hours``."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            number = seconds // size
            return f"{number:,} {unit}{'s' if number > 1 else ''}"
    return "under a minute"
