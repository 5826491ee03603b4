"""What happened to a conversation beside its messages, by the audit log; and the stages that follow from it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from accounts.vocabulary import reason
from config.formats import grouped
from conversations.models import Status
from conversations.names import Names, StageName, stage_number

TIMELINE_ACTIONS = ("conversation.status_changed", "conversation.details_updated")
VERDICTS = {True: gettext_lazy("Qualified"), False: gettext_lazy("Not qualified")}


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
class Stage:
    """A step of the rail: how long the conversation stayed as far as that is known, and what in the thread began it."""

    name: str
    state: str
    lasted: str = ""
    change: Change | None = None
    is_first: bool = False

    @property
    def is_current(self) -> bool:
        return self.state == "current"


@dataclass(frozen=True)
class Visit:
    name: str
    change: Change | None
    began: datetime
    ended: datetime


def changes_of(events: Iterable[Any], names: Names | None = None, agent: str = "") -> list[Change]:
    """Audit entries of one conversation, oldest first, as the lines a reader wants.

    Stages that an entry tells by their index alone have the names that ``agent`` gives them.
    """
    teller = Teller(names, agent)
    changes: list[Change] = []
    for event in events:
        metadata = event.metadata if isinstance(event.metadata, dict) else {}
        told = teller.status if event.action == "conversation.status_changed" else teller.details
        for kind, text, more in told(metadata):
            anchor = f"e-{len(changes) + 1}"
            changes.append(Change(kind, text, event.timestamp, by=event.actor_name, anchor=anchor, **more))
    return changes


Told = Iterator[tuple[str, str, dict[str, str]]]
"""The kind of each change that an entry tells of, its text, and what else is known of it."""


@dataclass(frozen=True)
class Teller:
    """Puts entries into words, under the names that people know."""

    names: Names | None
    agent: str

    def status(self, metadata: Mapping[str, Any]) -> Told:
        status, why = metadata.get("to"), metadata.get("reason")
        more = {"reason": reason(why)} if isinstance(why, str) else {}
        yield "status", _("Status: %s") % _label(status), more

    def details(self, metadata: Mapping[str, Any]) -> Told:
        changed = {name: one for name, one in metadata.items() if isinstance(one, dict) and "to" in one}
        named, index = changed.get("current_stage_name", {}), changed.get("current_stage_index", {})
        if named.get("to") or index:
            name = str(named.get("to") or self._stage(index["to"]))
            before = named.get("from") or (self._stage(index["from"]) if "from" in index else "")
            yield "stage", name, {"before": str(before)}
        if "qualified" in changed:
            yield "qualified", str(VERDICTS.get(changed["qualified"]["to"]) or _("Qualification open")), {}
        if "agent_config_id" in changed and self.names:
            yield "agent", _("Agent: %s") % _from_to(changed["agent_config_id"], self.names.agent), {}
        if "campaign_id" in changed and self.names:
            yield "campaign", _("Campaign: %s") % _from_to(changed["campaign_id"], self.names.campaign), {}

    def _stage(self, index: object) -> str:
        known = self.names.agents.get(self.agent) if self.names else None
        named = known.stage_name(index) if known and isinstance(index, int) and index >= 0 else ""
        return named or (stage_number(index) if isinstance(index, int) else str(index))


def _label(status: object) -> str:
    return str(Status(status).label) if isinstance(status, str) and status in Status.values else str(status)


def _from_to(change: Mapping[str, Any], name: Callable[[str], str]) -> str:
    old, new = (str(change.get(side) or "") for side in ("from", "to"))
    none = pgettext("instead of a name", "none")
    return f"{name(old) if old else none} → {name(new) if new else none}"


def last_told(events: Sequence[Any], field: str) -> datetime | None:
    """When the log last tells of a change of that detail."""
    for event in reversed(events):
        if isinstance(event.metadata, dict) and field in event.metadata:
            moment: datetime = event.timestamp
            return moment
    return None


def stages_of(
    changes: Sequence[Change], *, current: StageName, known: Sequence[str] = (), began: datetime, until: datetime
) -> list[Stage]:
    """The rail: the agent's stages where they are ``known``, else those passed through, as far as the log tells."""
    visits = _visits(changes, current.name, began, until)
    if not current.total:
        return [_stage(visit.name, "current" if visit is visits[-1] else "passed", [visit], visits) for visit in visits]
    rail = []
    for number, given in enumerate(known, start=1):
        name = given or stage_number(number - 1)
        state = "current" if number == current.number else "passed" if number < current.number else "ahead"
        rail.append(_stage(name, state, [one for one in visits if one.name == name], visits))
    return rail


def _visits(changes: Sequence[Change], current: str, began: datetime, until: datetime) -> list[Visit]:
    steps = [change for change in changes if change.kind == "stage"]
    if not steps:
        return [Visit(current, None, began, until)]
    ends = [*(step.moment for step in steps[1:]), until]
    first = [Visit(steps[0].before, None, began, steps[0].moment)] if steps[0].before else []
    later = [Visit(step.text, step, step.moment, end) for step, end in zip(steps, ends, strict=True)]
    if later[-1].name != current:  # changed by a recording, of which the log tells no stage
        later.append(Visit(current, None, until, until))
    return first + later


def _stage(name: str, state: str, mine: Sequence[Visit], visits: Sequence[Visit]) -> Stage:
    # Of a single visit nobody recorded when it began.
    spent = sum((visit.ended - visit.began for visit in mine), timedelta()) if len(visits) > 1 else timedelta()
    change = next((visit.change for visit in reversed(mine) if visit.change), None)
    is_first = bool(mine) and mine[0] is visits[0] and len(visits) > 1 and change is None
    return Stage(name, state, duration(spent) if spent else "", change, is_first)


def duration(length: timedelta) -> str:
    """A length of time in its largest unit: ``3 hours``."""
    seconds = max(0, int(length.total_seconds()))
    if days := seconds // 86_400:
        return ngettext("%s day", "%s days", days) % grouped(days)
    if hours := seconds // 3_600:
        return ngettext("%s hour", "%s hours", hours) % hours
    if minutes := seconds // 60:
        return ngettext("%s minute", "%s minutes", minutes) % minutes
    return _("under a minute")
