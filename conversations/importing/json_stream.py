"""JSON arrays and JSON Lines, item by item, in constant memory. An item that is broken does not hide the next."""

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

CHUNK = 1 << 18
MAX_ITEM_BYTES = 64 << 20
"""An item that is longer cannot be a conversation."""

_BOM = b"\xef\xbb\xbf"
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|["{}\[\]]', re.DOTALL)


class Raw(NamedTuple):
    """The bytes of one item, and the line it begins on (from 1)."""

    line: int
    text: bytes


class NotJSON(ValueError):
    """The input as a whole is not what it should be: from there on nothing can be read."""


def items(file: BinaryIO) -> Iterator[Raw]:
    """The items of a JSON array, or of JSON Lines; whichever the first character says. Raises NotJSON."""
    start, lines = _skip_space(file)
    if start == b"[":
        yield from _array(file, lines + 1)
    elif start:
        yield from _lines(file, start, lines + 1)


def _skip_space(file: BinaryIO) -> tuple[bytes, int]:
    """The first byte that means something, and how many lines ended before it."""
    lines, seen = 0, b""
    while byte := file.read(1):
        seen += byte
        if seen in (_BOM[:1], _BOM[:2]):
            continue
        if seen == _BOM:
            byte = b" "
        if not byte.isspace():
            return byte, lines
        lines += byte == b"\n"
        seen = b" "
    return b"", lines


def _lines(file: BinaryIO, start: bytes, line: int) -> Iterator[Raw]:
    while text := start + file.readline(MAX_ITEM_BYTES):
        start = b""
        if text.strip():
            yield Raw(line, text.strip())
        while text and not text.endswith(b"\n"):  # the rest of a line that is too long to be kept
            text = file.readline(MAX_ITEM_BYTES)
        line += 1


def _array(file: BinaryIO, line: int) -> Iterator[Raw]:
    """Items are told apart by their brackets and commas alone, so that a broken one is skipped as a whole."""
    buffer, scanned, depth = b"", 0, 0
    while True:
        chunk = file.read(CHUNK)
        buffer += chunk
        while token := _TOKEN.search(buffer, scanned):
            text = token[0]
            if text == b'"':  # a string that goes on in the next chunk
                scanned = token.start()
                break
            scanned = token.end()
            if text in (b"{", b"["):
                depth += 1
            elif text in (b"}", b"]"):
                depth -= 1
                if depth < 0:  # the array's own end
                    yield from _item(buffer[: token.start()], line)
                    return
                if depth == 0:
                    yield from _item(buffer[:scanned], line)
                    line += buffer.count(b"\n", 0, scanned)
                    buffer, scanned = buffer[scanned:], 0
        else:
            scanned = max(scanned, len(buffer))
        if not chunk:
            raise NotJSON("The JSON array does not end: the file is cut off, or a bracket or quote is missing.")
        if len(buffer) > MAX_ITEM_BYTES:
            raise NotJSON(f"The item that begins on line {line} does not end within {MAX_ITEM_BYTES >> 20} MB.")


def _item(text: bytes, line: int) -> Iterator[Raw]:
    """What stands between two items' ends, without the comma and space before it; nothing where nothing is left."""
    body = text.lstrip(b" \t\r\n,")
    if body:
        yield Raw(line + text.count(b"\n", 0, len(text) - len(body)), body.rstrip())
