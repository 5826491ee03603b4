"""GET /api/analytics/overview (contract, sections 3, 5 and 8)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from accounts.scopes import Scope
from config.storage.moments import format_moment, now
from conversations import analytics_api
from conversations.models import Channel, Conversation, Status
from tests.conftest import Api, json_of, statements
from tests.factories import message

Record = Callable[..., Conversation]

PATH = "/api/analytics/overview"
EMPTY = {
    "totalConversations": 0,
    "activeConversations": 0,
    "qualifiedLeads": 0,
    "disqualifiedLeads": 0,
    "qualificationRate": 0,
    "avgMessagesPerConversation": 0,
    "channelBreakdown": {"whatsapp": 0, "telegram": 0, "email": 0},
    "totalLeads": 0,
    "newLeads": 0,
}
YES = {"qualified": True, "reason": "Has a budget"}
NO = {"qualified": False, "reason": "A student"}


def overview(api: Api, **query: Any) -> dict[str, Any]:
    response = api.get(PATH, **query)
    assert response.status_code == 200, response.content
    figures: dict[str, Any] = json_of(response)
    return figures


def ago(**spans: float) -> str:
    return format_moment(now() - timedelta(**spans))


@pytest.fixture
def history(record: Record) -> None:
    """Conversations of every kind: each status and result over the channels, within and before 30 days."""
    for number, status in enumerate(Status.values * 3):
        record(
            leadId=str(number),
            status=status,
            channel=Channel.values[number % 3],
            createdAt=ago(days=number * 4),
            qualificationResult=[YES, NO, None][number // 4],
            messages=[message("Hello")] * (number % 5),
        )


# Refusals


def test_without_a_key_is_401(db: None) -> None:
    assert Client().get(PATH).status_code == 401


def test_key_without_the_scope_is_403(acme: Account) -> None:
    response = Api(acme, scopes=[scope for scope in Scope if scope != Scope.DASHBOARD_VIEW]).get(PATH)
    assert response.status_code == 403
    assert json_of(response) == {
        "error": "Forbidden",
        "message": "API key does not have the required scope (requires: dashboard:view).",
    }


@pytest.mark.parametrize("given", ["1d", "30", "30D", " 30d", "7d,30d", "all", "\x00", "x" * 1000])
def test_unknown_range_is_400_and_names_the_allowed(api: Api, given: str) -> None:
    response = api.get(PATH, range=given)
    assert response.status_code == 400
    assert json_of(response) == {
        "error": "Validation failed",
        "details": {"range": ["Must be one of 7d, 30d, 90d."]},
    }


def test_range_given_twice_is_400(api: Api) -> None:
    response = api.get(PATH, range=["7d", "7d"])
    assert response.status_code == 400
    assert json_of(response)["details"] == {"range": ["May be given once."]}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_405(api: Api, method: str) -> None:
    assert api.send(method, PATH).status_code == 405


def test_no_other_analytics_exist(api: Api) -> None:
    for path in ("/api/analytics", "/api/analytics/overview/", "/api/analytics/other"):
        assert api.get(path).status_code == 404


# Whose


def test_account_without_conversations_has_zeros(api: Api, record: Record, other_account: Account) -> None:
    record(account=other_account, qualificationResult=YES)
    figures = overview(api)
    assert figures == EMPTY
    assert list(figures) == list(EMPTY)
    assert list(figures["channelBreakdown"]) == Channel.values


def test_live_and_test_are_counted_apart(api: Api, record: Record, acme: Account) -> None:
    record(leadId="1", channel="telegram")
    record(leadId="1", createdAt=ago(days=60), environment="test")
    for _ in range(2):
        record(leadId="1", environment="test", channel="email")
    live, test = overview(api), overview(Api(acme, "test"))
    assert (live["totalConversations"], test["totalConversations"]) == (1, 2)
    assert live["channelBreakdown"] == {"whatsapp": 0, "telegram": 1, "email": 0}
    assert test["channelBreakdown"] == {"whatsapp": 0, "telegram": 0, "email": 2}
    assert (live["newLeads"], test["newLeads"]) == (1, 0)  # in test the lead was known before


def test_another_accounts_conversations_make_no_lead_known(api: Api, record: Record, other_account: Account) -> None:
    record(account=other_account, leadId="1", createdAt=ago(days=60))
    record(leadId="1")
    assert overview(api)["newLeads"] == 1


# The figures


@pytest.mark.parametrize(("given", "days"), [("7d", 7), ("30d", 30), ("90d", 90), ("", 30), (None, 30)])
def test_figures_open_lists_of_exactly_their_rows(api: Api, history: None, given: str | None, days: int) -> None:
    figures = overview(api, **({} if given is None else {"range": given}))
    rows = api.listed(createdAfter=ago(days=days), createdBefore=format_moment(now()))

    def number(**filters: str) -> int:
        return len(api.ids(createdAfter=ago(days=days), createdBefore=format_moment(now()), **filters))

    completed = number(status="completed")
    assert 0 < len(rows) <= 12
    assert figures == {
        "totalConversations": len(rows),
        "activeConversations": number(status="active"),
        "qualifiedLeads": number(qualified="true"),
        "disqualifiedLeads": number(qualified="false"),
        "qualificationRate": round(100 * number(status="completed", qualified="true") / completed, 1),
        "avgMessagesPerConversation": round(sum(row["messageCount"] for row in rows) / len(rows), 1),
        "channelBreakdown": {channel: number(channel=channel) for channel in Channel.values},
        "totalLeads": len({row["leadId"] for row in rows}),
        "newLeads": len({row["leadId"] for row in rows}),
    }


def test_rate_is_of_completed_conversations_alone(api: Api, record: Record) -> None:
    for result in (YES, YES, NO, None, None, None, None):
        record(status="completed", qualificationResult=result)
    record(status="active", qualificationResult=YES)
    record(status="handed_off", qualificationResult=NO)
    figures = overview(api)
    assert figures["qualificationRate"] == 28.6
    assert (figures["qualifiedLeads"], figures["disqualifiedLeads"]) == (3, 2)


def test_rate_is_zero_when_none_is_completed(api: Api, record: Record) -> None:
    record(status="active", qualificationResult=YES)
    assert overview(api)["qualificationRate"] == 0


def test_average_has_one_decimal(api: Api, record: Record) -> None:
    for number in (0, 1, 1):
        record(messages=[message("Hello")] * number)
    assert overview(api)["avgMessagesPerConversation"] == 0.7


def test_leads_are_counted_once_and_new_ones_had_no_earlier_conversation(api: Api, record: Record) -> None:
    record(leadId="gone", createdAt=ago(days=40))
    record(leadId="returning", createdAt=ago(days=40))
    for lead in ("returning", "returning", "new", "new", "New", " new"):
        record(leadId=lead, createdAt=ago(days=2))
    figures = overview(api)
    assert (figures["totalConversations"], figures["totalLeads"], figures["newLeads"]) == (6, 4, 3)
    assert (overview(api, range="90d")["totalLeads"], overview(api, range="90d")["newLeads"]) == (5, 5)


@pytest.mark.parametrize(("given", "days"), [("7d", 7), ("30d", 30), ("90d", 90)])
def test_range_begins_with_its_first_millisecond_and_ends_before_now(
    api: Api, record: Record, monkeypatch: pytest.MonkeyPatch, given: str, days: int
) -> None:
    end = now()
    start, tick = end - timedelta(days=days), timedelta(milliseconds=1)

    def at(moment: datetime) -> None:
        record(leadId=format_moment(moment), createdAt=format_moment(moment))

    for moment in (start - tick, start, end - tick, end, end + timedelta(days=1)):
        at(moment)
    monkeypatch.setattr(analytics_api, "now", lambda: end)
    figures = overview(api, range=given)
    assert (figures["totalConversations"], figures["totalLeads"], figures["newLeads"]) == (2, 2, 2)


def test_conversation_of_the_future_makes_no_lead_of_today(api: Api, record: Record) -> None:
    record(leadId="1", createdAt=ago(days=40))
    record(leadId="1", createdAt=ago(days=-1))
    assert overview(api) == EMPTY


def test_lead_of_today_and_of_the_future_is_one_of_today(api: Api, record: Record) -> None:
    for lead, *days in (("1", 1, -1), ("2", 40, 2, -1), ("3", 40, -1), ("4", -1), ("5", 40, 2)):
        for ago_days in days:
            record(leadId=lead, createdAt=ago(days=ago_days))
    figures = overview(api)
    assert (figures["totalConversations"], figures["totalLeads"], figures["newLeads"]) == (3, 3, 1)


def test_overview_takes_as_many_queries_however_many_conversations(
    api: Api, history: None, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key, and what is kept: of three channels days and half hours, messages, first and last of leads, and of the
    three at either end a rest; leads ahead of now."""
    tomorrow = now().replace(hour=12, minute=10) + timedelta(days=1)  # nothing is ahead of it
    monkeypatch.setattr(analytics_api, "now", lambda: tomorrow)
    api.get(PATH)
    with statements(17):
        overview(api, range="90d")
    for _ in range(20):
        record(createdAt=ago(days=3))
    with statements(17):
        overview(api, range="90d")


