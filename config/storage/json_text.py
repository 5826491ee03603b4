"""How the SQL stores write JSON, character by character as orjson does. MongoDB stores documents, not texts."""

from typing import NamedTuple


class Dialect(NamedTuple):
    """How a database writes ``{column}`` as JSON, and casts the ``{whole}``."""

    text: str
    integer: str
    moment: str
    json: str
    true: str
    whole: str


DIALECTS = {
    "sqlite": Dialect(
        text="json_quote({column})",
        integer="CAST({column} AS integer)",
        moment="substr({column}, 1, 10) || 'T' || substr({column} || '.000', 12, 12) || 'Z'",
        json="{column}",
        true="{column}",
        # A blob: sqlite3 hands out its bytes as they are, where a text would be decoded only to be encoded again.
        whole="CAST({whole} AS BLOB)",
    ),
    "postgresql": Dialect(
        text="to_json({column})::text",
        integer="{column}",
        moment="""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')""",
        json="{column}::text",
        true="{column}",
        whole="{whole}",
    ),
}
