"""What of a row is counted, and as what: written once, as SQL for the triggers and as Python for MongoDB.

A *text* is a format string with columns for names, such as ``channel:{channel}``; it is null where any of them is. A
*condition* names columns with the values that they may have. A *number* is a column, or a condition, which counts 1
where it is met; the empty one always is.
"""

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any

Row = Mapping[str, Any]
Condition = Mapping[str, Sequence[str | bool]]
Number = str | Condition
Limits = Mapping[str, int]
"""Column → what counts as all that is more."""


def text_sql(text: str, row: str, limits: Limits) -> str:
    pieces = []
    for literal, column, *_ in Formatter().parse(text):
        if literal:
            pieces.append(f"'{literal}'")
        if column:
            pieces.append(_limited_sql(f"{row}.{column}", limits.get(column)))
    return " || ".join(pieces) or "''"


def _limited_sql(column: str, limit: int | None) -> str:
    return column if limit is None else f"CASE WHEN {column} < {limit} THEN {column} ELSE {limit} END"


def text_of(text: str, row: Row, limits: Limits) -> str | None:
    values = {column: row[column] for _, column, *_ in Formatter().parse(text) if column}
    if None in values.values():
        return None
    return text.format_map({name: min(value, limits.get(name, value)) for name, value in values.items()})


def condition_sql(condition: Condition, row: str) -> str:
    return " AND ".join(_one_of(f"{row}.{column}", values) for column, values in condition.items())


def _one_of(column: str, values: Sequence[str | bool]) -> str:
    [*others, last] = values
    if isinstance(last, bool):
        return column if last else f"NOT {column}"
    return f"{column} IN ({', '.join(map(repr, values))})" if others else f"{column} = {last!r}"


def is_met(condition: Condition, row: Row) -> bool:
    return all(row[column] in values for column, values in condition.items())


def number_sql(number: Number, row: str) -> str:
    if isinstance(number, str):
        return f"{row}.{number}"
    return f"CASE WHEN {condition_sql(number, row)} THEN 1 ELSE 0 END" if number else "1"


def number_of(number: Number, row: Row) -> int:
    return int(row[number] if isinstance(number, str) else is_met(number, row))
