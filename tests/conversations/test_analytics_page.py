"""GET /analytics/: every figure opens a list of exactly as many rows."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, User
from accounts.scopes import Role
from config.storage.moments import now
from conversations.analytics import medians
from conversations.analytics.chart import Chart, Span
from conversations.analytics.numbers import Number, Rate, Trend, span_text
from conversations.analytics.period import BadPeriod, Period
from conversations.models import Channel, Conversation, Status
from tests.conftest import Api, client_of, text_of
from tests.conversations.test_pages import LIST, wire_moment
from tests.factories import AGENT, CAMPAIGN, message

Record = Callable[..., Conversation]
PATH = "/analytics/"
OTHER_AGENT = "b" * 24
HOSTILE = "=HYPERLINK(1)<script>alert(1)</script>\"'&"
TICK = timedelta(milliseconds=1)
ANCHOR = re.compile(r'<a href="(?P<link>[^"]*)" data-number="(?P<number>\d+)"[^>]*>(?P<text>.*?)</a>', re.DOTALL)


def ago(**length: float) -> str:
    return wire_moment(now() - timedelta(**length))


@pytest.fixture
def history(record: Record, acme: Account, other_account: Account) -> None:
    """Conversations of all kinds over channels, agents, stages, speakers and 200 days; others that do not count."""
    speakers = ["lead", "agent", "human", "system", None]
    for number in range(70):
        speaker = speakers[number % 5]
        record(
            leadId=str(number),
            status=Status.values[number % 4],
            channel=Channel.values[number % 3],
            agentConfigId=AGENT if number % 7 else OTHER_AGENT,
            campaignId=CAMPAIGN if number % 4 == 1 else None,
            currentStageIndex=[0, 1, 1, 3, 4, 60][number % 6],
            qualificationResult={"qualified": number % 3 == 0} if number % 2 else None,
            createdAt=ago(hours=number * number),
            updatedAt=ago(hours=number),
            messages=[message("Hi", role=speaker)] if speaker else [],
        )
    record(environment="test", status="dropped")
    record(account=other_account, status="dropped")
    record(createdAt=ago(days=-3))  # not yet
    acme.agents.live().get(agent_config_id=AGENT).rename(by=None, name=HOSTILE, stages=["Greeting", "1", HOSTILE])


def figures_on(html: str) -> Iterator[tuple[str, int, str]]:
    """Each figure's link, its number, and what the page shows for it."""
    for found in ANCHOR.finditer(html):
        yield unescape(found["link"]), int(found["number"]), re.sub(r"<[^>]*>", "", found["text"])


def total_on(response: Any) -> int:
    assert response.status_code == 200
    assert not response.context["errors"]
    return int(response.context["total"])


def tile(response: Any, name: str) -> Any:
    return next(one for one in response.context["report"].tiles if one.name == name)


# Refusals


def test_who_is_not_signed_in_is_sent_to_sign_in(db: None, client: Client) -> None:
    assert client.get(PATH)["Location"] == f"/login/?next={PATH}"


def test_a_person_without_membership_is_refused(db: None) -> None:
    assert client_of(User.objects.create_user("stranger@example.com")).get(PATH).status_code == 403


def test_the_page_answers_to_reading_alone(page: Client) -> None:
    assert page.post(PATH).status_code == 405


def test_who_may_not_read_conversations_sees_figures_without_links(acme: Account, history: None) -> None:
    integrator = User.objects.create_user("integrator@example.com")
    acme.memberships.create(user=integrator, roles=[Role.INTEGRATOR])
    html = text_of(client_of(integrator).get(PATH))
    assert "Where leads stop" in html
    assert f'href="{LIST}' not in html
    assert not list(figures_on(html))


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ({"channel": "fax"}, "Channel", "Must be one of"),
        ({"agentConfigId": "x"}, "Agent", "ObjectId"),
        ({"campaignId": "x"}, "Campaign", "ObjectId"),
        ({"range": "8d"}, "Period", "7d, 30d, 90d"),
        ({"from": "yesterday"}, "Period", "2026-03-12"),
        ({"from": "２０２６-01-01"}, "Period", "2026-03-12"),
        ({"from": "2026-02-30"}, "Period", "2026-03-12"),
        ({"from": "1999-12-31"}, "Period", "2000-01-01"),
        ({"from": "9999-12-31"}, "Period", "in the future"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "Period", "ends before it begins"),
        ({"from": "2020-01-01", "to": "2021-12-31"}, "Period", "366 days"),
    ],
)
def test_what_cannot_be_counted_is_said_and_nothing_is_counted(
    page: Client, record: Record, query: dict[str, str], name: str, words: str
) -> None:
    record()
    response = page.get(PATH, query)
    assert response.context["report"] is None
    assert words in " ".join(response.context["errors"][name])
    assert words in unescape(text_of(response))
    assert page.get(PATH, {**query, "csv": "days"}).status_code == 302


