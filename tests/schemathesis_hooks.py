"""What schemathesis cannot know from the description: which values exist, and what must stay for the run to go on."""

import os
from typing import Any

import schemathesis

OWN_KEY = os.environ["PARLEY_OWN_KEY"]
CURSOR = os.environ["PARLEY_CURSOR"]
LATER = "2100-01-01T00:00:00Z"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    if case.path_parameters.get("id") == OWN_KEY:  # revoked, it would end the run
        case.path_parameters["id"] = "f" * 24
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if "cursor" in case.query:  # opaque: only one that was given means something, and it replaces skip
        case.query["cursor"] = CURSOR
        case.query.pop("skip", None)
    if isinstance(case.body, dict) and isinstance(case.body.get("expiresAt"), str):  # a schema knows no present
        case.body["expiresAt"] = LATER
    if isinstance(case.body, dict | list):
        case.body = within_64_bits(case.body)


def within_64_bits(value: Any) -> Any:
    """Without larger integers, which no body may hold, not even in a field that is ignored: no schema says that."""
    if isinstance(value, dict):
        return {name: within_64_bits(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return list(map(within_64_bits, value))
    return 0 if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Not a query that is only meant to be wrong: once sent, a null or an empty list is an empty parameter, which is
    allowed, and a list or an object of one thing is that thing.
    """
    if case.meta is None or case.meta.generation.mode.is_positive:
        return True
    given = case.operation.definition.raw.get("parameters", [])
    may_be_empty = {parameter["name"] for parameter in given if parameter.get("allowEmptyValue")}
    return not any(
        value in ("", None) if not isinstance(value, list | dict) else len(value) < 2
        for name, value in (case.query or {}).items()
        if name in may_be_empty
    )
