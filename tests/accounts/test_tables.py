"""Tables to download: what a spreadsheet may take for a formula, and what it must get as it is."""

import csv
import io
import json
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.tables import CELL_UNITS, CUT, PIECE_BYTES, cell, json_lines, separated

TRIGGERS = "=+-@\t\r\n＝＋－＠"

FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x","y")',
    "@SUM(1)",
    "-2+3",
    "+1+1",
    "\t=1",
    "\r=1",
    "\n=1",
    "\tx",
    "\rx",
    "\nx",
    "  \tx",
    " =1",
    "   @x",
    "\u00a0=1",
    "\u200b=1",
    "\x01=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    " ＝1",
    "+1 (555) 010-2247",
    "+12345",
    "+1234567890123456",
    "+15551234567\n",
    "+١٥٥٥١٢٣٤٥٦٧",
    "-15551234567",
]

UNFOLDED = {
    "a\n=1": "a\n'=1",
    "a\r\n=1\r\n": "a\r\n'=1\r\n",
    "a\n  -1": "a\n  '-1",
    ";=1": ";'=1",
    'a; "=1"': 'a; "\'=1"',
    "a;;\n@x": "a;;\n'@x",
    "a\t＝1": "a\t'＝1",
    "\n=1": "'\n'=1",
    "a=1, -2; b\n3": "a=1, -2; b\n3",
}
"""Text → cell, where a part of it would become a cell of its own."""


def read(content: bytes, separator: str = ",") -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator))


def written(*rows: list[object], separator: str = ",") -> bytes:
    return b"".join(separated(["a", "b"], rows, separator))


@pytest.mark.parametrize("separator", [",", "\t"])
@pytest.mark.parametrize("text", FORMULAS)
def test_formula_becomes_text(text: str, separator: str) -> None:
    [_, row] = read(written([text, "x"], separator=separator), separator)
    assert row[0][0] == "'"
    assert row[1] == "x"


@pytest.mark.parametrize(("text", "shown"), UNFOLDED.items())
def test_what_another_separator_would_make_a_cell_is_no_formula_either(text: str, shown: str) -> None:
    assert cell(text) == shown
    content = written(["id", text])
    for separator in (",", ";"):
        for row in read(content, separator):
            assert not [given for given in row if given.lstrip(' "').startswith(tuple("=+-@＝"))]


@given(st.lists(st.text(st.sampled_from("=+-@;, \t\r\n\"'a1＝\x00")), min_size=1, max_size=3), st.sampled_from(",\t"))
def test_no_cell_begins_like_a_formula_in_whichever_way_it_is_split(texts: list[str], separator: str) -> None:
    content = b"".join(separated(["id"], [["id", *texts]], separator))
    rows = read(content, separator)
    assert len(rows[1]) == len(texts) + 1
    for row in rows + read(content, ";") + read(content, "\t"):
        for given_cell in row:
            assert not given_cell.lstrip(" ").startswith(tuple("=+-@＝")), (texts, row)


@pytest.mark.parametrize("text", ["+15551234567", "+123456", "+123456789012345"])
def test_phone_stays_a_phone(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize(
    "text",
    ['"=1"', "'=1", "a=1", "a,-1", "5", "", "x" * CELL_UNITS, "👋", "a\nb", "a - b", "a; b", " a ", "\u2028", "Ärger"],
)
def test_other_text_is_read_back_as_it_was(text: str) -> None:
    assert read(written([text, "x"]))[1:] == [[text, "x"]]
    assert read(written([text, "x"], separator="\t"), "\t")[1:] == [[text, "x"]]


@pytest.mark.parametrize(("text", "shown"), [("a\x00b", "a\ufffdb"), ("\x00", "\ufffd"), ("\x00=1", "\ufffd=1")])
def test_nul_is_replaced_where_it_stood(text: str, shown: str) -> None:
    assert cell(text) == shown


@pytest.mark.parametrize("text", ["x" * 32_768, "=" * 40_000, "👋" * 16_384, "x" + "👋" * 20_000, "a\n=" * 16_000])
def test_text_beyond_a_spreadsheets_cell_is_cut_and_says_so(text: str) -> None:
    shown = cell(text)
    assert shown.endswith(CUT)
    assert CELL_UNITS - 1 <= len(shown.encode("utf-16-le")) // 2 <= CELL_UNITS
    assert "\ufffd" not in shown


def test_text_that_just_fits_is_whole() -> None:
    assert cell("👋" * 16_383 + "x") == "👋" * 16_383 + "x"
    assert json.loads(b"".join(json_lines(["x" * 40_000]))) == "x" * 40_000


def test_values_are_written_plainly() -> None:
    assert [cell(value) for value in (None, True, False, 0, 17)] == ["", "true", "false", "0", "17"]


def test_file_is_utf_8_with_a_mark_and_crlf() -> None:
    assert written(["ä", 'say "hi"'], [None, "x,y"]) == (b'\xef\xbb\xbfa,b\r\n\xc3\xa4,"say ""hi"""\r\n,"x,y"\r\n')
    assert written(["ä", "x,y"], separator="\t") == b'\xef\xbb\xbfa\tb\r\n\xc3\xa4\t"x,y"\r\n'


def test_lone_surrogate_does_not_end_the_file() -> None:
    assert read(written(["a\ud800b", "x"]))[1] == ["a?b", "x"]
    assert CUT in cell("\ud800" * 40_000)


def test_table_without_rows_is_its_header() -> None:
    assert written() == b"\xef\xbb\xbfa,b\r\n"


def test_json_lines_are_one_document_each() -> None:
    documents = [{"a": "=1\n\x00"}, [], "x\r\n"]
    lines = b"".join(json_lines(documents))
    assert [json.loads(line) for line in lines.split(b"\n")[:-1]] == documents
    assert lines.endswith(b"\n")
    assert b"".join(json_lines([])) == b""


def test_rows_are_fetched_as_they_are_sent() -> None:
    fetched = 0

    def rows() -> Iterator[list[str]]:
        nonlocal fetched
        for _ in range(10_000):
            fetched += 1
            yield ["x" * 1_000]

    pieces = separated(["a"], rows())
    assert len(next(pieces)) < 2 * PIECE_BYTES
    assert fetched < 200


@pytest.mark.parametrize("text", ["\n" * 32_000, "; " * 16_000, "\n=" * 16_000, " " * 32_000, '\n"' * 16_000])
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    cell(text)
    assert time.process_time() - began < 0.5