# Each figure opens its rows


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"range": "7d", "channel": "telegram"},
        {"range": "90d", "agentConfigId": OTHER_AGENT},
        {"range": "90d", "campaignId": CAMPAIGN},
        {"from": ago(days=200)[:10]},
        {"range": "90d", "channel": "whatsapp", "agentConfigId": AGENT, "campaignId": CAMPAIGN},
    ],
)
def test_every_figure_opens_a_list_of_exactly_its_rows(page: Client, history: None, query: dict[str, str]) -> None:
    html = text_of(page.get(PATH, query))
    figures = list(figures_on(html))
    assert len(figures) == html.count(f'href="{LIST}?')  # no link to a list says no number
    assert len({link for link, _, _ in figures}) > 10
    totals = {link: total_on(page.get(link)) for link, _, _ in figures}  # most stand on the page more than once
    for link, number, text in figures:
        assert text.endswith(("%", "in all")) or text == f"{number:,}"
        assert totals[link] == number > 0, (link, text)


def test_the_api_finds_exactly_the_rows_of_a_figure_too(page: Client, api: Api, history: None) -> None:
    html = text_of(page.get(PATH, {"range": "7d", "channel": "whatsapp"}))
    links = {link: number for link, number, _ in figures_on(html)}
    assert len(links) > 10
    for link, number in links.items():
        assert len(api.ids(**QueryDict(link.partition("?")[2]).dict())) == number, link


def test_figures_say_what_they_should(page: Client, history: None) -> None:
    end = now()
    rows = [
        row
        for row in Conversation.objects.filter(account__name="Acme", environment="live", created_at__lt=end)
        if row.created_at >= end - timedelta(days=29) - (end - end.replace(hour=0, minute=0, second=0, microsecond=0))
    ]
    response = page.get(PATH)
    report = response.context["report"]
    finished = [row for row in rows if row.status != "active"]
    assert report.tally.total == len(rows) > 20
    assert report.tally.finished == len(finished)
    assert report.tally.qualified == sum(row.qualified is True for row in finished)
    assert [step.index for step in report.steps] == [0, 1, 2, 3, 4, 49]
    for step in report.steps:
        assert step.reached.value == sum(row.current_stage_index >= step.index for row in rows)
    assert sum(span.total.value for span in report.chart.spans) == len(rows)
    assert len(report.chart.spans) == 30
    assert sum(row.total.value for row in report.channels) == len(rows)
    assert sum(row.total.value for row in report.agents) == len(rows)
    assert sum(stop.total.value for stop in report.stops) == sum(row.status == "dropped" for row in rows)


@pytest.mark.parametrize(
    ("name", "value", "matching", "other"),
    [
        ("finished", "true", {"status": "dropped"}, {"status": "active"}),
        ("finished", "false", {"status": "active"}, {"status": "completed"}),
        ("stageReached", "2", {"currentStageIndex": 60}, {"currentStageIndex": 1}),
        ("stageIndex", "2", {"currentStageIndex": 2}, {"currentStageIndex": 3}),
        ("lastRole", "human", {"messages": [message("Hi", role="human")]}, {}),
        ("lastRole", "none", {"messages": []}, {}),
    ],
)
def test_the_lists_filters_that_figures_need(
    api: Api, record: Record, name: str, value: str, matching: dict[str, Any], other: dict[str, Any]
) -> None:
    wanted = record(**matching)
    record(**other)
    assert api.ids(**{name: value}) == [wanted.pk]
    assert api.get("/api/conversations", None, **{name: "x"}).status_code == 400


# The period


def test_days_are_the_readers(page: Client, alice: User, record: Record) -> None:
    """In Auckland a day begins 11 to 13 hours before it does in UTC."""
    alice.time_zone = "Pacific/Auckland"
    alice.save()
    zone = ZoneInfo("Pacific/Auckland")
    midnight = datetime(2026, 3, 10, tzinfo=zone).astimezone(UTC)
    for moment in (midnight - TICK, midnight, midnight + timedelta(days=1) - TICK, midnight + timedelta(days=1)):
        record(createdAt=wire_moment(moment))
    response = page.get(PATH, {"from": "2026-03-10", "to": "2026-03-10"})
    assert response.context["report"].tally.total == 2
    assert "Pacific/Auckland" in text_of(response)
    for link, number, _ in figures_on(text_of(response)):
        assert total_on(page.get(link)) == number


