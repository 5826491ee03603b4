"""What a term is looked for by on PostgreSQL (``config.storage.search.postgresql``), and the functions that do.

A piece is one of pg_trgm's trigrams, or a joint (``joints_of``).
"""
# ruff: noqa: S608 - the names are the index's and the columns', which the models say

import re
from collections.abc import Sequence

from config.storage.search.index import SubstringIndex
from config.storage.search.joints import DIGITS, JOINT, joints_of

MOST = 24
"""Pieces of a term that are compared for the rarest."""

NEWEST = 15
"""Conversations whose messages tell how often a piece stands."""

LARGE = 0.05
"""Of all messages: an owner's own list of so many is longer to go through than those of a term's rarest pieces."""

_TRIGRAM = re.compile(r"(?=([^\W_]{3}))")
"""What pg_trgm makes a trigram of, whatever stands around it."""


def pieces_of(term: str) -> list[str]:
    """All pieces that a text with ``term`` holds for certain, or enough of them."""
    found = joints_of(term) + list(dict.fromkeys(_TRIGRAM.findall(term)))
    return found[:: -(-len(found) // MOST) or 1]


def joints(pieces: Sequence[str]) -> list[str]:
    return [piece for piece in pieces if len(piece) == JOINT]


def trigrams(pieces: Sequence[str]) -> list[str]:
    return [piece for piece in pieces if len(piece) < JOINT]


def functions(index: SubstringIndex, columns: dict[str, str]) -> list[str]:
    name, text, along, owner = index.name, columns[index.fields[-1]], columns[index.along], index.fields[:-1]
    owned = " AND ".join(f"{columns[field]} = ${number}" for number, field in enumerate(owner, 1))
    return [
        f"CREATE OR REPLACE FUNCTION {name}_joints(text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$"
        " DECLARE found text[]; word text; last text; BEGIN"
        f" IF $1 ~ '^[{DIGITS}]{{{JOINT},}}$' THEN"
        f" RETURN ARRAY(SELECT substr($1, start, {JOINT}) FROM generate_series(1, length($1) - {JOINT - 1}) start);"
        " END IF; FOREACH word IN ARRAY string_to_array($1, ' ') LOOP"
        " IF length(last) = 2 AND length(word) > 1 THEN found := found || (last || ' ' || left(word, 2)); END IF;"
        " last := right(word, 2); END LOOP; RETURN found; END $$",
        # In how many of the newest messages each piece stands
        f"CREATE OR REPLACE FUNCTION {name}_shares({'varchar, ' * len(owner)}text[]) RETURNS bigint[] LANGUAGE sql"
        f" STABLE AS $$ WITH said AS MATERIALIZED (SELECT part FROM (SELECT {text} AS text FROM %(table)s WHERE {owned}"
        f" ORDER BY {along} DESC, {columns['id']} DESC LIMIT {NEWEST}) it, string_to_table(it.text, chr(31)) part)"
        " SELECT array_agg((SELECT count(*) FROM said WHERE strpos(part, piece) > 0) ORDER BY place)"
        f" FROM unnest(${len(owner) + 1}) WITH ORDINALITY each(piece, place) $$",
        # Whatever the planner takes for likely: through the index, and nothing else. GIN goes through what stands of
        # the owner too, which helps those who have little. No letters to LC_CTYPE are looked for by themselves.
        f"CREATE OR REPLACE FUNCTION {name}_find(integer, text, text[], text[], text[], integer)"
        " RETURNS SETOF varchar LANGUAGE plpgsql STABLE"
        " SET enable_seqscan TO off SET enable_indexscan TO off SET jit TO off"
        " AS $$ DECLARE piece text; signs text[] := $5; asked text := 'owner = $1'; BEGIN"
        " IF EXISTS (SELECT 1 FROM pg_stats,"
        " unnest(most_common_vals::text::integer[], most_common_freqs) it(owner, share) WHERE it.owner = $1"
        f" AND share > {LARGE} AND tablename = '{name}_part' AND attname = 'owner' AND schemaname = current_schema())"
        " THEN asked := 'owner + 0 = $1'; END IF;"
        " FOREACH piece IN ARRAY $3 LOOP"
        " IF show_trgm(piece) = '{}' THEN signs := signs || string_to_array(piece, NULL);"
        " ELSE asked := asked || ' AND text LIKE ' || quote_literal('%%' || piece || '%%'); END IF; END LOOP;"
        f" IF $4 <> '{{}}' THEN asked := asked || ' AND {name}_joints(text) @> $3'; END IF;"
        " IF signs <> '{}' THEN asked := asked || ' AND string_to_array(text, NULL) @> $4'; END IF;"
        " RETURN QUERY EXECUTE"
        f" 'SELECT DISTINCT row FROM {name}_part WHERE strpos(text, $2) > 0 AND ' || asked || ' LIMIT $5'"
        " USING $1, $2, $4, signs, $6; END $$",
    ]
