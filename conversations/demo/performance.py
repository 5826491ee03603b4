"""Playing a scenario once: its branches drawn, its slots filled."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from .cast import CITY_COUNTRIES
from .people import Person
from .script import Ending, Scenario, Step
from .style import Handwriting

INNERMOST = re.compile(r"\{([^{}]*)\}")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Beat:
    """One message before it has a time; ``pause`` is a wait the script asks for, ``stage`` where it is said."""

    role: str
    content: str
    pause: timedelta | None = None
    stage: int = 0


@dataclass
class Performance:
    beats: list[Beat] = field(default_factory=list)
    stage: int = 0
    status: str = "active"
    summary: str = ""
    reason: str = ""
    qualified: bool | None = None


def slug(text: str) -> str:
    """The text as a part of a URL: ``Île de Nantes`` → ``ile-de-nantes``."""
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


class Player:
    """Holds what one conversation has decided so far: its slots and its lead's handwriting."""

    def __init__(self, scenario: Scenario, person: Person, country: str, rng: Random) -> None:
        self.scenario = scenario
        self.rng = rng
        self.slots = {**scenario.headers, **person.slots()}
        careful = person.channel == "email" or "person" in scenario.headers
        self.handwriting = Handwriting(scenario.headers["lang"], rng, careful=careful)
        self.played = Performance()
        self.pause: timedelta | None = None
        for let in scenario.lets:
            near = [row for row in let.rows if CITY_COUNTRIES.get(row[0]) == country]
            for name, value in zip(let.names, rng.choice(near or let.rows), strict=True):
                self.slots[name] = self.fill(value)

    def fill(self, text: str) -> str:
        while INNERMOST.search(text):
            text = INNERMOST.sub(self._draw, text)
        return re.sub(r"(?<=\S) {2,}", " ", text).strip()

    def _draw(self, match: re.Match[str]) -> str:
        inner = match[1]
        if inner.startswith("g?"):
            male, female = inner[2:].split("|")
            return male if self.slots["gender"] == "m" else female
        if inner.endswith("^"):
            topic = self.slots[inner.removesuffix("^")]
            return topic[:1].upper() + topic[1:]
        if inner.endswith("~"):
            return slug(self.slots[inner.removesuffix("~")])
        return self.rng.choice(inner.split("|")) if "|" in inner else self.slots[inner]

    def play(self, steps: Iterable[Step]) -> None:
        for step in steps:
            if step.kind == "choice":
                self.play(self.rng.choice(step.options))
            elif step.kind == "stage":
                self.played.stage = int(step.text)
            elif step.kind == "pause":
                self.pause = timedelta(**{UNITS[step.text[-1]]: int(step.text[:-1])})
            elif step.kind == "fact":
                self.slots[step.label] = self.fill(step.text)
            elif step.kind != "stop":
                self._say(step)

    def _say(self, step: Step) -> None:
        content = self.fill(step.text)
        if step.kind == "lead":
            content = self.handwriting.write(content)
        self.played.beats.append(Beat(step.kind, content, self.pause, self.played.stage))
        self.pause = None

    def end_with(self, ending: Ending) -> Performance:
        self.play(self.scenario.trunk_until(ending.after))
        self.play(ending.steps)
        self.played.status, self.played.qualified = ending.status, ending.qualified
        self.played.summary = self.fill(ending.summary)
        self.played.reason = self.fill(ending.reason)
        return self.played

    def fall_silent(self, stop: Step, status: str) -> Performance:
        """The lead stops answering: an open conversation, or one that was given up after a reminder or two."""
        self.play(self.scenario.trunk_until(stop.label))
        if self.played.beats[-1].role == "lead":
            self.play(self._answer_after(stop))
        headers = self.scenario.headers
        if status == "dropped":
            for header, days in (("nudge", (1, 2)), ("farewell", (3, 5)))[: self.rng.choice((1, 2, 2))]:
                self.pause = timedelta(days=self.rng.choice(days), minutes=self.rng.randrange(120))
                self._say(Step("agent", self.rng.choice(headers[header].split(" | "))))
            self.played.summary = self.fill(stop.text)
        self.played.status = status
        return self.played

    def _answer_after(self, stop: Step) -> Iterator[Step]:
        """The agent's next lines: it never leaves a lead without an answer."""
        trunk = self.scenario.trunk
        for step in trunk[trunk.index(stop) + 1 :]:
            if step.kind not in ("agent", "stage", "fact", "system"):
                return
            yield step
