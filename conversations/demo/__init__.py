"""Invented conversations for a first look at the product: the sales agents of one company, and their leads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from .cast import AGENT_NAMES, AGENTS, CAMPAIGN_NAMES, CAMPAIGNS, STAGE_NAMES
from .clock import Timeline, rfc3339
from .people import UTC_OFFSETS, Person, invent_person
from .performance import Performance, Player
from .script import Ending, Scenario, Step, read_scenarios

__all__ = ["AGENT_NAMES", "CAMPAIGN_NAMES", "STAGE_NAMES", "demo_conversations"]

History = list[tuple[datetime, str, dict[str, Any]]]

SUMMARISED = {"active": 0.25, "completed": 1.0, "handed_off": 0.9, "dropped": 0.7}


@dataclass(frozen=True)
class Booking:
    """One conversation to come: which scenario, how it ends, and its place in the whole, from which its id is made."""

    position: int
    environment: str
    scenario: Scenario
    outcome: Ending | Step
    status: str


def demo_conversations(
    *, now: datetime, seed: int = 1, namespace: str = ""
) -> Iterator[tuple[str, dict[str, Any], History]]:
    """Yield (environment, conversation, history): environment "live" or "test"; conversation in the wire's shape.

    The history is what happened to it beside its messages: moment, action and metadata as the audit log has them.
    The same seed and namespace give the same ids whatever the time; the namespace keeps two accounts' ids apart.
    """
    for booking in _bookings(seed):
        identifier = sha256(f"{namespace}\0{seed}\0{booking.position}".encode()).hexdigest()[:24]
        yield booking.environment, *_conversation(booking, identifier, now, Random(f"{seed}/{booking.position}"))


def _bookings(seed: int) -> Iterator[Booking]:
    position = 0
    for scenario in _scenarios():
        rng = Random(f"{seed}/{scenario.key}")
        outcomes = _outcomes(scenario, rng)
        for environment, header in (("live", "count"), ("test", "tests")):
            for _ in range(int(scenario.headers.get(header, "0"))):
                outcome, status = next(outcomes)
                yield Booking(position, environment, scenario, outcome, status)
                position += 1


@cache
def _scenarios() -> list[Scenario]:
    return read_scenarios(Path(__file__).parent / "scenarios")


def _outcomes(scenario: Scenario, rng: Random) -> Iterator[tuple[Ending | Step, str]]:
    """Every ending once before any comes again; each round also breaks off three times where the scenario has stops."""
    while True:
        round_: list[tuple[Ending | Step, str]] = [(ending, ending.status) for ending in scenario.endings]
        if scenario.stops:
            round_ += [(rng.choice(scenario.stops), status) for status in ("active", "active", "dropped")]
        rng.shuffle(round_)
        yield from round_


def _conversation(booking: Booking, identifier: str, now: datetime, rng: Random) -> tuple[dict[str, Any], History]:
    headers = booking.scenario.headers
    channel = rng.choice(headers["channel"].split())
    country = rng.choice(headers["country"].split())
    number = int(headers.get("lead", "").removeprefix("crm-") or 1040 + booking.position)
    person_rng = Random(f"lead {number}") if "person" in headers else rng
    person = invent_person(
        headers["lang"], country, channel, number, person_rng, headers.get("person", ""), headers.get("email", "")
    )
    player = Player(booking.scenario, person, country, rng)
    if isinstance(booking.outcome, Ending):
        played = player.end_with(booking.outcome)
    else:
        played = player.fall_silent(booking.outcome, booking.status)
    times = Timeline(
        played.beats,
        status=played.status,
        channel=channel,
        utc_offset=UTC_OFFSETS[country],
        now=now,
        rng=rng,
        age=timedelta(hours=float(headers["age"])) if "age" in headers else None,
    )
    agent = AGENTS[headers["agent"]]
    conversation: dict[str, Any] = {
        "_id": identifier,
        "leadId": _lead_id(number, booking, rng),
        "agentConfigId": agent,
        "channel": channel,
        "leadPhone": "" if channel == "email" and rng.random() < 0.4 else person.phone,
        "status": played.status,
        "currentStageIndex": played.stage,
        "messages": _messages(played, times, agent),
        "createdAt": rfc3339(times.created),
        "updatedAt": rfc3339(times.updated),
    }
    conversation.update(_optional(booking, played, person, agent, rng))
    return conversation, list(_history(played, times, STAGE_NAMES[agent]))


def _history(played: Performance, times: Timeline, names: list[str]) -> Iterator[tuple[datetime, str, dict[str, Any]]]:
    """Each stage from its first message on; in the end what came of it, and the status."""
    stage = 0
    for beat, moment in zip(played.beats, times.messages, strict=True):
        if beat.stage != stage:
            details = {
                "current_stage_index": {"from": stage, "to": beat.stage},
                "current_stage_name": {"from": names[stage], "to": names[beat.stage]},
            }
            yield moment, "conversation.details_updated", details
            stage = beat.stage
    if played.qualified is not None:
        qualified = {"qualified": {"from": None, "to": played.qualified}}
        yield times.updated, "conversation.details_updated", qualified
    if played.status != "active":
        yield times.updated, "conversation.status_changed", {"from": "active", "to": played.status}


def _lead_id(number: int, booking: Booking, rng: Random) -> str:
    if "lead" in booking.scenario.headers:
        return booking.scenario.headers["lead"]
    if booking.environment == "test":
        return str(booking.position % 9 + 1)
    spelling = rng.choices(("decimal", "crm", "object"), weights=(80, 12, 8))[0]
    if spelling == "crm":
        return f"crm-{number * 7 % 10000:04d}"
    return sha256(f"lead {number}".encode()).hexdigest()[:24] if spelling == "object" else str(number)


def _messages(played: Performance, times: Timeline, agent: str) -> list[dict[str, str]]:
    messages = []
    for beat, moment in zip(played.beats, times.messages, strict=True):
        message = {"role": beat.role, "content": beat.content, "timestamp": rfc3339(moment)}
        messages.append(message | {"agentConfigId": agent} if beat.role == "agent" else message)
    return messages


def _optional(booking: Booking, played: Performance, person: Person, agent: str, rng: Random) -> dict[str, Any]:
    """The fields that are left out when they have no value, in the wire's order."""
    fields: dict[str, Any] = {}
    if rng.random() < 0.65:
        fields["campaignId"] = rng.choice(CAMPAIGNS[booking.scenario.headers["agent"]])[0]
    if person.channel == "email" or "knows" in booking.scenario.headers or rng.random() < 0.3:
        fields["leadEmail"] = person.email
    if rng.random() < 0.92:
        fields["currentStageName"] = STAGE_NAMES[agent][played.stage]
    if played.summary and rng.random() < SUMMARISED[played.status]:
        fields["summary"] = played.summary
    if played.qualified is not None:
        fields["qualificationResult"] = {"qualified": played.qualified, "reason": played.reason}
    return fields
