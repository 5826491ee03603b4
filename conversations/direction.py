"""Texts in which writing from right to left stands beside numbers and names from left to right.

Between Arabic or Hebrew words, the groups of a phone number would be shown in the opposite order, its ``+`` at the end.
"""

import re

RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
NUMBER = re.compile(r"(?<![\w+])\+?[\d(][\d ()./…•\u00a0-]{5,}\d(?!\w)")
"""Phones, as people write them and as they are masked, and dates in digits."""

FIRST_STRONG, POP = "\u2068", "\u2069"


def numbers(text: str) -> list[tuple[int, int]]:
    """The stretches of a text that have to be kept from left to right."""
    if text.isascii() or not RIGHT_TO_LEFT.search(text):
        return []
    return [found.span() for found in NUMBER.finditer(text)]


def apart(text: str) -> str:
    """A text for a line of plain text, each of its own lines in its own direction: what stands around it stays."""
    if text.isascii() or not RIGHT_TO_LEFT.search(text):
        return text
    return "\n".join(f"{FIRST_STRONG}{line}{POP}" for line in text.split("\n"))
