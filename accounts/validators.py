"""Validators that bound what a store is given. They run on every store, before it could object."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext_lazy as _


def validate_text(value: str) -> None:
    """Refuse what a store or a JSON reader cannot keep: NUL and lone surrogates."""
    if "\x00" in value:
        raise ValidationError(_("Null characters are not allowed."), code="null_character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValidationError(_("Lone surrogates are not allowed."), code="surrogate") from None


@deconstructible
class EachIn:
    """A list without repetition whose every item is one of ``allowed``."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = list(map(str, allowed))

    def __call__(self, value: Any) -> None:
        if not isinstance(value, list):
            raise ValidationError(_("Must be a list."), code="invalid")
        unknown = [str(item) for item in value if item not in self.allowed]
        if unknown:
            raise ValidationError(
                _("Unknown: %(unknown)s. Allowed are: %(allowed)s."),
                code="unknown",
                params={"unknown": ", ".join(unknown), "allowed": ", ".join(self.allowed)},
            )
        if len(set(value)) != len(value):
            raise ValidationError(_("Each may stand there once."), code="repeated")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EachIn) and self.allowed == other.allowed

    def __hash__(self) -> int:
        return hash(tuple(self.allowed))
