"""The parameters of lists and exports: read once, refused in words that name what is allowed."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.exceptions import ValidationError as FormValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from accounts.validators import validate_text
from config.storage.fields import is_object_id
from config.storage.moments import parse_moment

MAX_SKIP = 2**31 - 1


# Of a FilterSet


class MomentField(forms.Field):
    def to_python(self, value: Any) -> Any:
        if not value:
            return None
        try:
            return parse_moment(value)
        except ValueError as error:
            raise FormValidationError(str(error)) from None


class MomentFilter(django_filters.Filter):
    field_class = MomentField


class ObjectIdFormField(forms.Field):
    def to_python(self, value: Any) -> Any:
        if value and not is_object_id(value):
            raise FormValidationError(_("Must be an ObjectId: 24 lower-case hexadecimal digits."))
        return value


class ObjectIdFilter(django_filters.Filter):
    field_class = ObjectIdFormField


class TextField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        # Literal, unless ``strip`` says otherwise: a space at either end is part of what is looked for.
        super().__init__(**{"strip": False, **kwargs, "validators": [validate_text]})


class TextFilter(django_filters.Filter):
    field_class = TextField


def one_of(values: Sequence[tuple[str, Any]], **kwargs: Any) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(
        choices=values, error_messages={"invalid_choice": _allowed(value for value, _ in values)}, **kwargs
    )


class AskedFilterSet(django_filters.FilterSet):
    """Makes the filters that a request names, not all that it might: a form of twenty fields takes milliseconds."""

    base_filters: "ClassVar[dict[str, django_filters.Filter]]"

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        asked = {name: made for name, made in type(self).base_filters.items() if name in (data or {})}
        self.base_filters = asked  # type: ignore[misc]  # FilterSet copies this one
        super().__init__(data, *args, **kwargs)


class OnceForm(forms.Form):
    """A parameter that stands there twice is an error: neither of the two was meant more than the other."""

    def clean(self) -> None:
        for name in self.fields:
            if hasattr(self.data, "getlist") and len(self.data.getlist(name)) > 1:
                self.add_error(name, _("May be given once."))


# Of everything else: each raises ValidationError (400)


def read_once(request: Request, name: str) -> str | None:
    """A parameter that may stand there once; None when it does not."""
    given = request.query_params.getlist(name)
    if len(given) > 1:
        raise ValidationError({name: ["May be given once."]})
    return given[0] if given else None


def read_integer(request: Request, name: str, *, least: int, most: int) -> int | None:
    text = read_once(request, name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
        raise ValidationError({name: [f"Must be an integer from {least:,} to {most:,}."]})
    return int(text)


def read_choice(request: Request, name: str, values: Iterable[str]) -> str:
    """One of ``values``; without the parameter, or where it is empty, the first."""
    values = list(values)
    chosen = read_once(request, name) or values[0]
    if chosen not in values:
        raise ValidationError({name: [_allowed(values)]})
    return chosen


def _allowed(values: Iterable[str]) -> Any:
    return format_lazy(_("Must be one of {values}."), values=", ".join(values))
