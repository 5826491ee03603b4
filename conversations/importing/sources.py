"""Where conversations come from: a file, standard input, or another server's ``/api/conversations``."""

import gzip
import json
import re
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import orjson

from conversations.importing.json_stream import NotJSON, Raw, items

GZIP = b"\x1f\x8b"
PAGE = 200
PATIENCE = 6
"""How often a server that is busy is asked again."""


class SourceError(Exception):
    """The source cannot be read (any further); what was read before it stays recorded."""


class Item:
    """One item as it was read: where it stood, its bytes, and the value they mean (ValueError where they mean none)."""

    def __init__(self, number: int, raw: Raw) -> None:
        self.number = number
        self.line = raw.line
        self.text = raw.text

    def value(self) -> Any:
        try:
            return orjson.loads(self.text)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"Is not JSON: {error}") from None


def open_source(source: str, *, api_key: str | None = None) -> Iterator[Item]:
    """The items of ``source`` in their order. Raises SourceError, in words for the person at the keyboard."""
    is_url = source.startswith(("http://", "https://"))
    found = _from_server(source, api_key) if is_url else _from_file(source)
    try:
        for number, raw in enumerate(found, start=1):
            yield Item(number, raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(f"The compressed data is damaged or cut off: {error}") from None
    except (NotJSON, OSError, HTTPException) as error:
        raise SourceError(str(error)) from None


def _from_file(source: str) -> Iterator[Raw]:
    if source == "-":
        yield from items(_unzipped(sys.stdin.buffer))
        return
    with Path(source).open("rb") as file:
        yield from items(_unzipped(file))


def _unzipped(file: Any) -> BinaryIO:
    """``file``, a buffered reader, or what is compressed in it."""
    return cast(BinaryIO, gzip.open(file) if file.peek(2)[:2] == GZIP else file)


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the key to wherever it points."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _from_server(address: str, api_key: str | None) -> Iterator[Raw]:
    """Walk another server's list: by ``Link`` where it gives one, else by ``skip`` and ``limit``.

    A server that knows neither answers the whole account at once, and is read as it comes.
    """
    if not api_key:
        raise SourceError("Another server asks for its key: --api-key nl_live_…, or the variable IMPORT_API_KEY.")
    if urlsplit(address).path in ("", "/"):
        address = urljoin(address, "/api/conversations")
    page, skip, first_before = _with_query(address, limit=PAGE), 0, b""
    while True:
        number = 0
        with _answer(page, api_key) as (file, next_page):
            for number, raw in enumerate(items(file), start=1):
                if number == 1:
                    if raw.text == first_before:
                        return  # a server that ignores skip: we have it all
                    first_before = raw.text
                yield raw
        skip += number
        if next_page:
            if urlsplit(next_page)[:2] != urlsplit(address)[:2]:
                raise SourceError(f"The next page lies on another server ({next_page}): the key is not sent there.")
            page = next_page
        elif number == PAGE:
            page = _with_query(address, limit=PAGE, skip=skip)
        else:
            return


@contextmanager
def _answer(address: str, api_key: str) -> Iterator[tuple[BinaryIO, str | None]]:
    """The body of a GET and the address of the next page. A busy server is asked again, after as long as it says."""
    request = Request(address, headers={"X-API-Key": api_key, "Accept": "application/json", "Accept-Encoding": "gzip"})  # noqa: S310 (checked by open_source)
    for attempt in range(PATIENCE + 1):
        try:
            with build_opener(_NoRedirects).open(request, timeout=60) as response:
                link = re.search(r'<([^>]+)>\s*;\s*rel="?next"?', response.headers.get("Link", ""))
                yield _unzipped(response), link and urljoin(address, link[1])
                return
        except HTTPError as error:
            with error:
                if attempt == PATIENCE or (error.code != 429 and error.code < 500):
                    raise SourceError(f"The server answered {error.code}: {_reason(error)}") from None
                pause = error.headers.get("Retry-After", "")
            time.sleep(min(int(pause), 120) if pause.isdigit() else 2**attempt)
        except URLError as error:
            raise SourceError(f"The server cannot be reached: {error.reason}") from None


def _reason(error: HTTPError) -> str:
    if error.headers.get("Location"):
        return f"it redirects to {error.headers['Location']}; give that address."
    try:
        return str(json.loads(error.read(10_000))["error"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def _with_query(address: str, **parameters: int) -> str:
    parts = urlsplit(address)
    query = [*((name, value) for name, value in parse_qsl(parts.query) if name not in parameters), *parameters.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))
