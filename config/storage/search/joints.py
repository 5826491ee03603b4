"""Where words meet, which tells phrases of common words apart; kept by the index on PostgreSQL."""

import re

DIGITS = "ａｂｃｄｅｆｇｈｉｊ"
"""Stand for the digits of a number (a phone) that is looked for as such: letters that folding leaves in no text. What
holds one of them holds nothing else.
"""

JOINT = 5
"""Characters of a joint."""

_JOINT = re.compile(rf"(?=([^ ]{{2}} [^ ]{{2}}|[{DIGITS}]{{5}}))")


def joints_of(term: str) -> list[str]:
    """Where words meet: the last two characters of one, a space, and the first two of the next. What common words are
    made of stands everywhere; which of them meet tells far more. Of a number, each five digits.
    """
    return list(dict.fromkeys(_JOINT.findall(term)))
