"""What a term is looked for by on SQLite, and how much FTS5 has written of that.

FTS5's ``…_idx`` names the first trigram of each of its pages. What is read of it decides which way a search goes and
what is looked for first, and never what is found.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from config.storage.search.fts5 import is_number, skeleton

MOST_WEIGHED = 16
"""Trigrams of a term that are compared for the rarest, and as many of its skeleton."""

TRIGRAM = 3

LAST = "\U0010ffff" * 3
"""What no trigram's rest comes after."""

SMALL = 50
"""Pages of a part of the index that is not asked: it would tell little."""

PAGES = """
WITH RECURSIVE part(number) AS (
    SELECT min(segid) FROM {idx}
    UNION ALL SELECT (SELECT min(segid) FROM {idx} WHERE segid > number) FROM part WHERE number IS NOT NULL
), segment AS MATERIALIZED (
    SELECT number, (SELECT pgno / 2 + 1 FROM {idx} WHERE segid = number ORDER BY term DESC LIMIT 1) AS last
    FROM part WHERE number IS NOT NULL
)
SELECT least, sum(max(0, coalesce(
    (SELECT pgno / 2 FROM {idx} WHERE segid = number AND term > CAST('0' || most AS blob) ORDER BY term LIMIT 1), last
) - (
    SELECT pgno / 2 FROM {idx} WHERE segid = number AND term <= CAST('0' || least AS blob) ORDER BY term DESC LIMIT 1
) - 1))
FROM (
    SELECT json_extract(value, '$[0]') AS least, json_extract(value, '$[1]') AS most FROM json_each(%s)
) CROSS JOIN segment
WHERE last > {small} GROUP BY least
"""


class Weight(NamedTuple):
    """Of one term: each thing that is looked for → the pages that FTS5 has written of it, of all owners."""

    term: str
    pages: dict[str, int]

    @property
    def is_short(self) -> bool:
        return len(self.term) < TRIGRAM

    @property
    def whole(self) -> int:
        """Pages that are read for all of them."""
        return sum(self.pages.values())

    def rarest(self, most: int) -> str:
        """What FTS5 looks for: so many, which a text with the term holds somewhere.

        Beside the rarest two, those that overlap no other one: such as stand in one word tell little together.
        """
        places, grams = grams_of(self.term), sorted(self.pages, key=lambda gram: self.pages[gram])
        apart = grams[:2]
        for gram in grams[2:]:
            if all(places[gram].isdisjoint(places[other]) for other in apart):
                apart.append(gram)
        found = [*apart, *(gram for gram in grams if gram not in apart)]
        return " AND ".join(map(quoted, found[:most]))


def weigh(run: Any, name: str, terms: Sequence[str]) -> list[Weight]:
    """``run`` gives the rows of a statement, ``name`` is the index's."""
    looked_for = [grams_of(term) for term in terms]
    spans = [
        (gram, gram if len(gram) == TRIGRAM else gram + LAST) for gram in {gram for each in looked_for for gram in each}
    ]
    pages = dict(run(PAGES.format(idx=f"{name}_idx", small=SMALL), (json.dumps(spans),)))
    return [
        Weight(term, {gram: pages.get(gram) or 0 for gram in each})
        for term, each in zip(terms, looked_for, strict=True)
    ]


def grams_of(term: str) -> dict[str, set[int]]:
    """Trigrams of ``term`` and of its skeleton, enough of them, and what they span; a shorter one is what trigrams
    begin with.
    """
    places = range(len(term))
    # A number's skeleton may stand in a text without words, which says little.
    bones = [] if is_number(term) else [place for place in places if skeleton(term[place])]
    return _some_of(skeleton(term), bones) | _some_of(term, places) if len(term) >= TRIGRAM else {term: set(places)}


def _some_of(text: str, places: Sequence[int]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for start in range(len(places) - TRIGRAM + 1):
        found.setdefault(text[start : start + TRIGRAM], set(range(places[start], places[start + TRIGRAM - 1] + 1)))
    return dict(list(found.items())[:: -(-len(found) // MOST_WEIGHED) or 1])


def quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""'))