def test_days_follow_the_clock_when_it_changes() -> None:
    with timezone.override("Europe/Berlin"):
        period = Period.read({"from": "2026-03-28", "to": "2026-03-30"}, datetime(2026, 6, 1, tzinfo=UTC))
    hours = [(end - start) / timedelta(hours=1) for start, end in zip(period.edges, period.edges[1:], strict=False)]
    assert hours == [24, 23, 24]
    assert (period.days, period.text) == (3, "28 Mar – 30 Mar 2026")


def test_a_period_that_ends_now_is_compared_up_to_the_same_time() -> None:
    moment = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
    period = Period.read({}, moment)
    assert (period.start, period.end) == (datetime(2026, 10, 24, tzinfo=UTC), moment)
    assert period.before == (datetime(2026, 9, 24, tzinfo=UTC), datetime(2026, 10, 23, 15, 30, tzinfo=UTC))
    past = Period.read({"from": "2026-11-01", "to": "2026-11-10"}, moment)
    assert past.before == (datetime(2026, 10, 22, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))


def test_a_long_period_is_counted_by_the_week() -> None:
    period = Period.read({"from": "2026-01-01", "to": "2026-06-30"}, datetime(2026, 11, 22, tzinfo=UTC))
    assert period.step == 7
    assert len(period.edges) == 27
    assert period.name_of(25) == "25 Jun – 30 Jun 2026"


def test_at_midnight_the_period_is_not_empty(record: Record) -> None:
    period = Period.read({"range": "7d"}, datetime(2026, 11, 22, tzinfo=UTC))
    assert period.edges == sorted(period.edges)
    with pytest.raises(BadPeriod):
        Period.read({"from": "2026-11-23"}, datetime(2026, 11, 22, tzinfo=UTC))


def test_a_figure_is_compared_with_the_period_before(page: Client, record: Record) -> None:
    for days in (1, 2, 3, 31, 32):
        record(createdAt=ago(days=days))
    assert tile(page.get(PATH), "Conversations").trend == Trend("↑ 50 %", "2 in the period before")
    assert tile(page.get(PATH, {"channel": "email"}), "Conversations").trend is None
    assert tile(page.get(PATH, {"range": "7d"}), "Conversations").trend.text == "new"
    assert "↑ 50 %" in text_of(page.get(PATH))


# Medians


def test_first_reply_is_from_the_leads_first_message_to_the_answer(page: Client, record: Record) -> None:
    def said(*spoken: tuple[str, int]) -> None:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        record(
            messages=[
                message("x", role=role, timestamp=wire_moment(start + timedelta(seconds=at))) for role, at in spoken
            ]
        )

    said(("agent", 0), ("lead", 100), ("lead", 110), ("system", 115), ("agent", 120), ("human", 500))  # 20 s
    said(("lead", 0), ("human", 40))  # 40 s
    said(("lead", 0), ("agent", 60))  # 60 s
    said(("lead", 0))
    said(("agent", 0))
    said(("lead", 100), ("agent", 0))  # clocks that disagree
    shown = tile(page.get(PATH), "First reply")
    assert (shown.value, shown.number.value) == ("40 s", 3)
    assert "3 measured of <a" in shown.detail


def test_silence_is_from_the_leads_last_message_to_the_drop(page: Client, record: Record) -> None:
    for hours in (1, 2, 30):
        record(
            status="dropped",
            updatedAt="2026-03-13T00:00:00Z",
            messages=[
                message("x", timestamp=wire_moment(datetime(2026, 3, 13, tzinfo=UTC) - timedelta(hours=hours))),
                message("y", role="agent", timestamp="2026-03-12T23:59:00Z"),
            ],
        )
    record(status="dropped", messages=[])
    record(
        status="dropped", updatedAt="2026-03-13T00:00:00Z", messages=[message("x", timestamp="2026-03-14T00:00:00Z")]
    )
    record(status="completed")
    shown = tile(page.get(PATH), "Silence before a drop")
    assert (shown.value, shown.number.value) == ("2 h", 3)


def test_medians_say_over_how_many_of_the_newest(page: Client, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(medians, "MAX_REPLIES", 2)
    for seconds in (10, 20, 300):
        start = now() - timedelta(days=seconds / 100)
        spoken = [("lead", start), ("agent", start + timedelta(seconds=seconds))]
        record(
            createdAt=wire_moment(start),
            messages=[message("x", role=role, timestamp=wire_moment(moment)) for role, moment in spoken],
        )
    shown = tile(page.get(PATH), "First reply")
    assert shown.value == "15 s"
    assert "2 measured of the newest 2 of <a" in shown.detail


# Numbers


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"), [(0, 10, 0.0, 27.8), (10, 10, 72.2, 100.0), (111, 300, 31.7, 42.6)]
)
def test_interval_is_wilsons(part: int, whole: int, low: float, high: float) -> None:
    assert [round(end, 1) for end in Rate(part, whole).interval] == [low, high]


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "–"),
        (0, 346, "0 %"),
        (1, 346, "<1 %"),
        (1, 200, "<1 %"),
        (2, 346, "1 %"),
        (345, 346, ">99 %"),
        (346, 346, "100 %"),
    ],
)
def test_some_is_not_none_and_nearly_all_not_all(part: int, whole: int, text: str) -> None:
    assert Rate(part, whole).text == text


