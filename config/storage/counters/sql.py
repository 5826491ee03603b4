"""The statements of the SQL stores."""

TABLE = "rate_limit_counters"

COLUMNS = """(
    name text PRIMARY KEY,
    started bigint NOT NULL,
    counted bigint NOT NULL,
    before bigint NOT NULL,
    admitted boolean NOT NULL
)"""

# Inside out: the window as it is at the moment (0 windows later the same, 1 later the next, else a new one), whether
# the request fits in, and the count. The division is that of integers, towards 0: a clock that is a little behind the
# one that opened the window still counts in it.
_TAKE = f"""
INSERT INTO {TABLE} AS c (name, started, counted, before, admitted) {{row}}
ON CONFLICT (name) DO UPDATE SET (started, counted, before, admitted) = (
    SELECT started, counted + CASE WHEN fits THEN 1 ELSE 0 END, before, fits
    FROM (
        SELECT
            started, counted, before,
            before * ({{span}} - 1 - CASE WHEN {{moment}} > started THEN {{moment}} - started ELSE 0 END)
                + counted * {{span}} < {{allowance}} AS fits
        FROM (
            SELECT
                CASE ({{moment}} - c.started) / {{span}}
                    WHEN 0 THEN c.started WHEN 1 THEN c.started + {{span}} ELSE {{moment}} END AS started,
                CASE ({{moment}} - c.started) / {{span}}
                    WHEN 0 THEN c.counted ELSE 0 END AS counted,
                CASE ({{moment}} - c.started) / {{span}}
                    WHEN 0 THEN c.before WHEN 1 THEN c.counted ELSE 0 END AS before
        ) AS slid
    ) AS judged
)
RETURNING started, counted, before, admitted
"""  # noqa: S608  built from the constants of this file


def take(row: str, moment: str, allowance: str, span: str) -> str:
    """The upsert that counts a request where it fits; ``row`` is the row of a name that was not there."""
    return _TAKE.format(row=row, moment=moment, allowance=allowance, span=span)
