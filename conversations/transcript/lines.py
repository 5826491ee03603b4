"""The messages of a conversation as they are read: whatever lies in the store becomes a line, never an error.

Stored messages may be damaged by hand or by another program. Pure functions over stored data.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from conversations.highlight import hits, linked
from conversations.messages import UNKNOWN_SENDER, Role, parse_moment
from conversations.search import fold

WINDOW_FROM = 600
"""Messages up to which a thread is shown whole."""

WINDOW = 500
"""Messages that are shown of a longer one."""


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


@dataclass(frozen=True)
class Window:
    """The messages that are shown: after the first ``start`` of ``total``, up to number ``end``."""

    start: int
    end: int
    total: int

    @classmethod
    def around(cls, number: int | None, total: int, *, everything: bool = False) -> "Window":
        """All of a short thread; of a long one what is around a message, or its end."""
        if everything or total <= WINDOW_FROM:
            return cls(0, total, total)
        middle = total if number is None else number
        start = max(0, min(middle - WINDOW // 2 - 1, total - WINDOW))
        return cls(start, start + WINDOW, total)

    @property
    def is_whole(self) -> bool:
        return self.end - self.start == self.total

    @property
    def has_later(self) -> bool:
        return self.end < self.total

    @property
    def first(self) -> int:
        """The number of the first message that is shown."""
        return self.start + 1

    @property
    def later_from(self) -> int:
        return self.end + 1


def listed(messages: object) -> list[Any]:
    """Stored messages as a list; what is no list is one damaged message."""
    return messages if isinstance(messages, list) else [None]


def lines_of(messages: object, search: str = "", window: Window | None = None) -> list[Line]:
    """Stored messages in order, those of ``window`` alone, with what ``search`` finds marked."""
    every = listed(messages)
    start, end = (window.start, window.end) if window else (0, len(every))
    return [_line(number, message, search) for number, message in enumerate(every[start:end], start=start + 1)]


def _line(number: int, message: object, search: str) -> Line:
    if not isinstance(message, dict):
        return Line(number, "")
    role, content = message.get("role"), message.get("content")
    if not isinstance(content, str):
        return Line(number, "")
    spans = hits(content, search) if search else []
    agent = message.get("agentConfigId")
    return Line(
        number,
        role if isinstance(role, str) and role else UNKNOWN_SENDER,
        linked(content, spans),
        moment_of(message),
        agent if role == Role.AGENT and isinstance(agent, str) else "",
        bool(spans),
    )


def hits_in(messages: object, search: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The stored messages that ``search`` hits, shown or not, and their numbers."""
    needle = fold(search)
    for number, message in enumerate(listed(messages) if needle else [], start=1):
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, str) and needle in fold(content):
            yield number, message


def numbers_of_hits(messages: object, search: str) -> list[int]:
    return [number for number, _ in hits_in(messages, search)]


def moment_of(message: Mapping[str, Any]) -> datetime | None:
    """When a stored message was written; None when that is not to be read."""
    try:
        return parse_moment(message.get("timestamp"))
    except ValueError:
        return None


def moments_before(messages: object, number: int) -> Iterator[datetime]:
    """When the messages before that number were written, the nearest first, as far as that is known."""
    for message in reversed(listed(messages)[: max(0, number - 1)]):
        moment = moment_of(message) if isinstance(message, dict) else None
        if moment:
            yield moment


def number_after(messages: object, moment: datetime) -> int:
    """The first message written at or after ``moment``; the last one when there is none."""
    every = listed(messages)
    for number, message in enumerate(every, start=1):
        written = moment_of(message) if isinstance(message, dict) else None
        if written and written >= moment:
            return number
    return len(every)
