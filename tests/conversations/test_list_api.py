"""GET /api/conversations, row by row of the contract's sections 1, 2, 3 and 5."""

import gzip
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from config.storage.moments import now
from conversations.models import Conversation
from conversations.pagination import Cursor
from tests.conftest import Api, json_of, statements
from tests.conversations.test_export_api import break_off
from tests.factories import AGENT, CAMPAIGN, message

Record = Callable[..., Conversation]

REQUIRED = [
    "_id",
    "leadId",
    "accountId",
    "agentConfigId",
    "channel",
    "leadPhone",
    "status",
    "currentStageIndex",
    "messages",
    "messageCount",
    "createdAt",
    "updatedAt",
]
OPTIONAL = ["campaignId", "leadEmail", "currentStageName", "summary", "qualificationResult"]


# Refusals


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ({"status": "open"}, "status", "active, completed, handed_off, dropped"),
        ({"status": "ACTIVE"}, "status", "active, completed, handed_off, dropped"),
        ({"channel": "sms"}, "channel", "whatsapp, telegram, email"),
        ({"qualified": "maybe"}, "qualified", "true, false"),
        ({"search": "x" * 101}, "search", "100"),
        ({"search": "a\x00b"}, "search", "ull"),
        ({"campaignId": "x"}, "campaignId", "ObjectId"),
        ({"agentConfigId": "A" * 24}, "agentConfigId", "ObjectId"),
        ({"createdAfter": "yesterday"}, "createdAfter", "RFC 3339"),
        ({"createdBefore": "2026-03-12"}, "createdBefore", "RFC 3339"),
        ({"updatedAfter": "2026-03-12T14:02:11"}, "updatedAfter", "RFC 3339"),
        ({"updatedBefore": "2026-02-30T00:00:00Z"}, "updatedBefore", "exists"),
        ({"limit": "0"}, "limit", "1 to 1,000"),
        ({"limit": "1001"}, "limit", "1 to 1,000"),
        ({"limit": "-1"}, "limit", "1 to 1,000"),
        ({"limit": "abc"}, "limit", "integer"),
        ({"limit": "1.5"}, "limit", "integer"),
        ({"limit": ""}, "limit", "integer"),
        ({"limit": "٣"}, "limit", "integer"),
        ({"skip": "-1"}, "skip", "integer"),
        ({"skip": str(10**20)}, "skip", "integer"),
        ({"cursor": "nonsense"}, "cursor", "cursor"),
        ({"cursor": "ä"}, "cursor", "cursor"),
        ({"cursor": str(Cursor(now(), "a" * 24)), "skip": "1"}, "cursor", "skip"),
        ({"status": ["active", "dropped"]}, "status", "once"),
        ({"limit": ["1", "2"]}, "limit", "once"),
    ],
)
def test_bad_parameter_is_400_and_says_what_is_allowed(api: Api, query: dict[str, Any], field: str, says: str) -> None:
    response = api.get(**query)
    assert response.status_code == 400
    body = json_of(response)
    assert body["error"] == "Validation failed"
    assert list(body["details"]) == [field]
    assert says in " ".join(body["details"][field])


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_other_methods_are_405_as_json(api: Api, method: str) -> None:
    response = getattr(api.client, method)("/api/conversations", headers={"X-API-Key": api.token})
    assert response.status_code == 405
    assert "not allowed" in json_of(response)["error"]


