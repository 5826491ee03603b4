"""The hand-off brief: one page for the person who takes a conversation over."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.storage.moments import now
from conversations.messages import Role, speaker_of
from conversations.models import Conversation, Status
from conversations.names import Names
from conversations.transcript.lines import Line, Window, lines_of, listed
from conversations.transcript.page import Reading
from conversations.transcript.timeline import Change, duration

LAST = 5
"""Messages that are shown: the end of the conversation."""

QUESTION_MARKS = "?؟？"


@dataclass(frozen=True)
class Said:
    """A message as the brief shows it."""

    line: Line
    speaker: str
    agent: str
    link: str

    @property
    def is_leads(self) -> bool:
        return self.line.role == Role.LEAD


def brief_of(reading: Reading) -> dict[str, Any]:
    """Who it is, what came of it, what the lead waits for, and how it ended; links lead into the transcript."""
    conversation, address = reading.conversation, reading.address
    facts = reading.facts()
    numbers = unanswered(conversation.messages)
    question = question_of(conversation.messages, numbers)
    waiting = _lines(conversation, numbers[0], numbers[0])[0].moment if numbers else None
    total = len(listed(conversation.messages))
    last = _lines(conversation, max(1, total - LAST + 1), total)
    handed_off = _handed_off(conversation, reading.changes)
    return {
        "conversation": conversation,
        "transcript_link": address.link("lead"),
        "reveal_link": address.link(route="reveal") if conversation.masks_contacts else "",
        "made_at": now(),
        "stage": reading.names.stage(conversation),
        **{name: facts[name] for name in ("agent", "campaign", "phone", "email", "summary_at", "summary_age")},
        "question": _said(_lines(conversation, question, question)[0], reading) if question else None,
        "unanswered": len(numbers),
        "waiting": waiting,
        "waiting_for": _length(waiting),
        "handed_off": handed_off,
        "last": [_said(line, reading) for line in last],
        "total": total,
    }


def unanswered(messages: object) -> list[int]:
    """The numbers of the lead's messages after which neither an agent nor a person wrote."""
    numbers = []
    for number, message in reversed(list(enumerate(listed(messages), start=1))):
        role = message.get("role") if isinstance(message, dict) else None
        if role in (Role.AGENT, Role.HUMAN):
            break
        if role == Role.LEAD:
            numbers.append(number)
    return numbers[::-1]


def question_of(messages: object, numbers: list[int]) -> int:
    """Of these messages the last that asks something, else the last one; 0 where there is none."""
    every = listed(messages)
    for number in reversed(numbers):
        content = every[number - 1].get("content")
        if isinstance(content, str) and any(mark in content for mark in QUESTION_MARKS):
            return number
    return numbers[-1] if numbers else 0


def _handed_off(conversation: Conversation, changes: list[Change]) -> Change | None:
    """Who handed it off, when and why, as long as that is how it stands."""
    if conversation.status != Status.HANDED_OFF:
        return None
    return next((change for change in reversed(changes) if change.kind == "status"), None)


def _lines(conversation: Conversation, first: int, last: int) -> list[Line]:
    return lines_of(conversation.messages, window=Window(first - 1, last, last))


def _said(line: Line, reading: Reading) -> Said:
    names: Names = reading.names
    link = reading.address.link(f"m-{line.number}", at=str(line.number))
    return Said(line, speaker_of(line.role), names.agent(line.agent) if line.agent else "", link)


def _length(since: datetime | None) -> str:
    return duration(now() - since) if since else ""
