"""A transcript of whatever lies in the store."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from conversations.models import Agent
from conversations.names import Names, StageName
from conversations.transcript.finding import Find
from conversations.transcript.lines import Window, lines_of, numbers_of_hits
from conversations.transcript.thread import Beside, Day, beside, days_of
from conversations.transcript.timeline import changes_of, duration, last_told, stages_of

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
            elif kind == "note":
                value = value.text
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
        {"role": "lead", "content": ["x"]},
        {"role": "lead", "content": None},
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


@pytest.mark.parametrize("role", ["bot", "", 7, None, ["lead"], "Lead"])
def test_an_unknown_role_is_an_unknown_sender(role: Any) -> None:
    [day] = days_of(lines_of([said(role=role)]))
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
    assert outline(days_of([], list[Beside](changes))) == ["day 2026-03-12", "change Qualified"]


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
    stages = stages_of(changes, current=StageName("Pricing"), began=NOON, until=NOON + timedelta(hours=3))
    assert [(stage.name, stage.lasted, stage.change and stage.change.anchor, stage.state) for stage in stages] == [
        ("Greeting", "4 minutes", None, "passed"),
        ("Needs", "11 minutes", "e-1", "passed"),
        ("Pricing", "2 hours", "e-2", "current"),
    ]
    assert [stage.is_first for stage in stages] == [True, False, False]


def test_the_rail_of_a_known_agent_has_the_stages_to_come_too() -> None:
    changes = changes_of([event("details_updated", 15, current_stage_name={"from": "Greeting", "to": "Pricing"})])
    stages = stages_of(
        changes,
        current=StageName("Pricing", 3, 5),
        known=["Greeting", "Needs", "Pricing", "", "Won"],
        began=NOON,
        until=NOON + timedelta(hours=1),
    )
    assert [(stage.name, stage.state, stage.lasted) for stage in stages] == [
        ("Greeting", "passed", "15 minutes"),
        ("Needs", "passed", ""),
        ("Pricing", "current", "45 minutes"),
        ("Stage 4", "ahead", ""),
        ("Won", "ahead", ""),
    ]


def test_a_stage_without_a_name_is_told_by_its_number_on_the_rail_and_in_the_thread() -> None:
    entry = event("details_updated", 15, current_stage_index={"from": 0, "to": 2})
    nova = Names({NOVA: Agent(agent_config_id=NOVA, stages=["Greeting", "Needs", "", "Won"])}, {})
    changes = changes_of([entry], nova, NOVA)
    stages = stages_of(
        changes,
        current=StageName("Stage 3", 3, 4),
        known=["Greeting", "Needs", "", "Won"],
        began=NOON,
        until=NOON + timedelta(hours=1),
    )
    assert [change.text for change in changes] == ["Stage 3"]
    assert [(stage.name, stage.lasted) for stage in stages][2] == ("Stage 3", "45 minutes")


def test_a_stage_that_was_returned_to_counts_both_times() -> None:
    steps = [("Needs", 5), ("Pricing", 10), ("Needs", 20)]
    changes = changes_of(
        [
            event("details_updated", minutes, current_stage_name={"from": "Greeting", "to": name})
            for name, minutes in steps
        ]
    )
    stages = stages_of(
        changes,
        current=StageName("Needs", 1, 2),
        known=["Needs", "Pricing"],
        began=NOON,
        until=NOON + timedelta(hours=1),
    )
    assert [(stage.name, stage.lasted) for stage in stages] == [("Needs", "45 minutes"), ("Pricing", "10 minutes")]
    assert stages[0].change == changes[2]


def test_a_stage_that_the_log_does_not_know_is_still_current() -> None:
    changes = changes_of([event("details_updated", 4, current_stage_name={"from": "Greeting", "to": "Needs"})])
    stages = stages_of(changes, current=StageName("Closing"), began=NOON, until=NOON + timedelta(hours=1))
    assert [(stage.name, stage.state) for stage in stages] == [
        ("Greeting", "passed"),
        ("Needs", "passed"),
        ("Closing", "current"),
    ]


def test_without_recorded_changes_the_rail_is_the_current_stage() -> None:
    [stage] = stages_of([], current=StageName("Pricing"), began=NOON, until=NOON + timedelta(days=2))
    # When it began is not known.
    assert (stage.name, stage.lasted, stage.is_current) == ("Pricing", "", True)


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


def test_notes_stand_at_their_time_among_changes() -> None:
    changes = changes_of([event("status_changed", 3, to="dropped")])
    notes = [SimpleNamespace(text="call him", created_at=NOON + timedelta(minutes=minutes)) for minutes in (1, 5)]
    lines = lines_of([said(), said(minutes=2), said(minutes=4)])
    assert outline(days_of(lines, beside(changes, notes)))[1:] == [
        "run Lead 1",
        "note call him",
        "run Lead 1",
        "change Status: Dropped",
        "run Lead 1",
        "note call him",
    ]
    within = beside(changes, notes, after=NOON + timedelta(minutes=1), until=NOON + timedelta(minutes=3))
    assert [one.moment for one in within] == [changes[0].moment]


NOVA, ADA = "a" * 24, "b" * 24
NAMES = Names(
    {NOVA: Agent(agent_config_id=NOVA, name="Nova", stages=["Greeting", "Needs"]), ADA: Agent(agent_config_id=ADA)}, {}
)


def test_agents_and_campaigns_that_change_are_told_by_name() -> None:
    entry = event(
        "details_updated",
        agent_config_id={"from": NOVA, "to": ADA},
        campaign_id={"from": None, "to": "c" * 24},
    )
    assert [(change.kind, change.text) for change in changes_of([entry], NAMES, NOVA)] == [
        ("agent", "Agent: Nova → …bbbbbb"),
        ("campaign", "Campaign: none → …cccccc"),
    ]


def test_a_stage_told_by_its_index_has_its_agents_name() -> None:
    [change] = changes_of([event("details_updated", current_stage_index={"from": 0, "to": 1})], NAMES, NOVA)
    assert (change.text, change.before) == ("Needs", "Greeting")
    [change] = changes_of([event("details_updated", current_stage_index={"from": 6, "to": 7})], NAMES, NOVA)
    assert (change.text, change.before) == ("Stage 8", "Stage 7")


def test_when_the_summary_was_last_written_is_in_the_log() -> None:
    events = [event("details_updated", minutes, summary={"from": "", "to": "x"}) for minutes in (1, 2)]
    assert last_told([*events, event("status_changed", 3, to="dropped")], "summary") == NOON + timedelta(minutes=2)
    assert last_told([], "summary") is None


@pytest.mark.parametrize(
    ("at", "total", "shown"),
    [
        (None, 600, (0, 600)),
        (None, 601, (101, 601)),
        (1, 5_000, (0, 500)),
        (2_500, 5_000, (2_249, 2_749)),
        (4_990, 5_000, (4_500, 5_000)),
        (999_999, 5_000, (4_500, 5_000)),
    ],
)
def test_a_long_thread_is_shown_around_a_message(at: int | None, total: int, shown: tuple[int, int]) -> None:
    window = Window.around(at, total)
    assert (window.start, window.end) == shown
    assert at is None or at > total or window.start < at <= window.end
    assert Window.around(at, total, everything=True).is_whole


def test_a_windows_lines_keep_their_numbers() -> None:
    lines = lines_of([said(str(number)) for number in range(10)], window=Window(4, 6, 10))
    assert [(line.number, line.html) for line in lines] == [(5, "4"), (6, "5")]


def test_hits_are_counted_in_the_whole_thread() -> None:
    messages = [said("price"), None, said("no"), {"content": "Price"}, {"content": 7}]
    assert numbers_of_hits(messages, "PRICE") == [1, 4]
    assert numbers_of_hits(messages, "") == numbers_of_hits("text", "x") == []


@pytest.mark.parametrize(("at", "first"), [("", 3), ("3", 3), ("4", 9), ("10", 3)])
def test_a_find_begins_at_the_hit_that_the_address_names(at: str, first: int) -> None:
    from conversations.transcript.address import Address

    address = Address.read(NOVA, {"find": "x", "at": at})
    find = Find("x", [3, 9], address)
    assert (find.first, find.position) == (first, [3, 9].index(first) + 1)
    assert find.next_link.endswith(f"find=x&at={12 - first}#m-{12 - first}")
    assert find.previous_link == find.next_link
    assert Find("x", [], address).position == 0
