"""A look at either end of a list, for words, and at how long it is: asked by each search, so prepared."""

from functools import cache
from typing import Any

from django.db.models import Case, Q, QuerySet, When

from config.storage.prepared import Prepared


@cache
def looks(model: Any, fields: tuple[str, ...], along: str, terms: int, most: int) -> Prepared:
    """Of the first ``most`` rows of an owner, along a list, each: whether it holds one of so many terms.

    ``fields`` are the owner's, then the text's; called with the owner's values, then the terms.
    """
    *names, text = fields

    def build(*values: Any) -> QuerySet[Any, Any]:
        found = Q(*((f"{text}__has", term) for term in values[len(names) :]), _connector=Q.OR)
        rows = model._default_manager.filter(**dict(zip(names, values, strict=False)))
        pk = f"{'-' if along.startswith('-') else ''}pk"
        return rows.order_by(along, pk).annotate(holds=Case(When(found, then=1), default=0)).values_list("holds")[:most]

    return Prepared(build, values=len(names) + terms)


@cache
def reaches(model: Any, names: tuple[str, ...], along: str, most: int) -> Prepared:
    """A row where an owner has more than ``most``; called with the owner's values."""

    def build(*values: Any) -> QuerySet[Any, Any]:
        rows = model._default_manager.filter(**dict(zip(names, values, strict=True)))
        return rows.order_by(f"-{along}", "-pk").values_list(names[-1])[most : most + 1]

    return Prepared(build, values=len(names))