def test_a_rate_of_few_is_greyed_and_says_so(page: Client, record: Record) -> None:
    for _ in range(19):
        record(status="completed", qualificationResult={"qualified": True})
    few = page.get(PATH)
    assert tile(few, "Qualified").is_thin
    assert "too few to say" in text_of(few)
    record(status="dropped")
    enough = page.get(PATH)
    assert not tile(enough, "Qualified").is_thin
    [row] = enough.context["report"].agents
    assert (row.rate.text, row.rate.interval_text) == ("95 %", "76–99 %")


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (None, "–"),
        (timedelta(seconds=41), "41 s"),
        (timedelta(minutes=4, seconds=30), "4.5 min"),
        (timedelta(hours=19), "19 h"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_a_length_of_time_is_written_in_its_unit(span: timedelta | None, text: str) -> None:
    assert span_text(span) == text


@pytest.mark.parametrize(("most", "top"), [(0, 1), (1, 1), (2, 2), (3, 4), (5, 6), (11, 20), (47, 60), (999, 1000)])
def test_the_scale_ends_at_a_round_number(most: int, top: int) -> None:
    assert Chart([Span("", "", "", Number(most), {})]).top == top


# What it shows besides


def test_texts_from_outside_stay_texts(page: Client, history: None) -> None:
    html = text_of(page.get(PATH))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


@pytest.mark.parametrize("sheet", ["figures", "funnel", "days", "channels", "agents", "stops"])
def test_each_table_is_a_csv_that_is_safe_to_open(page: Client, history: None, sheet: str) -> None:
    link = next(
        unescape(link)
        for link in re.findall(r'href="([^"]*csv=[^"]*)"', text_of(page.get(PATH, {"range": "90d"})))
        if link.endswith(f"csv={sheet}")
    )
    response = page.get(link)
    assert response.status_code == 200
    assert f"analytics-{sheet}-" in response["Content-Disposition"]
    text = response.getvalue().decode("utf-8-sig")
    assert text.count("\r\n") > 1
    assert not re.search(r'(^|,)"?=', text, re.MULTILINE)
    if sheet == "days":
        assert len(text.splitlines()) == 91
    assert page.get(PATH, {"csv": "nonsense"})["Location"] == PATH


def test_nothing_yet_is_said_with_a_way_on(page: Client, record: Record) -> None:
    record(createdAt=ago(days=60))
    response = page.get(PATH, {"channel": "whatsapp"})
    assert "No conversations started in this period that match" in text_of(response)
    assert tile(page.get(response.context["longest_link"]), "Conversations").value == "1"


def test_a_single_conversation_fills_the_page(page: Client, record: Record) -> None:
    record(status="dropped")
    html = text_of(page.get(PATH))
    assert "too few to say" in html
    for link, number, _ in figures_on(html):
        assert total_on(page.get(link)) == number == 1


def test_filters_stay_when_the_period_changes(page: Client, record: Record) -> None:
    record(channel="telegram")
    first = f"{now() - timedelta(days=100):%Y-%m-%d}"
    response = page.get(PATH, {"channel": "telegram", "from": first})
    asked = response.context["asked"]
    assert all("channel=telegram" in choice.link and "from" not in choice.link for choice in asked.ranges)
    assert [chip.name for chip in response.context["chips"]] == ["Period", "Channel"]
    assert f'<input type="hidden" name="from" value="{first}">' in text_of(response)


@pytest.mark.skipif(settings.STORE.name == "mongodb", reason="counts statements of SQL")
def test_statements_are_few_however_many_rows(page: Client, record: Record, history: None) -> None:
    def counted() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert page.get(PATH, {"range": "90d"}).status_code == 200
        return len([query for query in captured if "SAVEPOINT" not in query["sql"]])

    before = counted()
    for number in range(30):
        record(agentConfigId=f"{number:024}", currentStageIndex=number, status="dropped")
    assert (
        counted() <= before <= 14
    )  # session, person, membership, names (2); groups (3), before (2), medians (2), days (2)
