"""What ``search`` means (contract, section 2): a literal substring, caseless in every script.

Each conversation carries one folded text: phone, e-mail and each message, one after the other. A search folds its words
the same way and looks for them as they are, so every store gives the same answer.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from config.storage.search import DIGITS

MAX_SEARCH_LENGTH = 100
"""Characters, as the client counts them: before folding."""

SEPARATOR = "\x1f"
"""Between fields, so that no match spans two. Folding takes it out of every text."""

# A phone's bare digits are kept in the same text as other characters, so that digits looked for as a phone are found in
# phones alone, and one column (one index) answers the whole search.
PHONE_DIGITS = {ord("0") + digit: ord(letter) for digit, letter in enumerate(DIGITS)}
_PUNCTUATED_PHONE = re.compile(r"[0-9 +()./\u2010-\u2015\u2212-]+")
MIN_PHONE_DIGITS = 4
_NOT_STORED = re.compile(r"\A *0 *0|\( *0 *\)")
"""What stands for the plus sign, and what is dialled within a country alone: ``0044 20``, ``+44 (0)20``."""
MIN_DIALLED = 10
"""Digits of a number without punctuation that is taken for one from abroad."""


def fold(text: str) -> str:
    """``text`` as it is compared: NFKC and case-folded (Unicode, chapter 3.13, D146), so ``ÄRGER`` meets ``ärger``."""
    if text.isascii():
        return text.casefold().replace(SEPARATOR, " ")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return folded.replace(SEPARATOR, " ")


def search_text(*, phone: str, email: str, contents: Iterable[str]) -> str:
    """The text that a conversation is searched by."""
    return SEPARATOR.join(("", fold(phone), phone_digits(phone), fold(email), *map(fold, contents)))


def appended_search_text(contents: Iterable[str]) -> str:
    """What further messages add to ``search_text``."""
    return "".join(f"{SEPARATOR}{fold(content)}" for content in contents)


def phone_digits(phone: str) -> str:
    """The digits of a phone, in the code points reserved for them; of any script's digits."""
    return re.sub(r"[^0-9]", "", fold(phone)).translate(PHONE_DIGITS)


def terms(query: str) -> Iterator[str]:
    """The folded texts of which a conversation must hold at least one.

    A query that looks like a phone is also looked for by its digits: ``+1 (555) 01`` finds ``+1-555-0102``; and
    as it would be written with a plus sign: so does ``001 (555) 01``.
    """
    folded = fold(query)
    yield folded
    if _PUNCTUATED_PHONE.fullmatch(folded):
        digits = phone_digits(folded)
        if folded.isdigit() or len(digits) >= MIN_PHONE_DIGITS:
            yield digits
        dialled = phone_digits(_NOT_STORED.sub("", folded))
        is_dialled = not folded.isdigit() or len(digits) >= MIN_DIALLED
        if dialled != digits and is_dialled and len(dialled) >= MIN_PHONE_DIGITS:
            yield dialled
