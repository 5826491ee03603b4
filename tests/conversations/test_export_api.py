"""GET /api/conversations/export: the contract's section 2."""

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from copy import copy
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.test import Client
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from accounts.models import Account
from accounts.scopes import Scope
from config.storage.fields import new_object_id
from conversations.export import FORMATS
from conversations.models import Conversation
from tests.accounts.test_tables import FORMULAS, UNFOLDED
from tests.conftest import Api, json_of, statements
from tests.factories import AGENT, CAMPAIGN, message

Record = Callable[..., Conversation]
PATH = "/api/conversations/export"
TRIGGERS = tuple("=+-@＝＋－＠")
BLANK = " \t\r\n\x00\x01\u00a0\u200b"


@pytest.fixture
def twelfth_of_march(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which files are named."""
    monkeypatch.setattr("accounts.tables.now", lambda: datetime(2026, 3, 12, 23, 59, tzinfo=UTC))


def rows(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200, response.content
    return list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"), newline="")))


def exported(api: Api, kind: str, **query: Any) -> list[str]:
    """The conversations of an export, each once, in order."""
    response = api.get(PATH, format=kind, **query)
    assert response.status_code == 200, response.content
    if kind == "ndjson":
        return [json.loads(line)["_id"] for line in response.getvalue().splitlines()]
    column = "_id" if kind == "csv" else "conversationId"
    return list(dict.fromkeys(row[column] for row in rows(response)))


# Refusals


def test_no_key_is_401(client: Client, db: None) -> None:
    assert client.get(PATH).status_code == 401


def test_key_without_the_scope_is_403(acme: Account) -> None:
    api = Api(acme, scopes=[scope for scope in Scope if scope != Scope.CONVERSATIONS_VIEW])
    response = api.get(PATH)
    assert response.status_code == 403
    assert "requires: conversations:view" in json_of(response)["message"]


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ({"format": "xml"}, "format", "ndjson, csv, messages_csv"),
        ({"format": "CSV"}, "format", "ndjson, csv, messages_csv"),
        ({"format": ["csv", "csv"]}, "format", "once"),
        ({"status": "open"}, "status", "active, completed, handed_off, dropped"),
        ({"search": "x" * 101, "format": "csv"}, "search", "100"),
        ({"createdAfter": "yesterday"}, "createdAfter", "RFC 3339"),
        ({"status": ["active", "dropped"]}, "status", "once"),
    ],
)
def test_bad_parameter_is_400_as_json(api: Api, query: dict[str, Any], field: str, says: str) -> None:
    response = api.get(PATH, **query)
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/json"
    body = json_of(response)
    assert list(body["details"]) == [field]
    assert says in " ".join(body["details"][field])


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_other_methods_are_405(api: Api, method: str) -> None:
    response = getattr(api.client, method)(PATH, headers={"X-API-Key": api.token})
    assert response.status_code == 405


# Which conversations


@pytest.mark.parametrize("kind", FORMATS)
def test_live_and_test_never_mix(api: Api, record: Record, acme: Account, kind: str) -> None:
    live, test = record().pk, record(environment="test").pk
    test_api = Api(acme, "test")
    assert exported(api, kind) == exported(api, kind, search="price") == [live]
    assert exported(test_api, kind) == exported(test_api, kind, search="price") == [test]


@pytest.mark.parametrize("kind", FORMATS)
def test_another_accounts_conversations_are_not_there(
    api: Api, record: Record, other_account: Account, kind: str
) -> None:
    mine = record().pk
    record(account=other_account)
    assert exported(api, kind) == exported(api, kind, search="price") == [mine]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "query", [{}, {"status": "dropped"}, {"search": "%"}, {"channel": "email"}, {"qualified": "true"}, {"leadId": "7"}]
)
def test_filters_and_order_are_those_of_the_list(api: Api, record: Record, kind: str, query: dict[str, str]) -> None:
    for number in range(4):
        record(
            status="dropped" if number % 2 else "active",
            channel="email" if number < 2 else "whatsapp",
            leadId="7" if number == 3 else "8",
            qualificationResult={"qualified": number > 1},
            messages=[message("50 %" if number else "half")],
            updatedAt=f"2026-01-01T00:00:0{number}Z",
        )
    assert exported(api, kind, **query) == api.ids(**query)
    assert 0 < len(api.ids(**query)) < 5


@pytest.mark.parametrize("kind", FORMATS)
def test_parameters_of_pages_are_ignored_and_the_export_is_whole(api: Api, record: Record, kind: str) -> None:
    for _ in range(3):
        record()
    assert len(exported(api, kind, limit=1, skip=2, cursor="x")) == 3


# NDJSON


@pytest.mark.usefixtures("twelfth_of_march")
def test_ndjson_is_the_default_and_each_line_has_the_lists_bytes(api: Api, record: Record) -> None:
    record(
        campaignId=CAMPAIGN,
        leadEmail="ä@example.com",
        currentStageName="Pricing",
        summary="line\nbreak\u2028",
        qualificationResult={"qualified": True, "reason": "=1"},
        messages=[message('"quoted" \\ \r\n 👋 \x7f \x01', role="agent"), message("=1+1")],
    )
    record(messages=[])
    response = api.get(PATH)
    assert response.streaming
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert response.headers["Content-Disposition"] == 'attachment; filename="conversations-2026-03-12.ndjson"'
    content = response.getvalue()
    assert content.endswith(b"\n")
    lines = content.split(b"\n")[:-1]
    assert len(lines) == 2
    assert b"[" + b",".join(lines) + b"]" == api.get().getvalue()


def test_ndjson_can_be_recorded_again(api: Api, record: Record) -> None:
    pk = record(summary="Wants 40 seats").pk
    [line] = api.get(PATH).getvalue().splitlines()
    Conversation.objects.all().delete()
    record(**{"id" if name == "_id" else name: value for name, value in json.loads(line).items()})
    assert api.get(PATH).getvalue().splitlines() == [line]
    assert Conversation.objects.get().pk == pk


# Tables


@pytest.mark.usefixtures("twelfth_of_march")
def test_csv_has_a_row_a_conversation_in_the_wires_names(api: Api, record: Record, acme: Account) -> None:
    pk = record(
        leadId="42",
        leadPhone="+15551234567",
        createdAt="2026-03-12T14:02:11.480Z",
        updatedAt="2026-03-12T15:02:11Z",
        campaignId=CAMPAIGN,
        leadEmail="ana@example.com",
        currentStageName="Pricing",
        summary="Wants; 40 seats",
        qualificationResult={"qualified": True, "reason": "Budget, approved"},
    ).pk
    record(updatedAt="2026-01-01T00:00:00Z", qualificationResult={"qualified": False}, messages=[])
    record(updatedAt="2025-01-01T00:00:00Z")
    response = api.get(PATH, format="csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="conversations-2026-03-12.csv"'
    full, disqualified, plain = rows(response)
    assert full == {
        "_id": pk,
        "leadId": "42",
        "accountId": acme.pk,
        "agentConfigId": AGENT,
        "channel": "whatsapp",
        "leadPhone": "+15551234567",
        "status": "active",
        "currentStageIndex": "1",
        "messageCount": "2",
        "createdAt": "2026-03-12T14:02:11.480Z",
        "updatedAt": "2026-03-12T15:02:11.000Z",
        "campaignId": CAMPAIGN,
        "leadEmail": "ana@example.com",
        "currentStageName": "Pricing",
        "summary": "Wants; 40 seats",
        "qualified": "true",
        "qualificationReason": "Budget, approved",
    }
    assert (disqualified["qualified"], disqualified["messageCount"]) == ("false", "0")
    assert (plain["qualified"], plain["campaignId"], plain["summary"]) == ("", "", "")


@pytest.mark.usefixtures("twelfth_of_march")
def test_messages_csv_has_a_row_a_message(api: Api, record: Record) -> None:
    pk = record(
        leadId="42",
        leadEmail="ana@example.com",
        leadPhone="+15551234567",
        updatedAt="2026-03-12T15:02:11Z",
        messages=[message("Hello", role="agent"), message('a\nb, "c"')],
    ).pk
    other = record(updatedAt="2026-01-01T00:00:00Z", messages=[message("x")]).pk
    record(messages=[])
    response = api.get(PATH, format="messages_csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="messages-2026-03-12.csv"'
    first, second, third = rows(response)
    assert first == {
        "conversationId": pk,
        "leadId": "42",
        "leadPhone": "+15551234567",
        "leadEmail": "ana@example.com",
        "channel": "whatsapp",
        "status": "active",
        "number": "1",
        "role": "agent",
        "timestamp": "2026-03-12T14:02:11.480Z",
        "agentConfigId": AGENT,
        "content": "Hello",
    }
    assert (second["number"], second["role"], second["agentConfigId"]) == ("2", "lead", "")
    assert second["content"] == 'a\nb, "c"'
    assert (third["conversationId"], third["number"]) == (other, "1")


HOSTILE = "=cmd|' /C calc'!A0"


def test_nothing_an_outsider_wrote_is_a_formula(api: Api, record: Record) -> None:
    record(
        leadId=HOSTILE,
        leadPhone="-1",
        leadEmail="@x",
        currentStageName="＝1",
        summary=f"a\n{HOSTILE}",
        qualificationResult={"qualified": True, "reason": f" {HOSTILE}"},
        messages=[message(HOSTILE), message(f"Hi;{HOSTILE};\n{HOSTILE}")],
    )
    for kind in ("csv", "messages_csv"):
        content = api.get(PATH, format=kind).getvalue().decode("utf-8-sig")
        for separator in ",;\t":
            for row in csv.reader(io.StringIO(content, newline=""), delimiter=separator):
                for cell in row:
                    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝")), (kind, separator, cell)
    [line] = api.get(PATH).getvalue().splitlines()
    assert json.loads(line)["messages"][0]["content"] == HOSTILE


PHONE = "+15551234567"


@pytest.mark.parametrize("kind", ["csv", "messages_csv"])
@pytest.mark.parametrize("text", [*FORMULAS, *UNFOLDED, "\x00", "\x00=1", "=" * 32_768, '"=1"', "'=1"])
def test_spreadsheet_finds_no_formula_and_every_phone(api: Api, record: Record, kind: str, text: str) -> None:
    if "\x00" in text and connection.vendor == "postgresql":
        pytest.skip("PostgreSQL keeps no NUL")
    pk = record(leadPhone=PHONE, messages=[message("x")]).pk
    short = {} if len(text) > 64 else dict.fromkeys(("lead_id", "lead_email", "current_stage_name"), text)
    # Past the validators, which refuse some of it: a store may hold what was written to it by other means.
    Conversation.objects.filter(pk=pk).update(
        **short, summary=text, qualification_reason=text, messages=[message(text), message(PHONE)]
    )
    content = api.get(PATH, format=kind).getvalue().decode("utf-8-sig")
    book = Workbook()
    for separator in ",;\t":  # each of which is the default somewhere
        sheet = book.create_sheet()
        for row in csv.reader(io.StringIO(content, newline=""), delimiter=separator):
            assert [cell for cell in row if cell.lstrip(BLANK).startswith(TRIGGERS) and cell != PHONE] == []
            sheet.append([ILLEGAL_CHARACTERS_RE.sub("", cell) for cell in row])  # as a reader may drop them
        assert not [cell for row in sheet for cell in row if cell.data_type == "f"]
    cells = [cell for row in csv.reader(io.StringIO(content, newline="")) for cell in row]
    assert cells.count(PHONE) == (3 if kind == "messages_csv" else 1)
    assert max(map(len, cells)) <= 32_767
    for whole in ('"=1"', "'=1"):  # no spreadsheet takes these for formulas
        assert text != whole or whole in cells


# What cannot be relied on


UNREADABLE = "Could not decode to UTF-8 column 'lead_phone' with text '+1555'"


def break_off(monkeypatch: pytest.MonkeyPatch, *, after: int) -> None:
    """From now on the store fails when that many rows were read, in words that quote what it could not read."""
    whole = QuerySet.iterator

    def iterator(rows: Any, chunk_size: int | None = None) -> Iterator[Any]:
        yield from islice(whole(rows, chunk_size), after)
        raise OperationalError(UNREADABLE)

    monkeypatch.setattr(QuerySet, "iterator", iterator)


@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("piece", [1, 1 << 17])
@pytest.mark.parametrize("kind", FORMATS)
def test_export_that_breaks_off_says_so_at_its_end(
    api: Api,
    record: Record,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    piece: int,
    after: int,
) -> None:
    for _ in range(4):
        record(messages=[message("x")])
    whole = api.get(PATH, format=kind).getvalue().splitlines(keepends=True)
    break_off(monkeypatch, after=after)
    monkeypatch.setattr("accounts.tables.PIECE_BYTES", piece)
    response = api.get(PATH, format=kind)
    *lines, last = response.getvalue().splitlines(keepends=True)
    assert lines == whole[: after + (kind != "ndjson")]
    request_id = response.headers["X-Request-Id"]
    if kind == "ndjson":
        assert last.endswith(b"\n")
        assert json.loads(last) == {
            "error": "The export ended early and is incomplete",
            "details": {"requestId": request_id},
        }
    else:
        assert last.decode() == f"ERROR: The export ended early and is incomplete (request {request_id})\r\n"
    [entry] = [entry for entry in caplog.records if entry.levelname == "ERROR"]
    assert "ended early: OperationalError" in entry.getMessage()
    assert "export.py" in entry.getMessage()
    assert "+1555" not in caplog.text


def test_export_that_broke_off_leaves_the_next_one_whole(
    api: Api, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {record().pk for _ in range(3)}
    with monkeypatch.context() as patch:
        break_off(patch, after=1)
        api.get(PATH).getvalue()
    assert set(exported(api, "ndjson")) == ids


DAMAGED: list[tuple[Any, str]] = [
    ({}, "{}"),
    (5, "5"),
    ("text", "text"),
    ([None], "null"),
    (["x"], "x"),
    ([[]], "[]"),
    ([{"role": "lead"}], '{"role":"lead"}'),
    ([{"role": "lead", "content": 5}], '{"role":"lead","content":5}'),
]


@pytest.mark.parametrize(("stored", "shown"), DAMAGED)
def test_damaged_message_is_a_row_without_role(api: Api, record: Record, stored: Any, shown: str) -> None:
    damaged = record(messages=[message("x")], updatedAt="2026-01-02T00:00:00Z").pk
    fine = record(messages=[message("fine")], updatedAt="2026-01-01T00:00:00Z").pk
    Conversation.objects.filter(pk=damaged).update(messages=stored)
    *found, last = rows(api.get(PATH, format="messages_csv"))
    assert (last["conversationId"], last["content"]) == (fine, "fine")
    if connection.vendor != "mongodb" or isinstance(stored, list):  # there it is an empty list, as everywhere
        assert [(row["number"], row["role"], row["content"]) for row in found] == [("1", "", shown)]
    assert exported(api, "ndjson") == exported(api, "csv") == [damaged, fine]


def test_json_that_was_stored_with_line_breaks_is_one_line(api: Api, record: Record) -> None:
    if connection.vendor == "mongodb":
        pytest.skip("holds no text")
    record()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE conversations_conversation SET messages = %s",
            ['[\n  {"role": "lead",\r\n "content": "a\\nb"}\n]'],
        )
    [line] = api.get(PATH).getvalue().splitlines()
    assert json.loads(line)["messages"] == [{"role": "lead", "content": "a\nb"}]


def test_what_json_cannot_hold_is_shown_as_text(api: Api, record: Record) -> None:
    if connection.vendor != "mongodb":
        pytest.skip("about MongoDB")
    from bson import Binary, ObjectId

    strange = [{"role": "lead", "content": ObjectId("a" * 24)}, {"role": Binary(b"x")}]
    record()
    connection.database[  # type: ignore[attr-defined]
        "conversations_conversation"
    ].update_one({}, {"$set": {"messages": strange}})
    assert "a" * 24 in api.get(PATH).getvalue().decode()
    assert ["a" * 24 in row["content"] for row in rows(api.get(PATH, format="messages_csv"))] == [True, False]


# Cost


@pytest.mark.parametrize("kind", FORMATS)
def test_head_answers_without_a_body(api: Api, record: Record, kind: str) -> None:
    record()
    response = api.client.head(f"{PATH}?format={kind}", headers={"X-API-Key": api.token})
    assert response.status_code == 200
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.getvalue() == b""


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("number", [1, 30])
def test_export_takes_two_queries(api: Api, record: Record, kind: str, number: int) -> None:
    for _ in range(number):
        record()
    api.listed()  # the first use of a key is written down
    with statements(2):  # the key, the conversations
        assert len(exported(api, kind)) == number


@pytest.mark.parametrize("kind", FORMATS)
def test_export_is_streamed_in_constant_memory(api: Api, record: Record, kind: str) -> None:
    one = record(messages=[message("x" * 10_000) for _ in range(15)], summary="y" * 20_000)
    copies = [copy(one) for _ in range(400)]
    for another in copies:
        another.pk = new_object_id()
    Conversation.objects.bulk_create(copies, batch_size=50)
    connection.queries_log.clear()
    response = api.get(PATH, format=kind)
    tracemalloc.start()
    size = sum(len(piece) for piece in response.streaming_content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > (8_000_000 if kind == "csv" else 60_000_000)
    assert peak < 16_000_000


@pytest.mark.parametrize("kind", FORMATS)
def test_client_that_goes_away_in_the_middle_leaves_nothing_open(
    api: Api, record: Record, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("accounts.tables.PIECE_BYTES", 1)
    one, *_ = [record() for _ in range(30)]
    pieces: Any = FORMATS[kind][0](Conversation.objects.newest_first())
    next(pieces)
    pieces.close()  # as the server does
    assert getattr(connection, "session", None) is None
    one.change_status("dropped", by=None)
    assert len(exported(api, kind)) == 30
