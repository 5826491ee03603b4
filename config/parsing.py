"""Request bodies of the API: JSON in UTF-8, bounded, and unambiguous."""

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.http import HttpRequest
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

MAX_BODY = 1 << 20
"""Bytes of a body, where a view does not say otherwise by ``max_body``."""

MAX_DEPTH = 32


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = "Request body is too large"


class StrictJSONParser(BaseParser):
    """JSON that has one meaning only: no repeated keys, no NaN, no integers beyond 64 bits, at most 32 levels deep."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises 400, 413 or 415, each in words."""
        context: Mapping[str, Any] = parser_context or {}
        request = context["request"]
        encoding = request.headers.get("Content-Encoding", "identity")
        charset = (request.content_type or "").lower().partition("charset=")[2].strip(' "') or "utf-8"
        if encoding.lower() != "identity" or charset not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(media_type or "", "Request body must be JSON in UTF-8, not compressed")
        limit = getattr(context.get("view"), "max_body", MAX_BODY)
        return parse_json(read_body(request, stream, limit))


def read_body(request: HttpRequest, stream: IO[bytes], limit: int) -> bytes:
    """The whole body, or BodyTooLarge before more than ``limit`` bytes of it are held."""
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if not declared.isdigit() or int(declared) > limit:
        raise BodyTooLarge(f"Request body is too large: at most {limit >> 20} MB")
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(f"Request body is too large: at most {limit >> 20} MB")
    return body


def parse_json(body: bytes) -> Any:
    """The value that ``body`` means. Raises ParseError (400)."""
    try:
        value = json.loads(
            body.decode(),
            object_pairs_hook=_unambiguous,
            parse_constant=_not_json,
            parse_int=_integer,
            parse_float=_float,
        )
    except UnicodeDecodeError:
        raise ParseError("Request body is not UTF-8") from None
    except RecursionError:
        raise ParseError(f"Request body is nested too deeply: at most {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise ParseError(f"Request body is not valid JSON: {error}") from None
    _check_depth(value)
    return value


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {json.dumps(repeated[:40])} is repeated")
    return found


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**63:
        raise ValueError("an integer is larger than 64 bits")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return value


def _check_depth(value: Any) -> None:
    level, depth = list(_containers([value])), 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ParseError(f"Request body is nested too deeply: at most {MAX_DEPTH} levels")
        level = [inner for outer in level for inner in _containers(outer)]


def _containers(outer: Any) -> Iterator[Any]:
    inside = outer.values() if isinstance(outer, dict) else outer
    return (inner for inner in inside if isinstance(inner, dict | list))