@pytest.mark.parametrize("minutes", [0, 7, 29, 31, 12 * 60 + 1, 23 * 60 + 50])
def test_what_is_kept_and_what_is_counted_make_one(
    api: Api, record: Record, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """At every time of the day the figures are those of the rows."""
    end = datetime(2026, 3, 20, tzinfo=UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr(analytics_api, "now", lambda: end)
    for number in range(80):
        record(
            leadId=str(number % 50),
            status=Status.values[number % 4],
            channel=Channel.values[number % 3],
            createdAt=format_moment(end - timedelta(days=9) + timedelta(minutes=number * 173)),
            qualificationResult=[YES, NO, None][number % 5 % 3],
            messages=[message("Hello")] * (number % 4),
        )
    for conversation in Conversation.objects.all()[:5]:
        conversation.append([message("And")], by=None)
    rows = list(Conversation.objects.filter(created_at__gte=end - timedelta(days=7), created_at__lt=end))
    figures = overview(api, range="7d")
    assert figures["totalConversations"] == len(rows) > 50
    assert figures["activeConversations"] == sum(row.status == "active" for row in rows)
    assert figures["qualifiedLeads"] == sum(row.qualified is True for row in rows)
    assert figures["disqualifiedLeads"] == sum(row.qualified is False for row in rows)
    completed = [row for row in rows if row.status == "completed"]
    assert figures["qualificationRate"] == round(
        100 * sum(bool(row.qualified) for row in completed) / len(completed), 1
    )
    assert figures["avgMessagesPerConversation"] == round(sum(row.message_count for row in rows) / len(rows), 1)
    assert figures["channelBreakdown"] == {name: sum(row.channel == name for row in rows) for name in Channel.values}
    leads = {row.lead_id for row in rows}
    assert figures["totalLeads"] == len(leads)
    known = set(Conversation.objects.filter(created_at__lt=end - timedelta(days=7)).values_list("lead_id", flat=True))
    assert figures["newLeads"] == len(leads - known) < len(leads)
