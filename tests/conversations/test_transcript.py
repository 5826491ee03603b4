"""A transcript of whatever lies in the store."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from conversations.transcript import Day, changes_of, days_of, duration, lines_of, stages_of

NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)


def said(content: str = "Hello", *, role: str = "lead", minutes: float = 0, **more: Any) -> dict[str, Any]:
    moment = NOON + timedelta(minutes=minutes)
    return {"role": role, "content": content, "timestamp": moment.isoformat().replace("+00:00", "Z"), **more}


def event(action: str, minutes: float = 0, **metadata: Any) -> SimpleNamespace:
    return SimpleNamespace(
        action=f"conversation.{action}",
        timestamp=NOON + timedelta(minutes=minutes),
        actor_name="Alice",
        metadata=metadata,
    )


def outline(days: list[Day]) -> list[str]:
    """The thread in words."""
    told = []
    for day in days:
        told.append(f"day {day.date} {day.gap}".strip())
        for item in day.items:
            [(kind, value)] = item.items()
            if kind == "run":
                value = f"{value.speaker} {len(value.lines)}"
            elif kind == "change":
                value = value.text
            elif kind == "damaged":
                value = value.number
            told.append(f"{kind} {value}")
    return told


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        5,
        "text",
        [],
        {},
        {"role": "lead"},
        {"content": "x"},
        {"role": 7, "content": "x"},
        {"role": "lead", "content": ["x"]},
    ],
)
def test_a_damaged_message_is_a_line_that_says_so(damaged: object) -> None:
    assert outline(days_of(lines_of([said(), damaged, said(minutes=1)]))) == [
        "day 2026-03-12",
        "run Lead 1",
        "damaged 2",
        "run Lead 1",
    ]


@pytest.mark.parametrize("messages", [None, {}, 5, "text"])
def test_messages_that_are_no_list_are_one_damaged_line(messages: object) -> None:
    assert outline(days_of(lines_of(messages))) == ["day None", "damaged 1"]


@pytest.mark.parametrize("timestamp", [None, 17, "yesterday", "", "9999-99-99T00:00:00Z"])
def test_a_message_without_a_readable_time_is_still_read(timestamp: object) -> None:
    [line] = lines_of([{"role": "lead", "content": "Hello", "timestamp": timestamp}])
    assert (line.html, line.moment, line.is_damaged) == ("Hello", None, False)


def test_an_unknown_role_is_an_unknown_sender() -> None:
    [day] = days_of(lines_of([said(role="bot")]))
    assert (day.items[0]["run"].speaker, day.items[0]["run"].side) == ("Unknown sender", "middle")


def test_consecutive_messages_of_one_speaker_share_a_run() -> None:
    messages = [said(), said(minutes=1), said(role="agent", minutes=2), said(role="human", minutes=3), said(minutes=4)]
    assert outline(days_of(lines_of(messages)))[1:] == [
        "run Lead 2",
        "run AI agent 1",
        "run Sales team 1",
        "run Lead 1",
    ]


def test_another_agent_begins_a_run() -> None:
    messages = [said(role="agent", agentConfigId="a" * 24), said(role="agent", agentConfigId="b" * 24)]
    assert outline(days_of(lines_of(messages)))[1:] == ["run AI agent 1", "run AI agent 1"]


def test_the_lead_is_on_one_side_and_all_of_us_on_the_other() -> None:
    messages = [said(role=role) for role in ("lead", "agent", "human", "system")]
    [day] = days_of(lines_of(messages))
    assert [item["run"].side for item in day.items] == ["lead", "ours", "ours", "middle"]


def test_an_hour_of_silence_is_told() -> None:
    messages = [said(), said(minutes=59), said(minutes=59 + 185)]
    assert outline(days_of(lines_of(messages)))[1:] == ["run Lead 2", "gap 3 hours later", "run Lead 1"]


def test_a_new_day_is_a_divider_that_tells_the_silence() -> None:
    messages = [said(), said(minutes=3 * 24 * 60)]
    assert outline(days_of(lines_of(messages))) == [
        "day 2026-03-12",
        "run Lead 1",
        "day 2026-03-15 3 days later",
        "run Lead 1",
    ]


def test_days_are_those_of_the_readers_zone() -> None:
    from zoneinfo import ZoneInfo

    from django.utils import timezone

    with timezone.override(ZoneInfo("Pacific/Auckland")):
        [day] = days_of(lines_of([said()]))
    assert day.date == date(2026, 3, 13)


def test_a_change_stands_between_the_messages_around_it() -> None:
    changes = changes_of([event("status_changed", 1, **{"from": "active", "to": "handed_off", "reason": "a discount"})])
    days = days_of(lines_of([said(), said(minutes=2)]), changes)
    assert outline(days)[1:] == ["run Lead 1", "change Status: Handed off", "run Lead 1"]
    assert (changes[0].by, changes[0].reason, changes[0].anchor) == ("Alice", "a discount", "e-1")


def test_changes_after_the_last_message_are_at_the_end() -> None:
    changes = changes_of([event("details_updated", 5, qualified={"from": None, "to": True})])
    assert outline(days_of(lines_of([said()]), changes))[-1] == "change Qualified"
    assert outline(days_of([], changes)) == ["day 2026-03-12", "change Qualified"]


def test_other_details_are_no_lines() -> None:
    assert (
        changes_of([event("details_updated", summary={"from": "", "to": "x"}, lead_email={"from": "", "to": "a@b.co"})])
        == []
    )


@pytest.mark.parametrize("metadata", [None, [], {"to": None}, {"current_stage_name": 5}])
def test_damaged_entries_do_not_take_the_transcript_down(metadata: Any) -> None:
    entry = event("status_changed")
    entry.metadata = metadata
    changes_of([entry])
    entry.action = "conversation.details_updated"
    changes_of([entry])


def test_the_rail_tells_each_stage_and_how_long_it_lasted() -> None:
    changes = changes_of(
        [
            event("details_updated", 4, current_stage_name={"from": "Greeting", "to": "Needs"}),
            event("details_updated", 15, current_stage_name={"from": "Needs", "to": "Pricing"}),
        ]
    )
    stages = stages_of(changes, current="Pricing", began=NOON, until=NOON + timedelta(hours=3))
    assert [(stage.name, stage.lasted, stage.anchor, stage.is_current) for stage in stages] == [
        ("Greeting", "4 minutes", "", False),
        ("Needs", "11 minutes", "e-1", False),
        ("Pricing", "2 hours", "e-2", True),
    ]


def test_without_recorded_changes_the_rail_is_the_current_stage() -> None:
    [stage] = stages_of([], current="Pricing", began=NOON, until=NOON + timedelta(days=2))
    assert (stage.name, stage.lasted, stage.is_current) == ("Pricing", "2 days", True)


def test_a_search_marks_the_messages_it_hits() -> None:
    lines = lines_of([said("What is the price?"), said("Hello")], "PRICE")
    assert [line.hit for line in lines] == [True, False]
    assert lines[0].html == "What is the <mark>price</mark>?"


@pytest.mark.parametrize(
    ("length", "told"),
    [
        ({"seconds": 5}, "under a minute"),
        ({"minutes": 1}, "1 minute"),
        ({"hours": 3, "minutes": 59}, "3 hours"),
        ({"days": -1}, "under a minute"),
    ],
)
def test_a_duration_is_told_in_its_largest_unit(length: dict[str, int], told: str) -> None:
    assert duration(timedelta(**length)) == told
