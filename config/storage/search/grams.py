"""What a term is looked for by on SQLite, and how much FTS5 has written of that.

FTS5's ``…_idx`` names the first trigram of each of its pages. What is read of it decides which way a search goes and
what is looked for first, and never what is found.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

RAREST = 3
"""Trigrams that are looked for first."""

SPACED = 6
"""Trigrams that are looked for next, none of which overlap: those of one word stand together too often to tell much."""

MOST_WEIGHED = 32
"""Trigrams of a term that are compared for the rarest."""

LAST = "\U0010ffff" * 3
"""What no trigram's rest comes after."""

PAGES = """
WITH RECURSIVE segment(number) AS (
    SELECT min(segid) FROM {idx}
    UNION ALL SELECT (SELECT min(segid) FROM {idx} WHERE segid > number) FROM segment WHERE number IS NOT NULL
)
SELECT least, coalesce(sum(max(0, coalesce(
    (SELECT pgno / 2 FROM {idx} WHERE segid = number AND term > CAST('0' || most AS blob) ORDER BY term LIMIT 1),
    (SELECT pgno / 2 + 1 FROM {idx} WHERE segid = number ORDER BY term DESC LIMIT 1)
) - (
    SELECT pgno / 2 FROM {idx} WHERE segid = number AND term <= CAST('0' || least AS blob) ORDER BY term DESC LIMIT 1
) - 1)), 0)
FROM (
    SELECT json_extract(value, '$[0]') AS least, json_extract(value, '$[1]') AS most FROM json_each(%s)
) CROSS JOIN segment
WHERE number IS NOT NULL GROUP BY least
"""


class Weight(NamedTuple):
    """Of one term: each thing that is looked for → the pages that FTS5 has written of it, of all owners."""

    term: str
    pages: dict[str, int]

    @property
    def is_short(self) -> bool:
        return len(self.term) < 3

    @property
    def whole(self) -> int:
        """Pages that are read for the whole term."""
        sampled = sum(self.pages.values())
        return sampled if self.is_short else sampled * (len(self.term) - 2) // len(self.pages)

    @property
    def rarest(self) -> list[str]:
        return sorted(self.pages, key=lambda gram: self.pages[gram])

    @property
    def spaced(self) -> list[str]:
        """The rarest of which no two overlap."""
        found: dict[int, str] = {}
        for gram in self.rarest:
            place = self.term.index(gram)
            if all(abs(place - other) > 2 for other in found):
                found[place] = gram
        return list(found.values())

    @property
    def stages(self) -> list[list[str]]:
        """What tells rows that are likely to hold the term, from what is read fastest on."""
        found = [self.rarest[:RAREST], self.spaced[:SPACED]]
        return [grams for grams in found if len(grams) >= RAREST and 2 * self.read_for(grams) <= self.whole]

    def read_for(self, grams: Sequence[str]) -> int:
        """Pages that are read for these trigrams alone."""
        return sum(self.pages[gram] for gram in grams)

    def near(self, grams: Sequence[str]) -> str:
        """What FTS5 looks for of these trigrams."""
        return f"NEAR({' '.join(map(quoted, grams))}, {len(self.term)})"


def weigh(run: Any, name: str, terms: Sequence[str]) -> list[Weight]:
    """``run`` gives the rows of a statement, ``name`` is the index's."""
    looked_for = [grams_of(term) for term in terms]
    spans = [(gram, gram if len(gram) == 3 else gram + LAST) for gram in {gram for each in looked_for for gram in each}]
    pages = dict(run(PAGES.replace("{idx}", f"{name}_idx"), (json.dumps(spans),)))
    return [
        Weight(term, {gram: pages.get(gram, 0) for gram in each}) for term, each in zip(terms, looked_for, strict=True)
    ]


def grams_of(term: str) -> list[str]:
    """The trigrams of ``term``, or enough of them; a shorter one is what trigrams begin with."""
    grams = list(dict.fromkeys(term[start : start + 3] for start in range(max(1, len(term) - 2))))
    return grams[:: -(-len(grams) // MOST_WEIGHED)]


def quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""'))
