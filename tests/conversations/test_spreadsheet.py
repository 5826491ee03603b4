"""The list as a workbook, opened by another program than the one that wrote it."""

import io
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from django.test import Client

from accounts.models import Account, User
from conversations import spreadsheet
from conversations.models import Conversation
from tests.conversations.test_pages import LIST
from tests.factories import message

Record = Callable[..., Conversation]
HOSTILE = (
    "=1+1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")', "@SUM(1)", "-2+3", "+1+1", "\t=1", "\r=1", "\n=1",
    " =1",
    "＝1", '"=1"', "a\n=1", ";=1", "'=1", "http://example.com/", "mailto:a@example.com", "internal:Sheet2!A1", "{=1}",
    "a\x0bb", "_x0041_",
)  # fmt: skip


def book_of(page: Client, **query: str) -> Any:
    response = page.get(f"{LIST}export/", {"format": "xlsx", **query})
    assert response.status_code == 200
    assert response["Content-Type"] == spreadsheet.CONTENT_TYPE
    assert ".xlsx" in response["Content-Disposition"]
    return openpyxl.load_workbook(io.BytesIO(response.getvalue()))


def cells_of(sheet: Any) -> list[dict[str, Any]]:
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def unescaped(text: str) -> str:
    """The format writes what XML cannot hold as ``_x000D_``, which openpyxl leaves as it is."""
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text)


def test_texts_are_texts_and_none_is_a_formula_or_a_link(page: Client, record: Record) -> None:
    record(
        leadPhone="+15551234567",
        leadEmail="=1+1@example.com",
        summary="=2+3",
        messages=[message(text) for text in HOSTILE],
    )
    book = book_of(page)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "n", "d", "inlineStr"), (cell.coordinate, cell.data_type, cell.value)
                assert cell.hyperlink is None
    assert [unescaped(row["Text"]) for row in cells_of(book["Messages"])] == list(HOSTILE)
    [row] = cells_of(book["Conversations"])
    assert (row["Phone"], row["E-mail"], row["Summary"]) == ("+15551234567", "=1+1@example.com", "=2+3")


def test_moments_are_moments_in_the_readers_zone(page: Client, record: Record, alice: User) -> None:
    alice.time_zone = "America/Sao_Paulo"
    alice.save()
    record(createdAt="2026-03-12T14:02:11.480Z", updatedAt="0001-01-01T12:00:00.000Z")
    [row] = cells_of(book_of(page)["Conversations"])
    assert row["Started"].replace(microsecond=0) == datetime(2026, 3, 12, 11, 2, 11)
    assert row["Last activity"].startswith("1-01-01") or row["Last activity"].startswith("0001-01-01")


def test_the_rows_are_those_of_the_list_in_its_order(page: Client, record: Record, other_account: Account) -> None:
    for number in range(4):
        record(leadId=str(number), leadEmail=f"{number}@example.com", messages=[message("x")] * number)
    record(status="dropped")
    record(environment="test")
    record(account=other_account)
    book = book_of(page, status="active", sort="messageCount")
    assert [row["E-mail"] for row in cells_of(book["Conversations"])] == [f"{n}@example.com" for n in range(4)]
    assert [row["Number"] for row in cells_of(book["Messages"])] == [1, 1, 2, 1, 2, 3]


def test_more_rows_than_a_sheet_holds_go_on_in_another(
    page: Client, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", 2)
    record(messages=[message(str(number)) for number in range(5)])
    book = book_of(page)
    assert book.sheetnames == ["Conversations", "Messages", "Messages 2", "Messages 3"]
    assert [row["Text"] for name in book.sheetnames[1:] for row in cells_of(book[name])] == list("01234")


def test_a_text_longer_than_a_cell_is_cut_and_says_so(page: Client, record: Record) -> None:
    record(summary="x" * 20_000, messages=[message("😀" * 16_000), message("😀" * 16_000)])
    conversation = Conversation.objects.get()
    conversation.messages = [{"role": "lead", "content": "y" * 40_000, "timestamp": "2026-03-12T14:02:11.480Z"}]
    conversation.save()
    [row] = cells_of(book_of(page)["Messages"])
    assert len(row["Text"]) == 32_767
    assert "cut here" in row["Text"]


def test_damaged_messages_stand_as_they_lie(page: Client, record: Record) -> None:
    conversation = record()
    Conversation.objects.filter(pk=conversation.pk).update(messages=["just text", {"role": "lead"}, 7])
    rows = cells_of(book_of(page)["Messages"])
    assert [row["Text"] for row in rows] == ["just text", '{"role":"lead"}', "7"]
