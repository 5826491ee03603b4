"""The list of conversations and the transcript, as pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Account, User
from accounts.scopes import Role
from conversations.listing import rows
from conversations.models import Conversation
from tests.conftest import client_of, text_of
from tests.factories import message

Record = Callable[..., Conversation]
LIST = "/conversations/"
DEMO = f"{LIST}demo/"
MOMENT = datetime(2026, 3, 12, 14, tzinfo=UTC)


def names_on(response: Any) -> list[str]:
    return [row.conversation.lead_id for row in response.context["page"].rows]


def tabs_on(response: Any) -> dict[str, int]:
    return {tab.label: tab.count for tab in response.context["tabs"]}


def wire_moment(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def transcript_of(conversation: Conversation) -> str:
    return reverse("conversations:transcript", args=[conversation.pk])


# Refusals


@pytest.mark.parametrize("path", [LIST, f"{LIST}{'a' * 24}/"])
def test_who_is_not_signed_in_is_sent_to_sign_in(db: None, client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"] == f"/login/?next={path}"


@pytest.mark.parametrize("path", [LIST, f"{LIST}{'a' * 24}/"])
def test_a_person_without_membership_is_refused_in_words(db: None, path: str) -> None:
    stranger = User.objects.create_user("stranger@example.com")
    response = client_of(stranger).get(path)
    assert response.status_code == 403
    assert "You belong to no account" in response.content.decode()


def test_a_role_without_the_scope_is_refused(acme: Account) -> None:
    integrator = User.objects.create_user("integrator@example.com")
    acme.memberships.create(user=integrator, roles=[Role.INTEGRATOR])
    response = client_of(integrator).get(LIST)
    text = text_of(response, 403)
    assert "requires: conversations:view" in text
    assert "It takes “Read conversations”, which your roles in <bdi>Acme</bdi> do not allow." in text
    assert ("Go to Parley" in text, "Sign in as somebody else" in text) == (True, True)


@pytest.mark.parametrize("pk", ["a" * 24, "A" * 24, "a" * 23, "x", "%00", "null", "..%2f", '{"$ne":1}', "１" * 24])
def test_an_unknown_or_malformed_id_is_not_found(page: Client, pk: str) -> None:
    assert page.get(f"{LIST}{pk}/").status_code == 404


def test_another_accounts_conversation_is_not_found(page: Client, other_account: Account, record: Record) -> None:
    theirs = record(account=other_account)
    response = page.get(transcript_of(theirs))
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_the_other_environments_conversation_is_not_found(page: Client, record: Record) -> None:
    assert page.get(transcript_of(record(environment="test"))).status_code == 404


def test_pages_answer_to_reading_alone(page: Client) -> None:
    assert page.post(LIST).status_code == 405


# The list


def test_the_list_shows_this_account_and_environment_alone(
    page: Client, other_account: Account, record: Record
) -> None:
    record(leadId="mine")
    record(leadId="testing", environment="test")
    record(leadId="theirs", account=other_account)
    assert names_on(page.get(LIST)) == ["mine"]


def test_an_operator_reads_the_list(bob: User, record: Record) -> None:
    record(leadId="mine")
    assert names_on(client_of(bob).get(LIST)) == ["mine"]


def test_a_row_tells_who_where_how_far_and_what_was_said_last(page: Client, record: Record) -> None:
    record(
        leadEmail="ana@example.com",
        leadPhone="+1 555 010 0001",
        currentStageName="Pricing",
        status="handed_off",
        qualificationResult={"qualified": True, "reason": "Budget"},
        messages=[message("Hello", role="agent"), message("Is VAT\n included?")],
    )
    text = text_of(page.get(LIST))
    for told in (
        "ana@example.com",
        "+1 555 010 0001",
        "WhatsApp",
        "Handed off",
        "Pricing",
        "Qualified",
        "Is VAT included?",
    ):
        assert told in text
    assert "2 messages" in text
    assert "<time datetime=" in text


def test_queries_do_not_grow_with_rows(page: Client, record: Record, django_assert_num_queries: Any) -> None:
    for _ in range(3):
        record()
    # session, person, membership, agents, campaigns, last look, news, saved views, counts, rows, what is read; and a
    # search asks for its index, for how many there may be, and is walked to where they are few
    page.get(f"{LIST}?search=price")  # a process looks once what the index consists of
    for path in (LIST, f"{LIST}?status=active", f"{LIST}?search=price", f"{LIST}?channel=whatsapp"):
        if connection.vendor == "mongodb":
            page.get(path)
            continue
        with django_assert_num_queries(11 + 3 * ("search" in path)) as queries:
            response = page.get(path)
        assert len(names_on(response)) == 3
        columns = queries.captured_queries[-2]["sql"].partition(" FROM ")[0]
        assert "search_text" not in columns
        assert '"messages", "' not in columns or "search=" in path


def test_tabs_count_within_search_and_filters_whatever_the_status(page: Client, record: Record) -> None:
    record(status="active", messages=[message("price")])
    record(status="dropped", messages=[message("price")])
    record(status="dropped", messages=[message("price")], channel="telegram")
    record(status="completed", messages=[message("hello")])
    response = page.get(LIST, {"search": "price", "channel": "whatsapp", "status": "dropped"})
    assert tabs_on(response) == {"All": 2, "Active": 1, "Completed": 0, "Handed off": 0, "Dropped": 1}
    assert len(names_on(response)) == response.context["total"] == 1


def test_large_counts_are_rounded_in_tabs() -> None:
    from conversations.templatetags.parley import many

    assert [many(count) for count in (0, 1_284, 10_000, 10_001)] == ["0", "1,284", "10,000", "10k+"]


def test_a_search_shows_where_it_hit(page: Client, record: Record) -> None:
    record(messages=[message("Hi", role="agent"), message("what is the Price?"), message("price!")])
    text = text_of(page.get(LIST, {"search": "PRICE"}))
    assert "what is the <mark>Price</mark>?" in text
    assert "2 messages match" in text
    assert "12 Mar" in text
    assert "?search=PRICE#m-2" in text


def test_a_search_marks_phone_and_email_in_place(page: Client, record: Record) -> None:
    record(leadPhone="+1 (555) 010-2000", leadEmail="ana@example.com", messages=[])
    assert "+1 (<mark>555) 010</mark>-2000" in text_of(page.get(LIST, {"search": "555010"}))
    assert "<mark>ana@</mark>example.com" in text_of(page.get(LIST, {"search": "ANA@"}))


def test_white_space_around_what_was_pasted_is_not_looked_for(page: Client, record: Record) -> None:
    conversation = record(leadEmail="ana@example.com")
    record(leadEmail="bob@example.com")
    response = page.get(LIST, {"search": " ana@example.com\u00a0", "status": "active"})
    assert tabs_on(response)["All"] == 1
    assert [(chip.name, chip.value) for chip in response.context["chips"]] == [("Search", "“ana@example.com”")]
    assert "search=ana%40example.com&" in response.context["api_call"]
    exported = page.get(f"{LIST}export/", {"search": " ana@example.com ", "format": "csv"}).getvalue().decode()
    assert (conversation.pk in exported, "bob@" in exported) == (True, False)
    assert tabs_on(page.get(LIST, {"search": "  "}))["All"] == 2
    found = page.get(transcript_of(conversation), {"find": " price "})
    assert "<mark>price</mark>" in text_of(found)


def test_a_filter_that_applies_is_a_chip_that_removes_it(page: Client, record: Record) -> None:
    record()
    response = page.get(LIST, {"search": "price", "channel": "whatsapp", "status": "active"})
    assert [(chip.name, chip.value, chip.link) for chip in response.context["chips"]] == [
        ("Search", "“price”", f"{LIST}?status=active&channel=whatsapp"),
        ("Channel", "WhatsApp", f"{LIST}?status=active&search=price"),
    ]


def test_a_stage_without_a_name_has_the_same_number_everywhere(page: Client, record: Record, acme: Account) -> None:
    conversation = record(currentStageIndex=2, currentStageName="")
    acme.agents.get().rename(by=None, name="Nova", stages=["Greeting", "Needs", "", "Won"])
    listed = text_of(page.get(LIST, {"stageIndex": "2", "stageReached": "1"}))
    assert "Stage 3" in listed
    assert "3/4" in listed
    transcript = text_of(page.get(transcript_of(conversation)))
    assert "Stage 3" in transcript
    assert "(3/4)" in transcript
    figures = text_of(page.get("/analytics/", {"from": f"{conversation.created_at:%Y-%m-%d}"}))
    assert "Stage 3" in figures
    assert "Stage 2" not in listed + transcript + figures
    chips = page.get(LIST, {"stageIndex": "2", "stageReached": "1"}).context["chips"]
    assert [(chip.name, chip.value) for chip in chips] == [("Stage reached", "2 or later"), ("Stage number", "3")]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"search": "x" * 101}, "At most 100 characters."),
        ({"channel": "fax"}, "Must be one of whatsapp, telegram, email."),
        ({"status": "ACTIVE"}, "Must be one of active, completed, handed_off, dropped."),
        ({"search": "\x00"}, "Null characters are not allowed."),
        ({"status": ["active", "dropped"]}, "May be given once."),
    ],
)
def test_a_filter_that_cannot_be_is_told_on_the_page(page: Client, record: Record, query: Any, told: str) -> None:
    record()
    response = page.get(LIST, query)
    text = text_of(response)
    assert told in text
    assert "Nothing was searched." in text
    assert "page" not in response.context


def test_no_results_names_each_filter_and_offers_to_drop_it(page: Client, record: Record) -> None:
    record(status="dropped", channel="email")
    text = text_of(page.get(LIST, {"search": "hello", "channel": "email", "status": "active"}))
    assert "No active conversations match" in text
    for link in (
        "?status=active&amp;channel=email",
        "?status=active&amp;search=hello",
        "?search=hello&amp;channel=email",
    ):
        assert f'href="{LIST}{link}"' in text
    assert "1 with another status" in text


def test_an_empty_account_is_taught_its_first_call(page: Client) -> None:
    text = text_of(page.get(LIST))
    assert "No conversations yet" in text
    assert "curl http://testserver/api/conversations" in text
    assert "$PARLEY_KEY" in text


def test_an_owner_of_an_empty_account_can_look_around_in_the_demo(
    page: Client, acme: Account, alice: User, other_account: Account
) -> None:
    call_command("load_demo", into=other_account.pk)
    assert DEMO in text_of(page.get(LIST))
    text = text_of(page.post(DEMO, follow=True))
    assert "Acme has demo conversations now." in text
    assert DEMO not in text
    assert acme.conversations.count() == other_account.conversations.count() > 100
    recorded = acme.audit_events.filter(action="conversations.recorded").values_list("actor_id", flat=True)
    assert set(recorded) == {alice.pk}
    number = acme.conversations.count()
    assert "Nothing was loaded: Acme has conversations" in text_of(page.post(DEMO, follow=True))
    assert acme.conversations.count() == number


def test_the_demo_is_offered_to_owners_of_empty_accounts_alone(page: Client, bob: User, record: Record) -> None:
    assert DEMO not in text_of(client_of(bob).get(LIST))
    assert client_of(bob).post(DEMO).status_code == 403
    record(environment="test")
    assert DEMO not in text_of(page.get(LIST))


def test_pages_walk_the_whole_list_there_and_back(
    page: Client, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE_SIZE", 2)
    for number in range(5):
        # of some the moments are equal: then the id decides
        record(leadId=str(number), updatedAt=wire_moment(MOMENT - timedelta(minutes=number // 2)))
    expected = [conversation.lead_id for conversation in Conversation.objects.newest_first()]

    walked, path, pages = [], LIST, []
    while path:
        response = page.get(path)
        pages.append(names_on(response))
        walked += names_on(response)
        path = response.context["page"].older
    assert walked == expected
    assert list(map(len, pages)) == [2, 2, 1]

    back = []
    while response.context["page"].newer:
        response = page.get(response.context["page"].newer)
        back.append(names_on(response))
    assert back == [pages[1], pages[0]]


def test_newer_with_less_than_a_page_before_it_is_the_first_page(
    page: Client, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE_SIZE", 2)
    for number in range(4):
        record(leadId=str(number), updatedAt=wire_moment(MOMENT - timedelta(minutes=number)))
    second = page.get(page.get(LIST).context["page"].older)
    Conversation.objects.get(lead_id="0").delete()
    assert names_on(page.get(second.context["page"].newer)) == ["1", "2"]


@pytest.mark.parametrize("place", [{"cursor": "x"}, {"before": "é"}, {"cursor": ""}])
def test_a_damaged_place_is_the_beginning(page: Client, record: Record, place: dict[str, str]) -> None:
    record(leadId="first")
    assert names_on(page.get(LIST, place)) == ["first"]


def test_links_keep_the_filters_and_the_place(page: Client, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PAGE_SIZE", 1)
    for _ in range(2):
        record()
    older = page.get(LIST, {"status": "active"}).context["page"].older
    assert "status=active" in older
    row = page.get(older).context["page"].rows[0]
    transcript = page.get(row.link)
    assert transcript.context["back_link"] == f"{older}#c-{row.conversation.pk}"


@pytest.mark.parametrize(
    "messages",
    [
        None,
        {},
        5,
        "text",
        [None],
        [5],
        ["x"],
        [{"role": "lead"}],
        [{"content": 5}],
        [[]],
        [{"role": "bot", "content": "x"}],
    ],
)
def test_a_damaged_conversation_takes_neither_page_down(page: Client, record: Record, messages: Any) -> None:
    conversation = record(messages=[message("price")])
    if messages is None and connection.vendor != "mongodb":
        pytest.skip("the column refuses null")
    Conversation.objects.filter(pk=conversation.pk).update(messages=messages)
    for path in (LIST, f"{LIST}?search=price", transcript_of(conversation), f"{transcript_of(conversation)}?search=x"):
        text_of(page.get(path))


# Environments


def test_the_switch_leads_to_test_data_and_back(page: Client, record: Record) -> None:
    record(leadId="live one")
    record(leadId="test one", environment="test")
    response = page.post("/environment/", {"environment": "test"}, follow=True)
    assert names_on(response) == ["test one"]
    assert "Nothing here is a real lead." in text_of(response)
    assert names_on(page.post("/environment/", {"environment": "live"}, follow=True)) == ["live one"]


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example", ""]
)
def test_the_switch_leads_nowhere_else(page: Client, target: str) -> None:
    assert page.post("/environment/", {"environment": "test", "next": target})["Location"] == LIST


def test_the_switch_returns_to_a_page_of_ours(page: Client) -> None:
    response = page.post("/environment/", {"environment": "test", "next": f"{LIST}?status=active"})
    assert response["Location"] == f"{LIST}?status=active"


def test_the_switch_is_no_link(page: Client) -> None:
    assert page.get("/environment/").status_code == 405


# Hostile texts


def test_nothing_a_lead_writes_becomes_markup(page: Client, record: Record) -> None:
    evil = "</script></title><img src=x onerror=alert(1)>\"'"
    conversation = record(
        leadId=evil,
        leadEmail=evil,
        leadPhone=evil,
        currentStageName=evil,
        summary=evil,
        qualificationResult={"qualified": False, "reason": evil},
        messages=[message(evil)],
    )
    conversation.change_status("dropped", by=None, reason=evil)
    for path in (LIST, transcript_of(conversation)):
        for query in ({}, {"search": evil}, {"search": "img"}):
            assert "<img" not in text_of(page.get(path, query))
