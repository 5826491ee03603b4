"""Where a search hits a text, and how a text is shown: hits marked, addresses linked, numbers kept in order, all else
escaped.

A hit here is a hit of ``conversations.search``: both compare folded texts. Folding changes lengths (``ß`` becomes
``ss``), so positions in a folded text are traced back to the characters they came from.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe

from conversations.direction import numbers
from conversations.search import fold, phone_digits, terms

Span = tuple[int, int]
"""A stretch of a text: first character, and the one after the last."""

SNIPPET_BEFORE = 40
SNIPPET_AFTER = 90

# Only these schemes become links; the text of an address ends before blanks, quotes, brackets of markup and characters
# that turn or hide writing, with which an address could look like another one.
ADDRESS = re.compile(
    r"""\b(?:https?://|mailto:)[^\s<>"'`\\^{}|\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+""", re.IGNORECASE
)
TRAILING = ".,;:!?*_~)]"

# Characters that join the one before them when they are folded, beside combining marks.
_JOINING = re.compile("[\u1160-\u11ff\u3131-\u318e\uff9e-\uffdc]")


@dataclass(frozen=True)
class Piece:
    """A stretch of a text that is either a hit or not."""

    text: str
    hit: bool = False


def hits(text: str, query: str) -> list[Span]:
    """The stretches of a message, or an e-mail address, that the search for ``query`` finds."""
    needle = fold(query)
    if not needle:
        return []
    folded = fold(text)
    if needle not in folded:
        return []
    if text.isascii():
        return list(_occurrences(folded, needle))
    return _traced(_clusters(text, folded), needle, fold)


def phone_hits(phone: str, query: str) -> list[Span]:
    """The stretches of a phone number: as it is written, else by its bare digits."""
    if not query:
        return []
    found = hits(phone, query)
    for digits in list(terms(query))[1:]:
        found = found or _traced(list(phone), digits, phone_digits)
    return found


def pieces(text: str, spans: list[Span]) -> list[Piece]:
    """``text`` cut at the ends of its hits."""
    parts, position = [], 0
    for start, end in spans:
        parts += [Piece(text[position:start]), Piece(text[start:end], hit=True)]
        position = end
    parts.append(Piece(text[position:]))
    return [part for part in parts if part.text]


def marked(text: str, spans: list[Span]) -> SafeString:
    """``text`` as HTML with its hits in ``<mark>``."""
    return mark_safe(_stretch(text, spans, numbers(text), 0, len(text)))  # noqa: S308 - each part is escaped


def snippet(text: str, spans: list[Span]) -> SafeString:
    """The surroundings of a text's first hit, in one line, its hits marked."""
    start = max(0, spans[0][0] - SNIPPET_BEFORE)
    end = min(len(text), spans[0][1] + SNIPPET_AFTER)
    if start:
        start = max(start, text.find(" ", start, spans[0][0]) + 1)
    if end < len(text):
        end = max(text.rfind(" ", spans[0][1], end), spans[0][1]) if " " in text[spans[0][1] : end] else end
    inside = [(a - start, min(b, end) - start) for a, b in spans if start <= a < end]
    body = marked(text[start:end], inside)
    return mark_safe(f"{'…' if start else ''}{body}{'…' if end < len(text) else ''}")  # noqa: S308 - escaped


def linked(text: str, spans: list[Span]) -> SafeString:
    """``text`` as HTML with its hits marked and its http, https and mailto addresses as links."""
    parts, position, ordered = [], 0, numbers(text)
    for address in ADDRESS.finditer(text) if ":" in text else ():
        start, end = address.start(), address.start() + len(_address_itself(address.group()))
        shown = _cut(text, spans, start, end)
        parts.append(_stretch(text, spans, ordered, position, start))
        parts.append(
            f'<a href="{escape(text[start:end])}" dir="ltr" target="_blank" rel="noopener nofollow ugc">{shown}</a>'
        )
        position = end
    parts.append(_stretch(text, spans, ordered, position, len(text)))
    return mark_safe("".join(parts))  # noqa: S308 - each part is escaped


def _address_itself(address: str) -> str:
    """An address without the punctuation of the sentence around it."""
    while address and address[-1] in TRAILING:
        if address[-1] == ")" and address.count("(") >= address.count(")"):
            break
        address = address[:-1]
    return address


def _stretch(text: str, spans: list[Span], ordered: list[Span], start: int, end: int) -> str:
    """From ``start`` to ``end``; what is ``ordered`` in there stays from left to right."""
    parts = []
    for first, last in ordered:
        if start <= first and last <= end:
            parts += [_cut(text, spans, start, first), f'<bdi dir="ltr">{_cut(text, spans, first, last)}</bdi>']
            start = last
    return "".join([*parts, _cut(text, spans, start, end)])


def _cut(text: str, spans: list[Span], start: int, end: int) -> str:
    if not spans:
        return escape(text[start:end])
    inside = [(max(a, start) - start, min(b, end) - start) for a, b in spans if a < end and b > start]
    return "".join(
        f"<mark>{escape(part.text)}</mark>" if part.hit else escape(part.text)
        for part in pieces(text[start:end], inside)
    )


def _occurrences(text: str, needle: str) -> Iterator[Span]:
    position = text.find(needle)
    while position >= 0:
        yield position, position + len(needle)
        position = text.find(needle, position + len(needle))


def _clusters(text: str, folded: str) -> list[str]:
    """``text`` in the smallest parts that fold on their own: a character and those that join it, else a word."""
    for parts in (_split(text, _joins), _split(text, lambda character: not character.isspace())):
        if "".join(map(fold, parts)) == folded:
            return parts
    return [text]


def _joins(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or _JOINING.match(character) is not None


def _split(text: str, joins: Callable[[str], bool]) -> list[str]:
    starts = [index for index, character in enumerate(text) if not index or not joins(character)]
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


def _traced(parts: list[str], needle: str, folding: Callable[[str], str]) -> list[Span]:
    """The hits in the folded ``parts``, as stretches of the text that the parts make up; whole parts only."""
    origins: list[Span] = []
    folded, position = [], 0
    for part in parts:
        plain = folding(part)
        origins += [(position, position + len(part))] * len(plain)
        folded.append(plain)
        position += len(part)
    spans: list[Span] = []
    for start, end in _occurrences("".join(folded), needle):
        first, last = origins[start][0], origins[end - 1][1]
        if spans and first < spans[-1][1]:
            first = spans.pop()[0]
        spans.append((first, last))
    return spans
