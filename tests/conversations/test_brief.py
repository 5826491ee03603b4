"""The hand-off brief: what the person who takes over has to know, and no more of contacts than they may see."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, User
from accounts.scopes import Role
from config.storage.moments import format_moment, now
from conversations.models import Conversation, Note
from conversations.transcript.brief import question_of, unanswered
from tests.conftest import client_of, statements, text_of, tight
from tests.factories import message

Record = Callable[..., Conversation]


def brief_of(conversation: Conversation) -> str:
    return reverse("conversations:brief", args=[conversation.pk])


def told(page: Client, conversation: Conversation, query: str = "") -> str:
    return tight(re.sub(r"<[^>]+>", " ", text_of(page.get(f"{brief_of(conversation)}{query}")).partition("<main")[2]))


def ago(**spans: float) -> str:
    return format_moment(now() - timedelta(**spans))


def test_another_accounts_brief_is_not_there(page: Client, record: Record, other_account: Account) -> None:
    assert page.get(brief_of(record(account=other_account))).status_code == 404
    assert page.get(brief_of(record(environment="test"))).status_code == 404
    assert page.post(brief_of(record())).status_code == 405


def test_it_tells_who_what_why_and_what_is_waited_for(page: Client, alice: User, record: Record) -> None:
    said = [message(f"Word {number}", role="agent", timestamp=ago(hours=9 - number)) for number in range(4)]
    said += [
        message("Is VAT included?", timestamp=ago(hours=3)),
        message("Hello? We are 40 people.", timestamp=ago(hours=2)),
        message("I wait.", timestamp=ago(hours=1)),
    ]
    conversation = record(
        leadEmail="ana@example.com",
        leadPhone="+55 11 98888-0123",
        summary="Wants 40 seats.",
        qualificationResult={"qualified": True, "reason": "Budget approved."},
        currentStageName="Pricing",
        messages=said,
    )
    conversation.change_status("handed_off", by=alice, reason="wants a discount")
    Note.objects.write(conversation, "Internal word", by=alice)
    text = told(page, conversation)
    for fact in (
        "ana@example.com", "+55 11 98888-0123", "Handed off", "Pricing", "Wants 40 seats.", "Qualified",
        "Budget approved.", "wants a discount", "The lead has been waiting for 3 hours", "3 messages have no answer",
        "The last 5 of 7 messages", "AI agent",
    ):  # fmt: skip
        assert fact in text, fact
    waits = text.partition("What the lead waits for")[2].partition("Why it was handed off")[0]
    assert "Hello? We are 40 people." in waits
    assert "I wait." not in waits
    assert "Word 1" not in text
    assert "Word 2" in text
    assert "Internal word" not in text
    # White space around it would be shown
    assert text_of(page.get(brief_of(conversation))).count(">Hello? We are 40 people.</div>") == 2


@pytest.mark.parametrize(
    ("roles", "waiting", "said"),
    [
        ([], [], "Nobody has written yet."),
        (["lead", "agent"], [], "The lead is not waiting"),
        (["lead", "human", "system"], [], "The lead is not waiting"),
        (["agent", "lead", "system"], [2], "The lead has been waiting"),
        (["lead", "lead"], [1, 2], "The lead has been waiting"),
    ],
)
def test_the_lead_waits_until_an_agent_or_a_person_writes(
    page: Client, record: Record, roles: list[str], waiting: list[int], said: str
) -> None:
    conversation = record(messages=[message("x", role=role) for role in roles])
    assert unanswered(conversation.messages) == waiting
    assert said in told(page, conversation)


def test_the_question_is_the_last_one_that_was_asked() -> None:
    asked = [message("How much?"), message("Any news?"), message("Thanks")]
    assert question_of(asked, [1, 2, 3]) == 2
    assert question_of([message("كم السعر؟"), message("شكرا")], [1, 2]) == 1
    assert question_of([message("Hello"), message("Bye")], [1, 2]) == 2
    assert question_of(asked, []) == 0


@pytest.mark.parametrize("damaged", [None, "x", [None, 7, {"role": "lead"}, {"role": ["lead"], "content": 1}]])
def test_damaged_messages_are_told_as_such(page: Client, record: Record, damaged: Any) -> None:
    conversation = record()
    Conversation.objects.filter(pk=conversation.pk).update(messages=damaged if isinstance(damaged, list) else [damaged])
    assert "Damaged message" in told(page, conversation)


def test_markup_of_a_lead_is_text(page: Client, record: Record) -> None:
    conversation = record(summary="<b>1</b>", messages=[message("<script>alert(1)</script>?")])
    html = text_of(page.get(brief_of(conversation)))
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;") == 2
    assert "&lt;b&gt;" in html


def test_contacts_are_masked_for_who_sees_them_so_until_they_are_revealed(
    acme: Account, alice: User, bob: User, record: Record
) -> None:
    acme.mask_roles([Role.OPERATOR], by=alice)
    conversation = record(
        leadEmail="ana@example.com",
        leadPhone="+55 11 98888-0123",
        summary="Mail ana@example.com",
        messages=[message("I am ana@example.com, call +55 11 98888-0123?")],
    )
    conversation.change_status("handed_off", by=alice, reason="call +55 11 98888-0123")
    browser = client_of(bob)
    html = text_of(browser.get(brief_of(conversation)))
    for secret in ("ana@example.com", "98888"):
        assert secret not in html
    assert "Your role sees contacts masked" in html
    browser.post(reverse("conversations:reveal", args=[conversation.pk]))
    assert html.count("<h2") == text_of(browser.get(brief_of(conversation))).count("<h2")
    assert "ana@example.com" in told(browser, conversation)


def test_transcript_and_brief_lead_to_each_other(page: Client, record: Record) -> None:
    conversation = record()
    html = text_of(page.get(f"/conversations/{conversation.pk}/?status=active"))
    assert f'href="{brief_of(conversation)}?status=active"' in html
    html = text_of(page.get(f"{brief_of(conversation)}?status=active"))
    assert f'href="/conversations/{conversation.pk}/?status=active#lead"' in html
    assert f'href="/conversations/{conversation.pk}/?status=active&amp;at=2#m-2"' in html


def test_it_takes_few_statements_however_long_the_conversation(page: Client, record: Record) -> None:
    conversation = record(messages=[message("x")] * 900)
    page.get(brief_of(conversation))
    with statements(8):
        page.get(brief_of(conversation))
