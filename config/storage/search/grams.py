"""Which trigrams of a term are looked for first: those that FTS5 has written least of."""

RAREST = 3
"""Trigrams that are looked for first."""

MOST_WEIGHED = 32
"""Trigrams of a term that are compared for the rarest."""

PAGES = """
WITH RECURSIVE segment(number) AS (
    SELECT min(segid) FROM {idx}
    UNION ALL SELECT (SELECT min(segid) FROM {idx} WHERE segid > number) FROM segment WHERE number IS NOT NULL
)
SELECT value, coalesce(sum(max(0,
    (SELECT pgno / 2 FROM {idx} WHERE segid = number AND term > gram ORDER BY term LIMIT 1)
    - (SELECT pgno / 2 FROM {idx} WHERE segid = number AND term <= gram ORDER BY term DESC LIMIT 1) - 1
)), 0)
FROM (SELECT value, CAST('0' || value AS blob) AS gram FROM json_each(%s)) CROSS JOIN segment
WHERE number IS NOT NULL GROUP BY value
"""


def grams_of(term: str) -> list[str]:
    """The trigrams of ``term``, or enough of them."""
    grams = list(dict.fromkeys(term[start : start + 3] for start in range(len(term) - 2)))
    return grams[:: -(-len(grams) // MOST_WEIGHED)] if grams else []


def near_of(term: str, pages: dict[str, int]) -> str:
    """What FTS5 looks for of a term that has more trigrams than the rarest."""
    rarest = sorted(pages, key=lambda gram: pages[gram])[:RAREST]
    return f"NEAR({' '.join(map(quoted, rarest))}, {len(term)})"


def quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""'))
