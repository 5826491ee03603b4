"""The transcript page: its place in the list, the thread, what is looked for, and the conversation as text."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Account, User
from config.storage.moments import now
from conversations.listing.rows import PAGE_SIZE
from conversations.models import Conversation, Note
from tests.conftest import text_of, tight
from tests.conversations.test_pages import LIST
from tests.factories import AGENT, message

Record = Callable[..., Conversation]
MOMENT = datetime(2026, 3, 12, 14, tzinfo=UTC)


def transcript_of(conversation: Conversation) -> str:
    return reverse("conversations:transcript", args=[conversation.pk])


def at(minutes: float) -> str:
    return (MOMENT + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def long_one(record: Record, number: int = 1_000, **more: Any) -> Conversation:
    """Each hundredth message asks for the price."""
    return record(
        messages=[
            message(f"Message {one}{' price' if one % 100 == 0 else ''}", timestamp=at(one))
            for one in range(1, number + 1)
        ],
        **more,
    )


def shown(response: Any) -> list[int]:
    import re

    return [int(number) for number in re.findall(r'id="m-([0-9]+)"', text_of(response))]


def test_a_transcript_tells_the_conversation_and_its_outcome(page: Client, alice: User, record: Record) -> None:
    conversation = record(
        leadId="ana",
        leadEmail="ana@example.com",
        summary="Wants 40 seats.",
        qualificationResult={"qualified": True, "reason": "Budget approved."},
        messages=[message("Hello", role="agent"), message("See https://example.com/x")],
    )
    conversation.change_status("handed_off", by=alice, reason="a discount")
    conversation.update_details({"current_stage_name": "Pricing"}, by=None)
    text = text_of(page.get(transcript_of(conversation)))
    for told in (
        "Wants 40 seats.",
        "Budget approved.",
        "Status: Handed off",
        "a discount",
        "AI agent",
        'id="m-2"',
        'href="#m-2"',
    ):
        assert told in text
    assert 'href="https://example.com/x" dir="ltr" target="_blank" rel="noopener nofollow ugc"' in text
    assert text.count("Pricing") >= 2


def test_a_transcripts_queries_do_not_grow(page: Client, record: Record, django_assert_num_queries: Any) -> None:
    if connection.vendor == "mongodb":
        pytest.skip("counts differ")
    conversation = record(leadId="ana", messages=[message(str(number)) for number in range(50)])
    for _ in range(3):
        record(leadId="ana")
    page.get(f"{transcript_of(conversation)}?search=4")  # whether the search has its index is asked once
    # session, person, membership with its account, conversation, how many the list has (kept), its place in it with the
    # two beside it, what of it was read, changes, notes, names of agents and of campaigns, the lead's others. Whether
    # it is in the list that it was opened from is asked where that leaves something out; and a search asks whether the
    # account is so small that its texts are read.
    for query, number in (
        ("", 14),
        ("?events=0&all=1", 14),
        ("?search=4", 16),
        ("?status=active&sort=createdAt", 15),
    ):
        with django_assert_num_queries(number):
            text = text_of(page.get(f"{transcript_of(conversation)}{query}"))
    assert text.count("/conversations/") > 3


def test_the_leads_other_conversations_are_those_of_this_account_and_environment(
    page: Client, other_account: Account, record: Record
) -> None:
    conversation, other = record(leadId="ana"), record(leadId="ana")
    record(leadId="ana", environment="test")
    record(leadId="ana", account=other_account)
    record(leadId="someone else")
    response = page.get(transcript_of(conversation))
    assert [found.pk for found in response.context["others"]] == [other.pk]


def test_another_accounts_changes_are_not_told(page: Client, record: Record, other_account: Account) -> None:
    from accounts.models import AuditEvent

    conversation = record()
    AuditEvent.objects.log(
        "conversation.status_changed", account=other_account, by=None, resource=conversation, metadata={"to": "dropped"}
    )
    assert "Status: Dropped" not in text_of(page.get(transcript_of(conversation)))


def test_a_transcript_opened_from_a_search_marks_its_hits(page: Client, record: Record) -> None:
    conversation = record(messages=[message("Hello"), message("what is the price?")])
    response = page.get(transcript_of(conversation), {"search": "PRICE"})
    assert "what is the <mark>price</mark>?" in text_of(response)
    assert response.context["find"].numbers == [2]
    assert re.search(r"Back to </span>1 result\s*<", text_of(response))


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "nowhere", "../../etc/passwd", "\x00", "x" * 5000])
def test_times_are_in_the_readers_zone_or_utc(page: Client, record: Record, zone: str) -> None:
    conversation = record(messages=[message("Hello", timestamp="2026-03-12T14:02:11.480Z")])
    page.cookies["timezone"] = zone
    text = text_of(page.get(transcript_of(conversation)))
    assert (">11:02<" if zone.startswith("America") else ">14:02<") in text


# Its place in the list


@pytest.fixture
def three(record: Record) -> list[Conversation]:
    """The latest first; the middle one has been dropped."""
    return [
        record(leadId=str(number), updatedAt=at(-number), status="dropped" if number == 1 else "active", messages=[])
        for number in range(3)
    ]


def beside(response: Any) -> tuple[str, str, int, int]:
    found = response.context["neighbours"]
    return found.previous, found.next, found.position, found.total


def test_the_conversations_before_and_after_are_those_of_the_list(page: Client, three: list[Conversation]) -> None:
    first, middle, last = (one.pk for one in three)
    assert beside(page.get(transcript_of(three[1]))) == (first, last, 2, 3)
    assert beside(page.get(transcript_of(three[0]))) == (None, middle, 1, 3)
    active = {"status": "active"}
    assert beside(page.get(transcript_of(three[0]), active)) == (None, last, 1, 2)
    assert beside(page.get(transcript_of(three[0]), {"sort": "updatedAt"})) == (middle, None, 3, 3)
    assert beside(page.get(transcript_of(three[2]), {"sort": "messageCount", **active}))[2:] in ((1, 2), (2, 2))


def test_links_to_them_carry_the_list(page: Client, three: list[Conversation]) -> None:
    text = text_of(page.get(transcript_of(three[0]), {"status": "active", "search": "555", "find": "x", "at": "3"}))
    assert f'href="{transcript_of(three[2])}?status=active&amp;search=555"' in text
    assert f'href="/conversations/?status=active&amp;search=555#c-{three[0].pk}"' in text
    assert "1 of 2" in text


def test_way_back_leads_to_the_page_of_the_list_with_the_conversation(page: Client, record: Record) -> None:
    for minutes in range(PAGE_SIZE * 2 + 1):
        record(updatedAt=at(minutes))
    first = page.get(LIST).context["page"]
    second = page.get(first.older).context["page"]
    third = page.get(second.older).context["page"]
    for shown, row in ((first, -1), (second, 0), (second, -1), (third, 0)):
        pk = shown.rows[row].conversation.pk
        response = page.get(f"/conversations/{pk}/")
        back = page.get(response.context["back_link"])
        assert [each.conversation.pk for each in back.context["page"].rows] == [
            each.conversation.pk for each in shown.rows
        ]
    # Walking on leaves the page behind that the list was opened at
    walked = page.get(f"{second.rows[-1].link}").context["next_link"]
    assert page.get(walked).context["back_link"] == f"{second.older}#c-{third.rows[0].conversation.pk}"


def test_who_left_the_list_meanwhile_still_has_neighbours(page: Client, three: list[Conversation]) -> None:
    response = page.get(transcript_of(three[1]), {"status": "active"})
    assert beside(response) == (three[0].pk, three[2].pk, 0, 2)
    assert "not in this list" in text_of(response)


@pytest.mark.parametrize(
    "query", [{"channel": "fax"}, {"search": "x" * 101}, {"leadId": "\x00"}, {"createdAfter": "yesterday"}]
)
def test_a_list_that_cannot_be_has_no_neighbours(page: Client, three: list[Conversation], query: Any) -> None:
    response = page.get(transcript_of(three[1]), query)
    assert response.context["neighbours"] is None
    assert "data-next" not in text_of(response)


def test_neighbours_are_of_this_account_and_environment(
    page: Client, three: list[Conversation], other_account: Account, record: Record
) -> None:
    record(environment="test", updatedAt=at(-0.5))
    record(account=other_account, updatedAt=at(-0.5))
    assert beside(page.get(transcript_of(three[0]))) == (None, three[1].pk, 1, 3)


def test_reading_does_not_take_a_conversation_out_of_its_own_list(page: Client, record: Record) -> None:
    conversations = [record() for _ in range(2)]
    Conversation.objects.update(updated_at=now() + timedelta(days=1))
    response = page.get(transcript_of(conversations[0]), {"unread": "true"})
    assert beside(response)[3] == 2
    assert beside(page.get(transcript_of(conversations[1]), {"unread": "true"}))[3] == 1


# The thread


def test_a_run_tells_role_and_name(page: Client, acme: Account, alice: User, record: Record) -> None:
    said = [message("Hi", role="agent"), message("Hello"), message("I take over", role="human")]
    conversation = record(leadEmail="ana@example.com", messages=said)
    acme.agents.get().rename(by=alice, name="Nova")
    text = text_of(page.get(transcript_of(conversation)))
    assert f'AI agent</span> <bdi class="run__name" title="{AGENT}">Nova</bdi>' in text
    assert 'Lead</span> <bdi class="run__name">ana@example.com</bdi>' in text
    assert 'run__role">Sales team</span>' in text


def test_events_can_be_hidden_and_shown_by_link(page: Client, alice: User, record: Record) -> None:
    conversation = record()
    conversation.change_status("dropped", by=alice)
    text = text_of(page.get(transcript_of(conversation)))
    assert "Status: Dropped" in text
    assert f'href="{transcript_of(conversation)}?events=0">Hide 1 event</a>' in tight(text)
    text = text_of(page.get(transcript_of(conversation), {"events": "0"}))
    assert "Status: Dropped" not in text
    assert f'href="{transcript_of(conversation)}">Show 1 event</a>' in tight(text)


def test_a_long_thread_opens_at_its_end(page: Client, record: Record) -> None:
    conversation = long_one(record)
    response = page.get(transcript_of(conversation))
    assert shown(response) == list(range(501, 1_001))
    text = text_of(response)
    assert "Load earlier (1–500)" in text
    assert "Load later" not in text
    assert f'href="{transcript_of(conversation)}?at=500#m-500"' in text
    assert f'href="{transcript_of(conversation)}?at=777#m-777"' in text


@pytest.mark.parametrize(("number", "first"), [("1", 1), ("400", 150), ("1000", 501), ("0", 501), ("x", 501)])
def test_a_long_thread_is_shown_around_the_message_asked_for(
    page: Client, record: Record, number: str, first: int
) -> None:
    response = page.get(transcript_of(long_one(record)), {"at": number})
    assert shown(response) == list(range(first, first + 500))
    assert ("Load later" in text_of(response)) == (first < 501)


def test_everything_is_shown_to_who_asks_for_it(page: Client, record: Record) -> None:
    assert len(shown(page.get(transcript_of(long_one(record)), {"all": "1"}))) == 1_000
    assert len(shown(page.get(transcript_of(long_one(record, 600))))) == 600


def test_what_happened_outside_of_the_window_is_not_on_the_page(page: Client, alice: User, record: Record) -> None:
    from accounts.models import AuditEvent

    conversation = long_one(record, currentStageName="Greeting")
    conversation.update_details({"current_stage_name": "Needs"}, by=None)
    AuditEvent.objects.filter(action="conversation.details_updated").update(timestamp=MOMENT + timedelta(minutes=300))
    note = Note.objects.write(conversation, "Call them", by=alice)
    Note.objects.filter(pk=note.pk).update(created_at=MOMENT + timedelta(minutes=301))
    end = text_of(page.get(transcript_of(conversation)))
    assert 'id="e-1"' not in end
    assert "Call them" not in end
    assert f'href="{transcript_of(conversation)}?at=300#e-1"' in end, "the rail leads there"
    there = text_of(page.get(transcript_of(conversation), {"at": "300"}))
    assert 'id="e-1"' in there
    assert "Call them" in there


# Looking for something


def test_a_find_is_independent_of_the_lists_search(page: Client, record: Record) -> None:
    conversation = record(messages=[message("the price"), message("the offer"), message("an offer")])
    response = page.get(transcript_of(conversation), {"search": "price", "find": "OFFER"})
    assert response.context["find"].numbers == [2, 3]
    text = text_of(response)
    assert "the <mark>offer</mark>" in text
    assert "<mark>price" not in text
    assert ">1 of 2</a>" in tight(text)
    assert f'href="{transcript_of(conversation)}?search=price&amp;find=OFFER&amp;at=3#m-3"' in text
    nothing = page.get(transcript_of(conversation), {"search": "price", "find": ""})
    assert "<mark>" not in text_of(nothing)
    assert "find=&amp;events" in text_of(nothing) or "find=" in text_of(nothing)


def test_hits_outside_of_the_window_are_counted_and_reached(page: Client, record: Record) -> None:
    conversation = long_one(record)
    response = page.get(transcript_of(conversation), {"find": "price"})
    assert shown(response) == list(range(1, 501)), "around the first hit"
    text = text_of(response)
    assert ">1 of 10</a>" in tight(text)
    assert f'href="{transcript_of(conversation)}?find=price&amp;at=1000#m-1000"' in text, "the one before the first"
    response = page.get(transcript_of(conversation), {"find": "price", "at": "900"})
    assert ">9 of 10</a>" in tight(text_of(response))


def test_what_is_found_nowhere_is_told(page: Client, record: Record) -> None:
    conversation = record(leadEmail="ana@example.com")
    assert ">none</span>" in tight(text_of(page.get(transcript_of(conversation), {"find": "zebra"})))
    assert ">in lead</span>" in tight(text_of(page.get(transcript_of(conversation), {"find": "ana@"})))


# The panes


def test_the_rail_has_the_agents_stages(page: Client, acme: Account, alice: User, record: Record) -> None:
    conversation = record(currentStageIndex=1)
    acme.agents.get().rename(by=alice, stages=["Greeting", "Needs", "Closing"])
    response = page.get(transcript_of(conversation))
    assert [(stage.name, stage.state) for stage, _ in response.context["stages"]] == [
        ("Greeting", "passed"),
        ("Needs", "current"),
        ("Closing", "ahead"),
    ]
    assert "(2/3)" in text_of(response)


def test_a_summary_tells_when_it_was_written_if_the_log_knows(page: Client, record: Record) -> None:
    conversation = record(summary="Wants 40 seats.", messages=[message("a")])
    text = text_of(page.get(transcript_of(conversation)))
    assert "Written by AI" in text
    assert "older than" not in text
    conversation.update_details({"summary": "Wants 50 seats."}, by=None)
    conversation.append([message("b", timestamp="2099-01-01T00:00:00.000Z")], by=None)
    assert "older than the last message" in text_of(page.get(transcript_of(conversation)))


def test_more_conversations_of_a_lead_than_shown_are_a_list(page: Client, record: Record) -> None:
    first = record(leadId="ana & co")
    for _ in range(11):
        record(leadId="ana & co")
    response = page.get(transcript_of(first))
    assert len(response.context["others"]) == 10
    assert "/conversations/?leadId=ana%20%26%20co" in text_of(response)
    assert "All conversations of this lead" in text_of(response)


# As text


def test_a_conversation_as_text(page: Client, alice: User, acme: Account, record: Record) -> None:
    conversation = record(
        leadEmail="ana@example.com",
        summary="Wants 40 seats.",
        messages=[message("Hi <b>", role="agent"), message("Price?", timestamp="2026-03-13T09:00:00.000Z")],
    )
    acme.agents.get().rename(by=alice, name="Nova")
    conversation.change_status("dropped", by=alice, reason="gone")
    Note.objects.write(conversation, "secret", by=alice)
    response = page.get(reverse("conversations:text", args=[conversation.pk]))
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == f'inline; filename="conversation-{conversation.pk}.txt"'
    text = text_of(response)
    for told in (
        "E-mail: ana@example.com",
        "Summary (by AI): Wants 40 seats.",
        "== Thursday 12 March 2026 ==",
        "[14:02] AI agent (Nova): Hi <b>",
        "[09:00] Lead: Price?",
        "-- Status: Dropped by Alice (gone)",
    ):
        assert told in text
    assert "secret" not in text


def test_the_text_of_another_account_is_not_found(page: Client, other_account: Account, record: Record) -> None:
    theirs = record(account=other_account)
    for pk in (theirs.pk, record(environment="test").pk, "0" * 24, "x"):
        assert page.get(reverse("conversations:text", args=[pk])).status_code == 404


@pytest.mark.parametrize("messages", [{}, 5, [None, 5], [{"content": "x"}], [{"role": ["lead"], "content": "x"}]])
def test_damaged_messages_are_shown_as_far_as_can_be(page: Client, record: Record, messages: Any) -> None:
    conversation = record()
    Conversation.objects.filter(pk=conversation.pk).update(messages=messages)
    for path in (
        transcript_of(conversation),
        f"{transcript_of(conversation)}?find=x&at=1&all=1",
        reverse("conversations:text", args=[conversation.pk]),
    ):
        text = text_of(page.get(path))
        assert "Damaged message" in text or "Unknown sender" in text


def test_without_messages_no_link_leads_to_the_latest(page: Client, record: Record) -> None:
    empty, full = record(messages=[]), record()
    assert "Latest</a>" not in text_of(page.get(transcript_of(empty)))
    assert re.search(r'<a href="#m-[1-9]">Latest</a>', text_of(page.get(transcript_of(full))))
