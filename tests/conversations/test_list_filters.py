"""The list page: what narrows it, how it is ordered, what it tells of itself."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Account, User
from config.storage.moments import now
from conversations.listing import news, rows
from conversations.listing.ordering import Order, Place
from conversations.models import Agent, Conversation, LastLook, ReadMark
from tests.conftest import Api, client_of, json_of, text_of
from tests.conversations.test_pages import LIST, names_on, tabs_on, transcript_of, wire_moment
from tests.factories import AGENT, CAMPAIGN, message

Record = Callable[..., Conversation]
OTHER_AGENT = "b" * 24


def ago(**length: int) -> str:
    return wire_moment(now() - timedelta(**length))


# Filters


@pytest.mark.parametrize(
    ("query", "matching", "other"),
    [
        ({"channel": "telegram"}, {"channel": "telegram"}, {"channel": "whatsapp"}),
        ({"stage": "Pricing"}, {"currentStageName": "Pricing"}, {"currentStageName": "Closing"}),
        ({"stage": "3"}, {"currentStageIndex": 3}, {"currentStageIndex": 2}),
        ({"agentConfigId": OTHER_AGENT}, {"agentConfigId": OTHER_AGENT}, {}),
        ({"campaignId": CAMPAIGN}, {"campaignId": CAMPAIGN}, {}),
        (
            {"qualified": "true"},
            {"qualificationResult": {"qualified": True, "reason": ""}},
            {"qualificationResult": {"qualified": False, "reason": ""}},
        ),
        ({"activity": "7d"}, {"updatedAt": ago(days=6)}, {"updatedAt": ago(days=8)}),
        ({"activity": "quiet7d"}, {"updatedAt": ago(days=8)}, {"updatedAt": ago(days=6)}),
    ],
)
def test_each_filter_narrows_rows_counts_and_exports_alike(
    page: Client, record: Record, query: dict[str, str], matching: dict[str, Any], other: dict[str, Any]
) -> None:
    record(leadId="yes", **matching)
    record(leadId="no", **other)
    response = page.get(LIST, query)
    assert names_on(response) == ["yes"]
    assert tabs_on(response)["All"] == 1
    exported = page.get(f"{LIST}export/", {**query, "format": "ndjson"}).getvalue()
    assert exported.count(b"\n") == 1
    assert b'"leadId":"yes"' in exported
    [chip] = response.context["chips"]
    assert names_on(page.get(chip.link)) != ["yes"]


def test_a_stage_that_an_agents_page_names_is_found_by_that_name(page: Client, record: Record, acme: Account) -> None:
    record(leadId="named", currentStageIndex=1)
    record(leadId="own name", currentStageIndex=1, currentStageName="Something else")
    record(leadId="other agent", currentStageIndex=1, agentConfigId=OTHER_AGENT)
    acme.agents.get(agent_config_id=AGENT).rename(by=None, stages=["Greeting", "Pricing", "Closing"])
    response = page.get(LIST, {"stage": "Pricing"})
    assert names_on(response) == ["named"]
    assert "2/3" in text_of(response)


def test_the_api_filters_by_stage_too(api: Api, record: Record) -> None:
    record(currentStageName="Pricing")
    record(currentStageName="Closing")
    assert [found["currentStageName"] for found in api.listed(stage="Pricing")] == ["Pricing"]


def test_naming_a_stage_changes_what_the_api_finds_at_it(api: Api, record: Record, acme: Account) -> None:
    record(currentStageIndex=1)
    before = api.get(stage="Pricing")
    assert json_of(before) == []
    held = {"If-None-Match": before["ETag"]}
    assert api.get(stage="Pricing", headers=held).status_code == 304
    acme.agents.get().rename(by=None, stages=["Greeting", "Pricing"])
    assert len(json_of(api.get(stage="Pricing", headers=held))) == 1


def test_unknown_agents_of_a_link_stay_chosen(page: Client, record: Record) -> None:
    record()
    text = text_of(page.get(LIST, {"agentConfigId": "f" * 24}))
    assert f'<option value="{"f" * 24}"' in text


def test_a_filter_that_makes_no_sense_is_explained_and_nothing_is_listed(page: Client, record: Record) -> None:
    record()
    for name in ("channel", "qualified", "activity", "unread", "agentConfigId", "createdAfter"):
        response = page.get(LIST, {name: "nonsense"})
        assert "Nothing was searched" in text_of(response), name
        assert page.get(f"{LIST}export/", {name: "nonsense"}).status_code == 302


# Unread, and since one last looked


def test_what_changed_since_the_last_look_is_unread_until_it_is_opened(
    page: Client, record: Record, alice: User, bob: User, acme: Account
) -> None:
    record(leadId="old", updatedAt=ago(days=2))
    new = record(leadId="new", updatedAt=wire_moment(now() + timedelta(seconds=1)))
    assert [row.is_unread for row in page.get(LIST).context["page"].rows] == [True, False]
    assert names_on(page.get(LIST, {"unread": "true"})) == ["new"]
    page.get(transcript_of(new))
    assert names_on(page.get(LIST, {"unread": "true"})) == []
    assert names_on(client_of(bob).get(LIST, {"unread": "true"})) == ["new"]
    new.append([message("Still there?")], by=None)
    assert names_on(page.get(LIST, {"unread": "true"})) == ["new"]
    assert ReadMark.objects.count() == 1


def test_mark_seen_ends_all_that_was_new_until_the_page_was_shown(page: Client, record: Record, acme: Account) -> None:
    later = wire_moment(now() + timedelta(hours=1))
    record(leadId="new", updatedAt=wire_moment(now()))
    until = page.get(LIST).context["shown_at"]
    record(leadId="newer", updatedAt=later)
    response = page.post(f"{LIST}seen/", {"until": until, "query": "?status=active"})
    assert response["Location"] == f"{LIST}?status=active"
    assert names_on(page.get(LIST, {"unread": "true"})) == ["newer"]
    page.post(f"{LIST}seen/", {"until": "nonsense"})
    assert acme.last_looks.count() == 1


def test_what_is_older_than_a_month_is_news_to_nobody(page: Client, record: Record, alice: User, acme: Account) -> None:
    LastLook.objects.mark_seen(acme.memberships.get(user=alice), "live", until=now() - timedelta(days=900))
    record(leadId="old", updatedAt=ago(days=31))
    record(leadId="new", updatedAt=ago(days=29))
    assert names_on(page.get(LIST, {"unread": "true"})) == ["new"]
    assert page.get(LIST).context["news"].since > now() - timedelta(days=31)


def test_each_figure_of_the_news_opens_exactly_its_rows(
    page: Client, record: Record, alice: User, acme: Account
) -> None:
    membership = acme.memberships.get(user=alice)
    LastLook.objects.mark_seen(membership, "live", until=now() - timedelta(days=1))
    old, new = ago(days=3), ago(hours=2)
    yes, no = {"qualified": True, "reason": ""}, {"qualified": False, "reason": ""}
    replied = [message("?", timestamp=new)]
    record(messages=replied, updatedAt=new)
    record(messages=replied, updatedAt=new, qualificationResult=yes)
    record(messages=[message("?", timestamp=old)], updatedAt=new, qualificationResult=no, status="dropped")
    record(messages=[message("?", timestamp=old)], updatedAt=old, status="handed_off")
    record(messages=[], updatedAt=old).change_status("handed_off", by=alice)
    record(messages=[], updatedAt=old).update_details({"qualified": True}, by=alice)
    record(messages=replied, updatedAt=new, environment="test")
    figures = page.get(LIST).context["news"].figures
    assert {figure.text: figure.number for figure in figures} == {
        "new replies": 2, "newly qualified": 2, "handed off": 1, "dropped": 1,
    }  # fmt: skip
    for figure in figures:
        assert len(names_on(page.get(figure.link))) == figure.number, figure


def test_news_of_a_long_absence_say_at_least_how_many(
    page: Client, record: Record, alice: User, acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more is read for them than of a short one; the list that a figure opens has them all."""
    LastLook.objects.mark_seen(acme.memberships.get(user=alice), "live", until=now() - timedelta(days=1))
    for hours in range(4):
        record(messages=[message("?", timestamp=ago(hours=hours))], updatedAt=ago(hours=hours))
    [figure] = page.get(LIST).context["news"].figures
    assert (figure.number, figure.text) == (4, "new replies")
    monkeypatch.setattr(news, "LOOKED_AT", 2)
    response = page.get(LIST)
    [figure] = response.context["news"].figures
    assert "<strong>3+</strong> new replies" in text_of(response)
    assert len(names_on(page.get(figure.link))) == 4


