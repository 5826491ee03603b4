"""The written form of a scenario, and how it is read.

A scenario file is plain text. Before the first ``@ key`` come the file's own headers and lets, shared by all its scenarios.

    @ key                       a scenario begins; then ``name: value`` headers
    let city, desk: Leeds; £190 | Bath; £210      one row is drawn for a conversation
    #2                          from here on the conversation is in stage 2
    A: / L: / H: / S:           a message of the agent, the lead, a human colleague, the system; ``\\n`` breaks a line
    ~ 2d                        the next message comes after a pause (m, h or d)
    $name = text                remember a fact for the summary
    [[ … || … ]]                one of the passages is played
    >label text                 the lead may fall silent here; the text is the summary of that ending
    == completed+ @label        an ending, played after the trunk (or after the trunk up to a label); + and - say qualified
    summary: / reason:          what the agent concluded
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SPEAKERS = {"A": "agent", "L": "lead", "H": "human", "S": "system"}
SPOKEN = re.compile(r"([ALHS]): ?(.*)")
HEADER = re.compile(r"([a-z]+): (.*)")
STOP = re.compile(r">([a-z]+) (.*)")
ENDING = re.compile(r"== (active|completed|handed_off|dropped)([+-]?)(?: @([a-z]+))?$")


@dataclass(frozen=True)
class Step:
    """One line of a script; ``kind`` is a role, or stage, pause, fact, stop, choice."""

    kind: str
    text: str = ""
    label: str = ""
    options: tuple[tuple[Step, ...], ...] = ()


@dataclass
class Ending:
    status: str
    qualified: bool | None = None
    after: str = ""
    steps: list[Step] = field(default_factory=list)
    summary: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Let:
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass
class Scenario:
    key: str
    headers: dict[str, str]
    lets: list[Let]
    trunk: list[Step] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)

    @property
    def stops(self) -> list[Step]:
        return [step for step in self.trunk if step.kind == "stop"]

    def trunk_until(self, label: str) -> list[Step]:
        if not label:
            return self.trunk
        for position, step in enumerate(self.trunk):
            if step.kind == "stop" and step.label == label:
                return self.trunk[:position]
        raise ValueError(f"{self.key}: no stop is called {label}")


def read_scenarios(folder: Path) -> list[Scenario]:
    """Every scenario of every file, in the order of the files' names."""
    return [scenario for path in sorted(folder.glob("*.txt")) for scenario in _read_file(path)]


def _read_file(path: Path) -> Iterator[Scenario]:
    shared, *parts = re.split(r"^@ ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    common = _read_scenario("", shared.splitlines(), {}, [])
    for part in parts:
        key, *lines = part.splitlines()
        yield _read_scenario(key.strip(), lines, dict(common.headers), list(common.lets))


def _read_scenario(key: str, lines: list[str], headers: dict[str, str], lets: list[Let]) -> Scenario:
    scenario = Scenario(key, headers, lets)
    open_lists: list[list[Step]] = [scenario.trunk]
    open_options: list[list[list[Step]]] = []
    for line in filter(str.strip, lines):
        if line == "[[":
            open_options.append([[]])
            open_lists.append(open_options[-1][0])
        elif line == "||":
            open_options[-1].append([])
            open_lists[-1] = open_options[-1][-1]
        elif line == "]]":
            open_lists.pop()
            options = tuple(tuple(option) for option in open_options.pop())
            open_lists[-1].append(Step("choice", options=options))
        elif match := ENDING.match(line):
            status, sign, after = match.groups()
            scenario.endings.append(Ending(status, {"+": True, "-": False}.get(sign), after or ""))
            open_lists = [scenario.endings[-1].steps]
        elif step := _read_step(line):
            open_lists[-1].append(step)
        elif line.startswith("let "):
            scenario.lets.append(_read_let(line.removeprefix("let ")))
        elif match := HEADER.match(line):
            _take_header(scenario, *match.groups())
        else:
            raise ValueError(f"{key}: cannot read {line!r}")
    return scenario


def _read_step(line: str) -> Step | None:
    if match := SPOKEN.match(line):
        return Step(SPEAKERS[match[1]], match[2].replace("\\n", "\n"))
    if match := STOP.match(line):
        return Step("stop", match[2], match[1])
    if line.startswith("#"):
        return Step("stage", line[1:])
    if line.startswith("~ "):
        return Step("pause", line[2:])
    if line.startswith("$"):
        name, text = line[1:].split(" = ", 1)
        return Step("fact", text, name)
    return None


def _read_let(text: str) -> Let:
    names, rows = text.split(": ", 1)
    let = Let(tuple(names.split(", ")), tuple(tuple(row.strip().split("; ")) for row in rows.split(" | ")))
    if any(len(row) != len(let.names) for row in let.rows):
        raise ValueError(f"uneven rows: {text}")
    return let


def _take_header(scenario: Scenario, name: str, value: str) -> None:
    if name == "summary" and scenario.endings:
        scenario.endings[-1].summary = value
    elif name == "reason" and scenario.endings:
        scenario.endings[-1].reason = value
    else:
        scenario.headers[name] = value
