"""How a line of the log looks: as text, or as a JSON object (``LOG_FORMAT``); and what never stands in it.

A log is read, copied and kept by more people and programs than the store is. So it says what was asked for and how that
went, never with which values: no parameter, body, header, key, phone, e-mail address or text of anybody.

orjson writes an object in a microsecond and is here already; a library of formatters would bring nothing that these two
need.
"""

import logging
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from accounts.origin import SECRET_PATH, current_origin

HIDDEN = "…"
LONGEST = 40
"""Characters of a part of a path, or of a parameter's name: what is longer is a value."""

IN_MESSAGE = {"method", "path", "status"}
"""Of what the access log knows of a request."""

_ID = re.compile(r"[0-9a-f]{24}|\d{1,6}")
_NAME = re.compile(r"(?!nl_)[A-Za-z][A-Za-z0-9_.-]*")
_NUMBER = re.compile(r"\d{5}")

_KEY = re.compile(r"nl_(?:live|test)_\w+", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s\"'<>(){}=,;:/@]+(?:@|%40)[^\s\"'<>(){}=,;:/@]+", re.IGNORECASE)
_ADDRESS_OR_DATE = r"(?!\d{1,3}(?:\.\d{1,3}){3}(?![\d.])|(?:19|20)\d\d-\d\d-\d\d)"
_PHONE = re.compile(
    rf"(?<![0-9A-Za-z.:-]){_ADDRESS_OR_DATE}(?:\+|%2B)?\(?\d(?:[\s().-]{{0,3}}\d){{6,}}(?![0-9A-Za-z])", re.IGNORECASE
)
_NO_HOST = re.compile(r"(?<=HTTP_HOST header: )(?!'[A-Za-z0-9.:-]+')[^\n]+")
_QUERY = re.compile(r"(?<=[\w/])\?[^\s\"')]+")

# Where the words of an error begin to be somebody's: at a quote or bracket, but not around a name such as a column's
_QUOTED = re.compile(r"""(?P<name>(?P<quote>['"`])[a-z]+(?:_[a-z0-9]+)+(?P=quote)|\(\))|['"`«“‘\[({]""")


@lru_cache(maxsize=2_000)
def shown_path(path: str) -> str:
    """``path`` with its ids and words; what somebody typed into it, such as a phone, is hidden."""
    return "/".join(part if _is_plain(part) else HIDDEN for part in SECRET_PATH.sub(rf"\1{HIDDEN}", path).split("/"))


@lru_cache(maxsize=2_000)
def parameter_names(query: str) -> tuple[str, ...]:
    """Which parameters a query string has, in their order, without their values."""
    names = (pair.partition("=")[0] for pair in query.split("&", 20)[:20] if pair)
    return tuple(dict.fromkeys(name if _is_plain(name) else HIDDEN for name in names))


def _is_plain(part: str) -> bool:
    if len(part) > LONGEST:
        return False
    return not part or _ID.fullmatch(part) is not None or bool(_NAME.fullmatch(part) and not _NUMBER.search(part))


def cleaned(text: str) -> str:
    """``text`` without what could be of a person, or open something."""
    text = _KEY.sub(HIDDEN, SECRET_PATH.sub(rf"\1{HIDDEN}", _NO_HOST.sub(HIDDEN, text)))
    return _PHONE.sub(HIDDEN, _EMAIL.sub(HIDDEN, _QUERY.sub(f"?{HIDDEN}", text)))


def told(error: BaseException) -> str:
    """What went wrong."""
    return f"{type(error).__module__}.{type(error).__qualname__}: {unquoted(str(error))}".removeprefix("builtins.")


def unquoted(words: str) -> str:
    """An error's words up to the first that it quotes: stores and parsers quote values."""
    words = words.strip().partition("\n")[0][:300]
    quoted = next((found for found in _QUOTED.finditer(words) if not found["name"]), None)
    return cleaned(f"{words[: quoted.start()]}{HIDDEN}" if quoted else words)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


class TextFormatter(logging.Formatter):
    """``time LEVEL request-id logger: message name=value …``"""

    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(
            f" {name}={_one_word(value)}" for name, value in facts_of(record).items() if name not in IN_MESSAGE
        )
        said = f"{self.formatTime(record)} {record.levelname} {request_id_of(record)} {record.name}: "
        return f"{said}{message_of(record)}{facts}{self._trouble(record)}"

    def _trouble(self, record: logging.LogRecord) -> str:
        return f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """As Python does, the first error first, without what the errors quote."""
        pieces = [
            f"Traceback (most recent call last):\n{''.join(traceback.format_tb(error.__traceback__))}{told(error)}"
            for error in reversed(list(_chain(ei[1])))
        ]
        return "\n\n".join(pieces)


class JsonFormatter(TextFormatter):
    """An object a line: ``time``, ``level``, ``logger``, ``message``, ``request_id``, what else is known, ``error``."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message_of(record),
            "request_id": request_id_of(record),
            **facts_of(record),
        }
        if record.exc_info and record.exc_info[1]:
            line |= {"error": told(record.exc_info[1]), "traceback": self.formatException(record.exc_info)}
        return orjson.dumps(line, default=str).decode()


def message_of(record: logging.LogRecord) -> str:
    """Lines that the access log writes are clean already."""
    said = record.getMessage().encode(errors="replace").decode()  # a lone surrogate is no text
    return said if hasattr(record, "facts") else cleaned(said)


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    facts: dict[str, Any] = getattr(record, "facts", {})
    return facts


def request_id_of(record: logging.LogRecord) -> str:
    known: str = getattr(record, "request_id", "")
    return known or current_origin().request_id


def _one_word(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
