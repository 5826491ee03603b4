"""Which index a search walks along.

Left to itself, the server tries each index that begins with the owner, all at once, until one has found a page; for
words that hardly any text holds, each of them reads thousands of texts before it gives up.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Model
from pymongo.errors import OperationFailure

BAD_VALUE = 2
"""What MongoDB answers to a hint at an index that is not there."""

Keys = Sequence[tuple[str, int]]


def aggregate(collection: Any, pipeline: Sequence[dict[str, Any]], **options: Any) -> Any:
    """Along the index that ``hint`` names, where it is there."""
    try:
        return collection.aggregate(pipeline, **options)
    except OperationFailure as error:
        if error.code != BAD_VALUE or "hint" not in options:
            raise
        del options["hint"]  # that index is missing: check_search says so
        return collection.aggregate(pipeline, **options)


def reads_texts(condition: Any) -> bool:
    """Whether a ``$match`` looks into texts, which no index does."""
    if isinstance(condition, dict):
        return "$indexOfBytes" in condition or any(map(reads_texts, condition.values()))
    return isinstance(condition, list) and any(map(reads_texts, condition))


def hint_of(model: type[Model], pipeline: Sequence[dict[str, Any]]) -> str | None:
    """The name of the index that gives the rows of ``pipeline`` in their order, and no more of them than it must."""
    match = pipeline[0]["$match"]
    conditions = match.get("$and", [match])
    exact = {name for each in conditions for name, value in each.items() if not isinstance(value, dict | list)}
    bounded = {name for each in conditions for name, value in each.items() if isinstance(value, dict)}
    order: Keys = list(pipeline[1]["$sort"].items()) if len(pipeline) > 1 and "$sort" in pipeline[1] else []
    fitting = []
    for name, keys in _indexes(model):
        begun = next((place for place, (column, _) in enumerate(keys) if column not in exact), len(keys))
        rest = keys[begun:]
        if begun and _is_ordered(rest, order):
            fitting.append((begun, bool(rest) and rest[0][0] in bounded, name))
    return max(fitting)[2] if fitting else None


def _indexes(model: type[Model]) -> Iterator[tuple[str, Keys]]:
    fields: dict[str, Any] = {field.name: field for field in model._meta.concrete_fields}
    for index in model._meta.indexes:
        if not hasattr(index, "along"):  # of a text: not on this store
            keys = [(fields[name].column, -1 if order else 1) for name, order in index.fields_orders]
            yield index.name, keys


def _is_ordered(keys: Keys, order: Keys) -> bool:
    """Whether walking along ``keys``, in either direction, gives that order."""
    begun = list(keys[: len(order)])
    return begun == list(order) or begun == [(name, -direction) for name, direction in order]
