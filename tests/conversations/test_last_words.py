"""GET /analytics/last-words/: the agent's lines after which leads fell silent, each a list of exactly its rows."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.masking import HIDDEN, holds_contact
from accounts.models import Account, User
from accounts.scopes import Role
from config.storage.moments import now
from config.storage.search import among
from conversations.analytics import said
from conversations.analytics.lines import MOST_COMMON, WORDLESS, common_of
from conversations.filters import OWNER
from conversations.messages import PREVIEW
from conversations.models import Conversation
from conversations.models.erasure import erase
from tests.conftest import Api, client_of, text_of
from tests.conversations.test_analytics_page import HOSTILE, OTHER_AGENT, ago, figures_on, total_on
from tests.conversations.test_pages import LIST, wire_moment
from tests.factories import AGENT, CAMPAIGN, message

Record = Callable[..., Conversation]
Drop = Callable[..., Conversation]
PATH = "/analytics/last-words/"
NAMES = ("Ana", "Kwame", "María José", "Nguyễn", "Søren")
PHONE, EMAIL = "+1 (555) 867-5309", "ana.lima@acme-example.com"


@pytest.fixture
def drop(record: Record) -> Drop:
    """Records a conversation that was dropped after this line."""

    def inner(line: str, *, role: str = "agent", **fields: Any) -> Conversation:
        fields = {"status": "dropped", "createdAt": ago(hours=1), **fields}
        return record(messages=[message("Hi"), message(line, role=role)], **fields)

    return inner


@pytest.fixture
def history(drop: Drop, record: Record, acme: Account, other_account: Account) -> None:
    """Lines of all kinds over channels, agents, stages and 200 days; others that do not count."""
    lines = (
        "Hi {}, shall I keep the desk for you?",
        "{}, still interested in flex?",
        "Have a nice day!",
        HOSTILE,
        "👍",
    )
    for number in range(60):
        drop(
            lines[number % 5].format(NAMES[number % 4]),
            role=("agent", "agent", "agent", "lead", "human", "system")[number // 5 % 6],
            leadId=str(number),
            channel=("whatsapp", "telegram", "email")[number % 3],
            agentConfigId=AGENT if number % 7 else OTHER_AGENT,
            campaignId=CAMPAIGN if number % 4 == 1 else None,
            currentStageIndex=(0, 1, 2, 3, 4, 60)[number % 6],
            createdAt=ago(hours=number * number),
        )
    for status in ("active", "completed", "handed_off"):
        drop(lines[0].format("Ana"), status=status)
    record(status="dropped", messages=[], createdAt=ago(hours=1))
    drop(lines[0].format("Ana"), environment="test")
    drop(lines[0].format("Ana"), account=other_account)
    drop(lines[0].format("Ana"), createdAt=ago(days=-3))  # not yet
    acme.agents.live().get(agent_config_id=AGENT).rename(by=None, name=HOSTILE, stages=["Greeting", "1", HOSTILE])


def lines_of(response: Any) -> dict[str, int]:
    found = response.context["found"]
    return {line.text: line.number.value for line in found.lines} if found else {}


# Which lines are one


@pytest.mark.parametrize(
    ("line", "common"),
    [
        ("Hi {}, shall I keep the desk in Leith for you?", "shall i keep the desk in … for you"),
        ("Hi {}! Shall i keep the desk in Leith for you", "shall i keep the desk in … for you"),
        ("Hello again, {}. Any news about the desk?", "any news about the desk"),
        ("{}, are you still interested?", "are you still interested"),
        ("I won’t write any more, {}. Take care!", "i won't write any more … take care"),
        ("Ich melde mich jetzt nicht mehr, {}. Alles Gute!", "ich melde mich jetzt nicht mehr … alles"),
        ("¡Hola {}! ¿Sigues interesado en la oferta?", "sigues interesado en la oferta"),
        ("Shall I book Tuesday at 10:30 or 14:00, {}?", "shall i book … at … or"),
        ("Write to me@acme.example or www.acme.example/x, {}.", "write to … or"),
        ("We hope to see you soon 🙂", "we hope to see you soon"),
        ("Have A Great Day", "have a great day"),
        ("Ok.", "ok"),
        ("😊👍", WORDLESS),
        ("+1 555 867 5309", WORDLESS),
        ("", WORDLESS),
    ],
)
def test_what_lines_to_different_leads_have_in_common(line: str, common: str) -> None:
    assert {common_of(line.format(name)) for name in NAMES} == {common}


def test_lines_that_say_something_else_are_told_apart() -> None:
    lines = (
        "Have a great day",
        "Have a nice day",
        "Shall I call?",
        "Shall I write?",
        "Yes, it is free",
        "No, it is gone",
    )
    assert len(set(map(common_of, lines))) == len(lines)


def test_a_line_is_the_same_wherever_its_preview_is_cut() -> None:
    line = "Hi {}, " + "let me know whether the offer still suits you and the team, and when. " * 3
    cut = {line.format(name)[:PREVIEW] for name in ("Ana", "María José", "Bartholomew Featherstone")}
    assert len({len(common_of(one)) for one in cut}) == len({common_of(one) for one in cut}) == 1
    assert len(common_of("x" * PREVIEW)) <= MOST_COMMON


@given(st.text(max_size=PREVIEW))
def test_what_lines_have_in_common_fits_into_an_address_and_holds_no_contact(line: str) -> None:
    common = common_of(line)
    assert common == common.strip()
    assert 0 < len(common) <= MOST_COMMON
    assert not holds_contact(common)


AROUND = st.text("a1 .@-(", max_size=6)


@given(st.text("0123456789", min_size=7, max_size=15), st.sampled_from(["", " ", "-", ") "]), AROUND)
def test_no_phone_is_left_in_what_lines_have_in_common(digits: str, between: str, around: str) -> None:
    assert not re.search(r"\d", common_of(f"call me at {around}{between.join(digits)}{around}"))


def test_the_leads_own_contact_is_left_out_however_odd_it_is() -> None:
    assert common_of("write to ana lima then", email="Ana Lima") == "write to … then"
    assert common_of("write to ana_lima then", phone="ana_lima") == "write to … then"


# Refusals


def test_who_is_not_signed_in_is_sent_to_sign_in(db: None, client: Client) -> None:
    assert client.get(PATH)["Location"] == f"/login/?next={PATH}"


def test_who_may_not_read_conversations_reads_no_line_either(acme: Account, history: None) -> None:
    integrator = User.objects.create_user("integrator@example.com")
    acme.memberships.create(user=integrator, roles=[Role.INTEGRATOR])
    client = client_of(integrator)
    assert client.get(PATH).status_code == 403
    assert PATH not in text_of(client.get("/analytics/"))


def test_the_page_answers_to_reading_alone(page: Client) -> None:
    assert page.post(PATH).status_code == 405


@pytest.mark.parametrize(
    ("query", "name"), [({"channel": "fax"}, "Channel"), ({"agentConfigId": "x"}, "Agent"), ({"range": "8d"}, "Period")]
)
def test_what_cannot_be_counted_is_said_and_nothing_is_counted(
    page: Client, drop: Drop, query: dict[str, str], name: str
) -> None:
    drop("Bye")
    response = page.get(PATH, query)
    assert response.context["found"] is None
    assert name in response.context["errors"]
    assert page.get(PATH, {**query, "csv": "last-words"})["Location"] == f"{PATH}?{urlencode(query)}"


# Each number opens its rows


@pytest.mark.parametrize("looked_at", [1_000, 17])
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
def test_every_figure_opens_a_list_of_exactly_its_rows(
    page: Client, history: None, query: dict[str, str], looked_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(said, "LOOKED_AT", looked_at)
    html = text_of(page.get(PATH, query))
    figures = list(figures_on(html))
    assert len(figures) == html.count(f'href="{LIST}?')  # no link to a list says no number
    assert len({link for link, _, _ in figures}) >= 4
    for link, number, text in figures:
        assert text.endswith("%") or text == f"{number:,}"
        assert total_on(page.get(link)) == number > 0, (link, text)


def test_a_lines_number_opens_the_conversations_that_ended_with_it(page: Client, drop: Drop) -> None:
    ours = {
        drop(f"Hi {name}, shall I keep the desk?", currentStageIndex=number).pk for number, name in enumerate(NAMES)
    }
    drop("Shall I call you?")
    drop("Hi Ana, shall I keep the desk?", role="lead")
    drop("Hi Ana, shall I keep the desk?", status="completed")
    [line, other] = page.get(PATH).context["found"].lines
    assert (line.number.value, other.number.value) == (5, 1)
    shown = page.get(line.number.link)
    assert set(re.findall(r'id="c-(\w+)"', text_of(shown))) == ours
    assert {tab.value: tab.count for tab in shown.context["tabs"]} == {
        "": 5, "active": 0, "handed_off": 0, "completed": 0, "dropped": 5,
    }  # fmt: skip
    assert len(line.stages) == 3
    assert line.has_more_stages
    _, at_stage = line.stages[0]
    assert total_on(page.get(at_stage.link)) == 1
    rows = page.get(line.number.link.replace(LIST, f"{LIST}export/")).getvalue().decode().splitlines()
    assert len(rows) == 6


def test_the_list_names_the_line_as_a_filter_that_can_be_dropped(page: Client, drop: Drop) -> None:
    for name in NAMES:
        drop(f"Still interested, {name}?")
    drop("Hi Ana, shall I keep the desk?")
    [line, _] = page.get(PATH).context["found"].lines
    response = page.get(line.number.link)
    chip = next(chip for chip in response.context["chips"] if chip.name == "Last words")
    assert chip.value == "“still interested”"
    assert total_on(page.get(chip.link)) == 6
    assert "lastWords" not in response.context["api_call"]
    assert all(asked in response.context["api_call"] for asked in ("status=dropped", "lastRole=agent", "createdAfter="))
    assert "Last words are a filter of this page" in unescape(text_of(response))


def test_the_api_does_not_know_last_words(api: Api, drop: Drop) -> None:
    both = {drop("Bye").pk, drop("See you").pk}
    assert set(api.ids(lastWords="bye")) == both  # as any parameter that it does not know


def test_only_so_many_are_looked_at_and_the_page_says_which(
    page: Client, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(said, "LOOKED_AT", 4)
    present = now()
    for hours in (1, 2, 3, 4, 4, 5):
        drop("Bye for now", createdAt=wire_moment(present - timedelta(hours=hours)))
    response = page.get(PATH)
    found = response.context["found"]
    assert (found.looked_at, lines_of(response)) == (3, {"Bye for now": 3})  # two of the same moment: neither
    assert "the newest of" in text_of(response)
    assert total_on(page.get(found.lines[0].number.link)) == 3
    assert [number for _, number, _ in figures_on(str(found.tiles[0].detail))] == [6]
    wider = page.get(LIST, {"lastWords": "bye for now"})
    assert total_on(wider) == 3
    assert "choose a shorter one" in unescape(text_of(wider))


def test_too_many_at_one_moment_are_said_to_be(page: Client, drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(said, "LOOKED_AT", 2)
    moment = ago(hours=1)
    for _ in range(3):
        drop("Bye", createdAt=moment)
    assert "one and the same moment" in text_of(page.get(PATH))
    assert total_on(page.get(LIST, {"lastWords": "bye"})) == 0


@pytest.mark.skipif(settings.STORE.name != "sqlite", reason="reads SQLite's plan, which knows of no account's size")
def test_the_list_looks_its_rows_up_and_walks_no_index(acme: Account, drop: Drop) -> None:
    few = among(acme.conversations.within("live"), [drop("Bye").pk], OWNER)
    plan = few.filter(status="dropped", created_at__gte=now() - timedelta(days=90)).explain()
    assert "_id=?" in plan
    assert "account_id" not in plan
    assert few.count() == 1
    assert among(acme.conversations.within("test"), [drop("Bye").pk], OWNER).count() == 0


# What it says


def test_lines_are_shown_as_most_of_them_are_worded(page: Client, drop: Drop) -> None:
    for line in (
        "OK. Have a great day",
        "Have a great day.",
        "Have a great day.",
        "have a great day!!",
        "See you soon",
    ):
        drop(line)
    response = page.get(PATH)
    assert lines_of(response) == {"Have a great day.": 4, "See you soon": 1}
    assert response.context["found"].lines[0].share.is_thin
    assert "too few to say" in text_of(response)


def test_who_wrote_last_is_told_of_all_that_were_dropped(page: Client, drop: Drop, record: Record) -> None:
    for role, number in (("agent", 3), ("lead", 2), ("human", 1)):
        for _ in range(number):
            drop("Bye", role=role)
    record(status="dropped", messages=[], createdAt=ago(hours=1))
    tiles = {tile.name: tile.number.value for tile in page.get(PATH).context["found"].tiles}
    assert tiles == {
        "Dropped": 7, "The agent wrote last": 3, "The lead wrote last": 2, "The team wrote last": 1, "Nobody wrote": 1
    }  # fmt: skip


def test_an_erased_line_is_without_words_and_still_counted(
    page: Client, drop: Drop, acme: Account, alice: User
) -> None:
    one = drop("Bye for now")
    drop("Bye for now")
    erase([one.pk], account=acme, environment="live", by=alice)
    response = page.get(PATH)
    assert lines_of(response) == {"Bye for now": 1, "": 1}
    assert "No words" in text_of(response)
    for link, number, _ in figures_on(text_of(response)):
        assert total_on(page.get(link)) == number


def test_nothing_dropped_is_said_with_a_way_on(page: Client, drop: Drop) -> None:
    drop("Bye", createdAt=ago(days=60))
    drop("Bye", status="completed")
    response = page.get(PATH, {"channel": "whatsapp"})
    assert "No dropped conversations started in this period that match" in text_of(response)
    assert lines_of(page.get(response.context["longest_link"])) == {"Bye": 1}


def test_none_that_the_agent_wrote_last_is_said(page: Client, drop: Drop) -> None:
    drop("Bye", role="lead")
    assert "The agent wrote last in none of them." in text_of(page.get(PATH))


def test_the_page_is_reached_from_analytics_with_its_filters(page: Client, drop: Drop) -> None:
    drop("Bye", channel="telegram")
    query = {"range": "7d", "channel": "telegram"}
    link = page.get("/analytics/", query).context["last_words_link"]
    assert QueryDict(link.partition("?")[2]).dict() == query
    there = page.get(link)
    assert lines_of(there) == {"Bye": 1}
    assert all(choice.link.startswith(PATH) for choice in there.context["asked"].ranges)
    assert QueryDict(there.context["analytics_link"].partition("?")[2]).dict() == query


def test_texts_from_outside_stay_texts(page: Client, history: None) -> None:
    html = text_of(page.get(PATH, {"range": "90d"}))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_a_masked_reader_sees_no_contact_and_opens_the_same_rows(
    page: Client, drop: Drop, acme: Account, alice: User, bob: User
) -> None:
    for name in NAMES:
        drop(f"{name}, I wrote to {EMAIL} and called {PHONE} and ana_lima.", leadPhone="ana_lima", leadEmail=EMAIL)
    acme.mask_roles([Role.OPERATOR], by=alice)
    masked = client_of(bob)
    texts = [text_of(masked.get(PATH)), masked.get(PATH, {"csv": "last-words"}).getvalue().decode()]
    links = [line.number.link for client in (page, masked) for line in client.get(PATH).context["found"].lines]
    for text in [*texts, *map(unescape, links)]:
        assert not [part for part in ("867-5309", "acme-example", "ana_lima", "ana.lima") if part in text.casefold()]
    assert HIDDEN in texts[0]
    assert EMAIL in text_of(page.get(PATH))
    assert [total_on(client.get(link)) for client in (page, masked) for link in links] == [5, 5, 5, 5]


def test_all_lines_are_a_csv_that_is_safe_to_open(page: Client, history: None) -> None:
    response = page.get(PATH, {"range": "90d", "csv": "last-words"})
    assert "analytics-last-words-" in response["Content-Disposition"]
    [header, *rows] = csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig")))
    assert header == ["line", "dropped_after_it", "per_cent_of_dropped", "stages"]
    found = page.get(PATH, {"range": "90d"}).context["found"]
    assert [int(number) for _, number, *_ in rows] == [line.number.value for line in found.lines]
    assert not [text for text, *_ in rows if text.startswith("=")]
    assert page.get(PATH, {"csv": "nonsense"})["Location"] == PATH


@pytest.mark.skipif(settings.STORE.name == "mongodb", reason="counts statements of SQL")
def test_statements_are_few_however_many_rows(page: Client, drop: Drop) -> None:
    def counted() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert page.get(PATH, {"range": "90d"}).status_code == 200
        return len([query for query in captured if "SAVEPOINT" not in query["sql"]])

    drop("Bye")
    before = counted()
    for number in range(30):
        drop(f"Line {'x' * number} of many", agentConfigId=f"{number:024}", currentStageIndex=number)
    assert counted() <= before <= 7  # session, person, membership, names (2), dropped
