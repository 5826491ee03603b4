"""Tables to download, streamed: CSV and TSV for spreadsheets, JSON Lines for programs. Memory holds one piece.

CSV and TSV are what a person opens, and outsiders wrote what stands in them, so safety goes before fidelity:

- A cell that a spreadsheet would take for a formula gets a ``'`` in front, except a plain phone (``+15551234567``).
- So does what follows a semicolon, a tab or a line break inside a cell. Where the semicolon separates (most of Europe),
  Excel splits a comma-separated file there, quotes or not, and the second line of a message becomes a cell of its own.
- NUL, at which readers end a cell or which they drop, becomes U+FFFD. So ``\\0=1`` never turns into ``=1``.
- A text longer than a spreadsheet's cell is cut there, and says so: Excel drops the rest or breaks it into further
  cells, which nobody has looked at.

JSON Lines has every text as it is stored.

A file that breaks off ends with a line that says so: its answer began as a 200, and nothing else would tell.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from traceback import format_tb
from typing import Any

import orjson
from django.http import HttpRequest, StreamingHttpResponse
from rest_framework.request import Request

from accounts.origin import current_origin
from config.storage.moments import now

log = logging.getLogger(__name__)

CSV = "text/csv; charset=utf-8"
TSV = "text/tab-separated-values; charset=utf-8"
JSON_LINES = "application/x-ndjson"

PIECE_BYTES = 1 << 17
"""What is sent at a time, at least."""

BOM = b"\xef\xbb\xbf"
"""Tells Excel that this is UTF-8; without it ``ä`` becomes ``Ã¤``."""

CELL_UNITS = 32_767
"""What a cell of Excel holds, in UTF-16 code units."""

INCOMPLETE = "The export ended early and is incomplete"

CUT = " [cut here: the JSON export has the whole text]"

PHONE = re.compile(r"\+[0-9]{6,15}")
_TRIGGERS = "=+@＝＋－＠-"
_BLANK = r"\s\x00-\x1f\x7f\u200b-\u200f\u2060-\u2064\ufeff"  # what a reader may trim or drop before it looks
_FORMULA = re.compile(rf" *[\t\r\n]|[{_BLANK}]*[{_TRIGGERS}]")
# The run is matched even where no trigger follows: so each character is looked at once, whatever an outsider sends.
_INNER_FORMULA = re.compile(rf'([;\t\r\n][;"{_BLANK}]*)([{_TRIGGERS}]?)')
_QUOTED = re.compile(r'[",;\t\r\n]|\A\s|\s\Z')


def download(
    request: HttpRequest | Request, pieces: Iterable[bytes], *, content_type: str, name: str
) -> StreamingHttpResponse:
    """``pieces`` as a file of today: ``audit-log.csv`` is saved as ``audit-log-2026-11-22.csv``."""
    stem, _, suffix = name.rpartition(".")
    body: Iterable[bytes] = iter(()) if request.method == "HEAD" else pieces
    disposition = f'attachment; filename="{stem}-{now():%Y-%m-%d}.{suffix}"'
    return StreamingHttpResponse(body, content_type=content_type, headers={"Content-Disposition": disposition})


def separated(header: Sequence[str], rows: Iterable[Sequence[object]], separator: str = ",") -> Iterator[bytes]:
    """UTF-8 with a BOM, CRLF, quoted where any spreadsheet might otherwise split; safe to open."""

    def lines() -> Iterator[bytes]:
        yield BOM + _line(header, separator)
        for row in rows:
            yield _line(row, separator)

    return in_pieces(lines(), lambda request_id: _line([f"ERROR: {INCOMPLETE} (request {request_id})"], separator))


def json_lines(documents: Iterable[Any]) -> Iterator[bytes]:
    """A JSON document a line, each ended by LF."""

    def last_line(request_id: str) -> bytes:
        return json_line({"error": INCOMPLETE, "details": {"requestId": request_id}})

    return in_pieces((json_line(document) for document in documents), last_line)


def json_line(document: Any) -> bytes:
    # Between tokens JSON allows line breaks, and inside strings it does not: what another program stored pretty-printed
    # stays one line. What is not JSON (MongoDB keeps more types) is shown as text: a damaged row ends no export.
    return orjson.dumps(document, default=str).replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"


def in_pieces(lines: Iterable[bytes], last_line: Callable[[str], bytes]) -> Iterator[bytes]:
    """``lines``, many at a time; where they break off, then ``last_line``, which gets the request's id."""
    piece = bytearray()
    try:
        for line in lines:
            piece += line
            if len(piece) >= PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
    except Exception as error:
        piece += last_line(log_end(error))
    if piece:
        yield bytes(piece)


def log_end(error: Exception) -> str:
    """Write down that an answer broke off in the middle. Returns the request's id, by which it is found in the log."""
    # What went wrong and where, but not in the error's words: SQLite quotes the text that it cannot decode.
    causes = [type(cause).__name__ for cause in (error, error.__cause__) if cause]
    log.error("An answer ended early: %s\n%s", " from ".join(causes), "".join(format_tb(error.__traceback__)).rstrip())
    return current_origin().request_id


def cell(value: object) -> str:
    """A value as a spreadsheet may read it; None is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return cut(_safe(value if isinstance(value, str) else str(value)))


def _line(row: Sequence[object], separator: str) -> bytes:
    # A lone surrogate, which only a damaged row can hold, becomes a question mark.
    return f"{separator.join(map(_quote, map(cell, row)))}\r\n".encode(errors="replace")


def _quote(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""')) if _QUOTED.search(text) else text


def _safe(text: str) -> str:
    if PHONE.fullmatch(text):
        return text
    text = text.replace("\x00", "\ufffd")
    guarded = _INNER_FORMULA.sub(lambda run: f"{run[1]}'{run[2]}" if run[2] else run[1], text)
    return f"'{guarded}" if _FORMULA.match(text) else guarded


def cut(text: str) -> str:
    """What a cell of a spreadsheet has room for."""
    if len(text) <= CELL_UNITS // 2:
        return text
    units = text.encode("utf-16-le", errors="replace")
    if len(units) <= 2 * CELL_UNITS:
        return text
    return units[: 2 * (CELL_UNITS - len(CUT))].decode("utf-16-le", errors="ignore") + CUT
