"""How the SQL stores write JSON, character by character as orjson does. MongoDB stores documents, not texts."""

from typing import NamedTuple


class Dialect(NamedTuple):
    """How a database writes ``{column}`` as JSON, puts texts into places, and casts the ``{whole}``."""

    format: str
    """The function that takes a text with ``%s`` in it, and what stands there."""
    text: str
    integer: str
    moment: str
    moment_place: str
    """How a moment stands in such a text: ``moment`` may be more than one value."""
    json: str
    true: str
    whole: str


DIALECTS = {
    "sqlite": Dialect(
        format="printf",
        text="json_quote({column})",
        integer="{column}",
        moment="{column}, substr({column} || '.000', 12)",
        moment_place='"%.10sT%.12sZ"',
        json="{column}",
        true="{column}",
        # A blob: sqlite3 hands out its bytes as they are, where a text would be decoded only to be encoded again.
        whole="CAST({whole} AS BLOB)",
    ),
    "postgresql": Dialect(
        format="format",
        text="to_json({column})::text",
        integer="{column}",
        moment="""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')""",
        moment_place='"%s"',
        json="{column}::text",
        true="{column}",
        whole="{whole}",
    ),
}
