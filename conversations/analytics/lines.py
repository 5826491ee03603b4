"""Lines that agents say to many leads: which of them are one line, said with other names, numbers and dates.

What is left out of a line is what changes from lead to lead, and with it whatever may be a contact. Where it stood
there is a gap: ``Hi Ana, shall I keep the desk in Leith for you?`` is ``shall i keep the desk in … for you``.
"""

import re
import unicodedata
from functools import lru_cache

from accounts.masking import HIDDEN, SHORTEST_OWN, mask_text
from conversations.messages import PREVIEW

MOST_COMMON = 80
"""Characters that are compared. Of a line so many more are kept (``PREVIEW``) that names before them do not matter."""

GAP = "…"
WORDLESS = GAP
"""What lines without any word have in common."""

OPENING = 3
"""Words that may open a line, and are left out: ``Hi Ana,``, ``No problem.``, ``Kurze Frage:``."""

LEAST = 3
"""Words that have to follow."""

_UNSEEN = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_PICTURES = re.compile("[\u2190-\u2bff\ufe0e\ufe0f\U0001f000-\U0001faff]+")
_SIGNS = "".join(map(chr, range(33, 48))) + ":;<=>?[\\]^_`{|}~¡¿«»‘’“”„‚‹›–—·•…。，、！？：；（）「」『』،؛؟।"
_OPENS = frozenset(",.!:–—،。，！：")
_ENDS = frozenset('.!?:…¿¡。！？：؟।"“”„»«')
_CONTACTS = ("@", "%40", "://", "www.", HIDDEN)


def common_of(line: str, phone: str = "", email: str = "") -> str:
    """What ``line`` has in common with the same line to another lead; ``phone`` and ``email`` are the lead's own."""
    is_cut = len(line) >= PREVIEW
    for own in (phone, email):
        if len(own) >= SHORTEST_OWN and own.casefold() in line.casefold():
            line = mask_text(line, phone, email)
    return _common_of(line, is_cut)


@lru_cache(4096)  # agents repeat themselves
def _common_of(line: str, is_cut: bool) -> str:
    text = line
    if not line.isascii():
        text = _PICTURES.sub(" . ", _UNSEEN.sub("", unicodedata.normalize("NFKC", line)))
    parts = text.split()
    if is_cut and len(parts) > 1:
        parts.pop()  # the rest of it is missing
    words, names, opening = _told_apart(parts)
    words = words[opening:]
    named = [GAP if is_name else word for word, is_name in zip(words, names[opening:], strict=True)]
    if len(words) > LEAST and all(word[0].isupper() for word in words if word != GAP):
        named = words  # who writes All Words So means no names
    kept = [word for word, last in zip(named, ["", *named], strict=False) if word != GAP or last != GAP]
    return _shortened(" ".join(kept).casefold().strip(f" {GAP}"))


def _told_apart(parts: list[str]) -> tuple[list[str], list[bool], int]:
    """The words, gaps among them; which are names: what has a capital within a sentence; and where the opening ends."""
    words: list[str] = []
    names: list[bool] = []
    opening, begins = 0, True
    for place, part in enumerate(parts):
        word, behind = part, ""
        if not part.isalpha():  # most are
            word = part.strip(_SIGNS)
            start = part.index(word)
            behind = part[start + len(word) :]
            begins = begins or not _ENDS.isdisjoint(part[:start])
        if word:
            words.append(_kept(word, part))
            names.append(not begins and word[0].isupper() and word[1:2] not in ("", "'", "’"))
        elif GAP in part:
            words.append(GAP)
            names.append(False)
        begins = bool(behind) and behind[-1] in _ENDS
        # A name of its own goes with the opening before it: ``Hello again, Ana.``
        is_near = len(words) <= max(OPENING, opening + 2 * bool(opening)) and len(parts) - place > LEAST
        if is_near and behind and behind[0] in _OPENS:
            opening, begins = len(words), True
    return words, names, opening if len(words) - opening >= LEAST else 0


def _kept(word: str, part: str) -> str:
    if word.isalpha():
        return GAP if any(sign in part for sign in _CONTACTS) else word
    is_gap = any(map(str.isdigit, word)) or any(sign in part for sign in _CONTACTS)
    return GAP if is_gap else word.replace("’", "'")


def _shortened(text: str) -> str:
    if len(text) > MOST_COMMON:
        text = text[: MOST_COMMON + 1]
        text = text.rpartition(" ")[0] or text[:MOST_COMMON]
    return text.strip(f" {GAP}") or WORDLESS