def test_crash_is_500_as_json(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*args: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("conversations.api.ConversationViewSet.get_queryset", crash)
    response = api.get()
    assert response.status_code == 500
    assert json_of(response) == {"error": "Internal server error"}


@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/conversations/", "/api/conversations/x/y"])
def test_unknown_path_is_404_as_json(client: Client, db: None, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert json_of(response) == {"error": "Not found"}


# Shape


def test_account_without_conversations_is_an_empty_array(api: Api) -> None:
    response = api.get()
    assert response.headers["Content-Type"] == "application/json"
    assert response.getvalue() == b"[]"


def test_answer_is_a_bare_array_of_whole_conversations(api: Api, record: Record) -> None:
    conversation = record(
        id="665f1a2b3c4d5e6f7a8b9c0d",
        leadId="42",
        leadPhone="+1 (555) 010-2247",
        createdAt="2026-03-12T14:02:11.480Z",
        updatedAt="2026-03-12T15:00:00+01:00",
        campaignId=CAMPAIGN,
        leadEmail="Ana@Example.com",
        currentStageName="Pricing",
        summary="Wants 40 seats",
        qualificationResult={"qualified": True, "reason": "Budget"},
    )
    assert api.listed() == [
        {
            "_id": "665f1a2b3c4d5e6f7a8b9c0d",
            "leadId": "42",
            "accountId": conversation.account_id,
            "agentConfigId": AGENT,
            "channel": "whatsapp",
            "leadPhone": "+1 (555) 010-2247",
            "status": "active",
            "currentStageIndex": 1,
            "messages": [
                {
                    "role": "agent",
                    "content": "Hello, how can I help?",
                    "timestamp": "2026-03-12T14:02:11.480Z",
                    "agentConfigId": AGENT,
                },
                {"role": "lead", "content": "What is the price?", "timestamp": "2026-03-12T14:02:11.480Z"},
            ],
            "messageCount": 2,
            "createdAt": "2026-03-12T14:02:11.480Z",
            "updatedAt": "2026-03-12T14:00:00.000Z",
            "campaignId": CAMPAIGN,
            "leadEmail": "Ana@Example.com",
            "currentStageName": "Pricing",
            "summary": "Wants 40 seats",
            "qualificationResult": {"qualified": True, "reason": "Budget"},
        }
    ]


def test_keys_stand_in_the_order_of_the_seed(api: Api, record: Record) -> None:
    record(
        campaignId=CAMPAIGN,
        leadEmail="a@example.com",
        currentStageName="Pricing",
        summary="S",
        qualificationResult={"qualified": False, "reason": ""},
    )
    [conversation] = api.listed()
    assert list(conversation) == REQUIRED + OPTIONAL
    assert list(conversation["messages"][0]) == ["role", "content", "timestamp", "agentConfigId"]
    assert list(conversation["qualificationResult"]) == ["qualified", "reason"]


def test_optional_fields_without_value_are_left_out(api: Api, record: Record) -> None:
    record(campaignId=None, leadEmail=None, summary="", qualificationResult=None)
    [conversation] = api.listed()
    assert list(conversation) == REQUIRED


def test_not_qualified_is_a_value(api: Api, record: Record) -> None:
    record(qualificationResult={"qualified": False, "reason": "No budget"})
    assert api.listed()[0]["qualificationResult"] == {"qualified": False, "reason": "No budget"}


@pytest.mark.parametrize("lead_id", ["1", 17, "crm-0192", "665f1a2b3c4d5e6f7a8b9c0d", "№ 7", " ", "x" * 64])
def test_lead_id_is_any_string_up_to_64_characters(api: Api, record: Record, lead_id: Any) -> None:
    record(leadId=lead_id)
    assert api.listed()[0]["leadId"] == str(lead_id)


@pytest.mark.parametrize("phone", ["+1 (555) 010-2247", "0034 600/000123", "٠٥٥", "call me"])
def test_lead_phone_is_kept_as_given(api: Api, record: Record, phone: str) -> None:
    record(leadPhone=phone)
    assert api.listed()[0]["leadPhone"] == phone


def test_lead_phone_may_be_empty_for_email(api: Api, record: Record) -> None:
    record(channel="email", leadPhone="", leadEmail="a@example.com")
    assert api.listed()[0]["leadPhone"] == ""


@pytest.mark.parametrize("role", ["agent", "lead", "human", "system"])
def test_every_role_is_passed_on(api: Api, record: Record, role: str) -> None:
    record(messages=[message("Hi", role=role)])
    assert api.listed()[0]["messages"][0]["role"] == role


def test_timestamps_are_utc_with_milliseconds(api: Api, record: Record) -> None:
    record(
        createdAt="2026-03-12T14:02:11Z",
        updatedAt="2026-03-12T23:02:11.48099999+09:00",
        messages=[message("Hi", timestamp="0001-01-01T00:00:00Z"), message("Ho", timestamp="9999-12-31T23:59:59.999Z")],
    )
    [conversation] = api.listed()
    assert conversation["createdAt"] == "2026-03-12T14:02:11.000Z"
    assert conversation["updatedAt"] == "2026-03-12T14:02:11.480Z"
    assert [said["timestamp"] for said in conversation["messages"]] == [
        "0001-01-01T00:00:00.000Z",
        "9999-12-31T23:59:59.999Z",
    ]


def test_messages_keep_their_order_and_every_character(api: Api, record: Record) -> None:
    contents = [
        '"quoted" \\ back',
        "line\nbreak\ttab",
        "Привет",
        "你好 👋🏽",
        "مرحبا",
        "<b>&amp;",
        "\u2028 \x7f \x01",
        "",
    ]
    record(messages=[message(content) for content in contents])
    [conversation] = api.listed()
    assert [said["content"] for said in conversation["messages"]] == contents
    assert conversation["messageCount"] == len(contents)


def test_conversation_without_messages_has_an_empty_list(api: Api, record: Record) -> None:
    record(messages=[])
    assert api.listed()[0]["messages"] == []
    assert api.listed()[0]["messageCount"] == 0


# Order and paging


def test_newest_change_comes_first_then_the_higher_id(api: Api, record: Record) -> None:
    moments = {"1" * 24: "2026-01-01T00:00:00Z", "2" * 24: "2026-01-02T00:00:00Z", "3" * 24: "2026-01-01T00:00:00Z"}
    for pk, moment in moments.items():
        record(id=pk, updatedAt=moment)
    assert api.ids() == ["2" * 24, "3" * 24, "1" * 24]


def test_limit_and_skip_cut_a_page(api: Api, record: Record) -> None:
    ids = [record(updatedAt=f"2026-01-01T00:00:0{second}Z").pk for second in range(5)][::-1]
    assert api.ids(limit=2) == ids[:2]
    assert api.ids(limit=2, skip=1) == ids[1:3]
    assert api.ids(limit=2, skip=4) == ids[4:]
    assert api.ids(limit=2, skip=5) == []
    assert api.ids(skip=3) == ids[3:]
    assert api.ids(limit=1000) == ids


def test_total_count_comes_only_with_limit(api: Api, record: Record) -> None:
    for status in ("active", "active", "dropped"):
        record(status=status)
    assert api.get(limit=1).headers["X-Total-Count"] == "3"
    assert api.get(limit=1, status="active").headers["X-Total-Count"] == "2"
    assert "X-Total-Count" not in api.get().headers
    assert "Link" not in api.get().headers


def walk(api: Api, **query: Any) -> list[list[str]]:
    """The ids of each page, following Link to the end."""
    pages, response = [], api.get(**query)
    while True:
        pages.append([conversation["_id"] for conversation in json_of(response)])
        link = response.headers.get("Link")
        if link is None:
            return pages
        address = re.fullmatch(r'<http://testserver(/api/conversations\?.+)>; rel="next"', link)
        assert address, link
        response = api.get(address[1])


def test_link_walks_the_account_page_by_page(api: Api, record: Record) -> None:
    ids = [record(updatedAt=f"2026-01-01T00:00:0{number // 2}Z").pk for number in range(7)]
    expected = api.ids()
    assert sorted(expected) == sorted(ids)
    assert walk(api, limit=3) == [expected[:3], expected[3:6], expected[6:]]
    assert walk(api, limit=7) == [expected]


def test_link_keeps_the_filters(api: Api, record: Record) -> None:
    for number in range(4):
        record(status="active" if number % 2 else "dropped", messages=[message("50 % off & more")])
    pages = walk(api, limit=1, status="active", search="50 % off &")
    assert [len(page) for page in pages] == [1, 1]


def test_cursor_is_stable_while_rows_change(api: Api, record: Record) -> None:
    old = [record(updatedAt=f"2026-01-01T00:00:0{second}Z") for second in range(4)][::-1]
    first = api.get(limit=2)
    record(updatedAt="2026-06-01T00:00:00Z")
    old[0].append([message("Still here?")], by=None)
    cursor = re.search(r"cursor=([^&>]+)", first.headers["Link"])
    assert cursor
    assert api.ids(limit=2, cursor=cursor[1]) == [old[2].pk, old[3].pk]
    assert api.ids(cursor=cursor[1]) == [old[2].pk, old[3].pk]


# Filters


def test_status_filters(api: Api, record: Record) -> None:
    ids = {status: record(status=status).pk for status in ("active", "completed", "handed_off", "dropped")}
    for status, pk in ids.items():
        assert api.ids(status=status) == [pk]


def test_empty_parameters_filter_nothing(api: Api, record: Record) -> None:
    record()
    assert len(api.listed(status="", search="", channel="", qualified="", leadId="", createdAfter="")) == 1


def test_unknown_parameter_is_ignored(api: Api, record: Record) -> None:
    record()
    assert len(api.listed(colour="blue", **{"status[]": "x"})) == 1


JANUARY, FEBRUARY = "2026-01-31T23:59:59.999Z", "2026-02-01T00:00:00Z"


def qualified(*, value: bool) -> dict[str, Any]:
    return {"qualificationResult": {"qualified": value}}


@pytest.mark.parametrize(
    ("query", "matching", "other"),
    [
        ({"channel": "telegram"}, {"channel": "telegram"}, {}),
        ({"campaignId": CAMPAIGN}, {"campaignId": CAMPAIGN}, {}),
        ({"agentConfigId": "b" * 24}, {"agentConfigId": "b" * 24}, {}),
        ({"leadId": " 7"}, {"leadId": " 7"}, {"leadId": "7"}),
        ({"qualified": "true"}, qualified(value=True), qualified(value=False)),
        ({"qualified": "false"}, qualified(value=False), {}),
        ({"createdAfter": FEBRUARY}, {"createdAt": FEBRUARY}, {"createdAt": JANUARY}),
        ({"createdBefore": FEBRUARY}, {"createdAt": JANUARY}, {"createdAt": FEBRUARY}),
        ({"updatedAfter": "2026-02-01T01:00:00+01:00"}, {"updatedAt": FEBRUARY}, {"updatedAt": JANUARY}),
        ({"updatedBefore": "2026-02-01T00:00:00.001Z"}, {"updatedAt": FEBRUARY}, {"updatedAt": "2026-03-01T00:00:00Z"}),
    ],
)
def test_further_filters(api: Api, record: Record, query: Any, matching: Any, other: Any) -> None:
    expected = record(**matching).pk
    record(**other)
    assert api.ids(**query) == [expected]


# Environments and accounts


def test_live_and_test_never_mix(api: Api, record: Record, acme: Account) -> None:
    live, test = record().pk, record(environment="test").pk
    test_api = Api(acme, "test")
    assert api.ids() == [live]
    assert test_api.ids() == [test]
    assert api.get(limit=5).headers["X-Total-Count"] == "1"
    assert test_api.ids(search="price") == [test]


def test_another_accounts_conversations_are_not_there(api: Api, record: Record, other_account: Account) -> None:
    mine = record().pk
    record(account=other_account)
    assert api.ids() == [mine]
    assert api.ids(search="price") == [mine]
    assert api.get(limit=5).headers["X-Total-Count"] == "1"


# What breaks off


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("piece", [1, 1 << 17])
@pytest.mark.parametrize("after", [0, 2])
def test_list_that_breaks_off_is_no_json(
    api: Api,
    record: Record,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    after: int,
    piece: int,
    coding: str,
) -> None:
    for _ in range(4):
        record()
    shown = api.listed()
    break_off(monkeypatch, after=after)
    monkeypatch.setattr("conversations.wire.STREAM_BYTES", piece)
    response = api.get(headers={"Accept-Encoding": coding})
    content = gzip.decompress(response.getvalue()) if coding == "gzip" else response.getvalue()
    with pytest.raises(json.JSONDecodeError):
        json.loads(content)
    assert json.loads(content + b"]") == shown[:after]
    assert [entry.name for entry in caplog.records if entry.levelname == "ERROR"] == ["accounts.tables"]
    assert "+1555" not in caplog.text


# Cost


@pytest.mark.parametrize("number", [1, 30])
def test_list_and_page_take_three_statements(api: Api, record: Record, number: int) -> None:
    for _ in range(number):
        record()
    api.listed()  # the first use of a key is written down
    with statements(3):  # the key, the totals, the conversations
        assert len(api.listed()) == number
    with statements(3):
        assert len(api.listed(limit=50)) == number
    with statements(3):  # totals are kept for each status
        assert len(api.listed(limit=50, status="active")) == number
    with statements(3):  # what was left out otherwise has to be counted, unless a page shows it all
        assert len(api.listed(limit=50, channel="whatsapp")) == number
    with statements(3 if number == 1 else 4):
        assert len(api.listed(limit=1, channel="whatsapp")) == 1


def test_head_answers_without_a_body(api: Api, record: Record) -> None:
    record()
    response = api.client.head("/api/conversations", headers={"X-API-Key": api.token})
    assert response.status_code == 200
    assert response.getvalue() == b""