def test_what_was_seen_stays_seen_whatever_an_older_page_says(page: Client, acme: Account) -> None:
    older, newer = ago(hours=2), ago(hours=1)
    for until in (newer, older):
        page.post(f"{LIST}seen/", {"until": until})
    [look] = acme.last_looks.all()
    assert wire_moment(look.seen_at) == newer


def test_the_list_alone_marks_nothing_as_seen(page: Client, acme: Account) -> None:
    page.get(LIST)
    assert not acme.last_looks.exists()


def test_recording_again_without_a_new_status_keeps_when_it_came(record: Record, acme: Account) -> None:
    first = record(id="1" * 24, status="dropped", updatedAt=ago(days=9))
    again = record(id="1" * 24, status="dropped", updatedAt=ago(days=1), summary="More")
    assert again.revision == 2
    assert again.status_changed_at == first.status_changed_at
    changed = record(id="1" * 24, status="completed", updatedAt=ago(hours=1))
    assert changed.status_changed_at == changed.updated_at
    assert (changed.last_role, changed.last_lead_at) == ("lead", datetime(2026, 3, 12, 14, 2, 11, 480_000, UTC))


# Order


@pytest.mark.parametrize("name", ["updatedAt", "createdAt", "messageCount"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_every_order_walks_the_whole_list_there_and_back(
    page: Client, record: Record, monkeypatch: pytest.MonkeyPatch, name: str, sign: str
) -> None:
    monkeypatch.setattr(rows, "PAGE_SIZE", 2)
    for number in range(7):
        record(
            messages=[message("x")] * (number % 3),
            createdAt=ago(days=number % 4),
            updatedAt=ago(hours=number % 2 + 5),
            leadId=f"lead-{number}",
        )
    order = Order.read(sign + name)
    expected = [found.lead_id for found in order.of(Conversation.objects.all())]
    walked, link, pages = [], f"{LIST}?sort={sign}{name}", []
    while link:
        response = page.get(link)
        pages.append(names_on(response))
        walked += pages[-1]
        link, newer = response.context["page"].older, response.context["page"].newer
    assert walked == expected
    for names in pages[-2::-1]:
        response = page.get(newer)
        assert names_on(response) == names
        newer = response.context["page"].newer
    assert newer == ""


def test_headers_lead_to_their_order_and_back(page: Client, record: Record) -> None:
    record()
    alice_columns = {column["value"]: column["sort"] for column in page.get(LIST).context["columns"]}
    assert alice_columns["updated"].direction == "descending"
    assert alice_columns["updated"].link == f"{LIST}?sort=updatedAt"
    assert alice_columns["started"].link == f"{LIST}?sort=-createdAt"
    again = {column["value"]: column["sort"] for column in page.get(f"{LIST}?sort=updatedAt").context["columns"]}
    assert (again["updated"].direction, again["updated"].link) == ("ascending", LIST)


@pytest.mark.parametrize("text", ["", "x", "MTIz", "LTE" + "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh", "é", "A" * 5_000])
def test_a_damaged_place_is_the_beginning(page: Client, record: Record, text: str) -> None:
    record(leadId="one")
    assert Place.parse(text) is None
    assert names_on(page.get(LIST, {"cursor": text})) == ["one"]


def test_a_place_of_another_order_is_the_beginning(page: Client, record: Record) -> None:
    conversation = record(leadId="one")
    for place, sort in ((Place(3, conversation.pk), "createdAt"), (Place(now(), conversation.pk), "-messageCount")):
        assert Place.parse(str(place)) is not None
        assert names_on(page.get(LIST, {"cursor": str(place), "sort": sort})) == ["one"]


# What has changed meanwhile


def test_the_page_learns_how_many_have_changed_and_nothing_while_that_stays(page: Client, record: Record) -> None:
    record(status="active")
    since = page.get(LIST).context["shown_at"]
    asked = {"since": since, "status": "active"}
    first = page.get(f"{LIST}new/", asked)
    assert first.json()["count"] == 0
    record(status="active", updatedAt=wire_moment(now() + timedelta(seconds=1)))
    record(status="dropped", updatedAt=wire_moment(now() + timedelta(seconds=1)))
    second = page.get(f"{LIST}new/", asked, headers={"If-None-Match": first["ETag"]})
    assert second.json() == {"count": 1, "text": "1 new or changed conversation"}
    third = page.get(f"{LIST}new/", asked, headers={"If-None-Match": second["ETag"]})
    assert (third.status_code, third.content) == (304, b"")


@pytest.mark.parametrize("query", [{}, {"since": "yesterday"}, {"since": "2026-03-12T14:02:11Z", "status": "nonsense"}])
def test_asking_badly_for_changes_is_refused(page: Client, acme: Account, query: dict[str, str]) -> None:
    assert page.get(f"{LIST}new/", query).status_code == 400


# Names


def test_recording_makes_agents_campaigns_and_stages_known_in_their_environment(record: Record, acme: Account) -> None:
    record(campaignId=CAMPAIGN, currentStageIndex=2, currentStageName="Closing")
    record(currentStageIndex=0, currentStageName="Greeting")
    record(agentConfigId=OTHER_AGENT, environment="test")
    [agent] = acme.agents.live()
    assert (agent.agent_config_id, agent.name, agent.stages) == (AGENT, "", ["Greeting", "", "Closing"])
    assert [campaign.campaign_id for campaign in acme.campaigns.live()] == [CAMPAIGN]
    assert [agent.agent_config_id for agent in acme.agents.test()] == [OTHER_AGENT]


def test_changing_the_agent_makes_it_known_too(record: Record, acme: Account) -> None:
    record().update_details({"agent_config_id": OTHER_AGENT}, by=None)
    assert sorted(agent.agent_config_id for agent in acme.agents.live()) == [AGENT, OTHER_AGENT]


def test_a_stage_that_a_person_named_is_not_learned_over(record: Record, acme: Account) -> None:
    record(currentStageIndex=0, currentStageName="Hello")
    Agent.objects.get().rename(by=None, stages=["Greeting"])
    record(currentStageIndex=0, currentStageName="Hello")
    assert Agent.objects.get().stages == ["Greeting"]


def test_names_show_instead_of_ids(page: Client, record: Record, acme: Account, alice: User) -> None:
    alice.columns = ["agent", "campaign"]
    alice.save()
    record(campaignId=CAMPAIGN)
    assert "…aaaaaa" in text_of(page.get(LIST))
    acme.agents.get().rename(by=alice, name="Nova")
    acme.campaigns.get().rename(by=alice, name="Spring offer")
    text = text_of(page.get(LIST))
    assert "Nova" in text
    assert "Spring offer" in text


# The API's call


def test_the_api_call_answers_with_the_rows_of_the_page(page: Client, record: Record, api: Api) -> None:
    record(leadId="yes", status="active", channel="email", updatedAt=ago(days=2))
    record(leadId="no", status="active", channel="email", updatedAt=ago(days=9))
    response = page.get(LIST, {"status": "active", "channel": "email", "activity": "7d", "sort": "createdAt"})
    call = response.context["api_call"]
    assert call.startswith('curl -H "X-API-Key: $PARLEY_KEY" \'http://testserver/api/conversations?')
    path = call.split("'")[1].removeprefix("http://testserver")
    assert [found["leadId"] for found in api.get(path).json()] == names_on(response) == ["yes"]


def test_statements_of_a_search_do_not_grow_with_rows(
    page: Client, record: Record, django_assert_num_queries: Any
) -> None:
    if connection.vendor == "mongodb":
        pytest.skip("counts differ")
    for _ in range(30):
        record(campaignId=CAMPAIGN)
    page.get(LIST, {"search": "price"})  # a process looks once what the index consists of
    # session, person, membership, agents, campaigns, last look, news, saved views, counts, rows, what is read; and a
    # search asks for its index, and for how many there may be
    for query in ({}, {"search": "price"}, {"unread": "true", "sort": "-createdAt"}):
        with django_assert_num_queries(11 + 3 * ("search" in query)):
            page.get(LIST, query)
