"""Phones and e-mail addresses of leads, for people and keys who may not see them in full.

All of it is here. What an account owns is reached from the account (``account.conversations``), and the account of a
request knows whether its reader sees contacts masked (``masks_contacts``). So every row that such a reader reaches is
masked as it leaves the store, whatever page, file or answer it goes into: nobody has to remember to ask.

What is masked keeps its shape: ``+1 ••• ••• 4567``, ``a•••@e•••.com``.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Self, TypeVar

from django.db import models
from django.db.models.query import FlatValuesListIterable, ModelIterable, ValuesIterable, ValuesListIterable

from config.storage.fields import is_object_id

M = TypeVar("M", bound=models.Model)

HIDDEN = "•••"

LEAST_DIGITS = 7
"""Of a phone, in a text."""

SHORTEST_OWN = 3
"""Characters of a lead's own phone or e-mail that are looked for in what is said with them."""

# A digit never stands between digits, and what stands between is never one: there is one way to read each run, so each
# character is looked at a bounded number of times, whatever an outsider writes.
_BETWEEN = r"[\s().\-/·\u00ad\u200b-\u200f\u2010-\u2015\u2060\ufeff]{0,3}"
_YEAR = r"(?:19|20)\d\d"
_DATES_AND_PHONES = re.compile(
    rf"(?P<date>(?<!\d)(?:{_YEAR}(?P<a>[-/.])[01]?\d(?P=a)[0-3]?\d(?:[T ][0-2]\d(?=:))?"  # 2026-03-12 14:02
    rf"|[0-3]?\d(?P<b>[-/.])[01]?\d(?P=b){_YEAR}(?: [0-2]\d(?=:))?"  # 12.03.2026
    rf"|{_YEAR} ?[-–/] ?{_YEAR})(?!\d))"  # 2024-2026
    rf"|[+＋]?\(?\d(?:{_BETWEEN}\d){{{LEAST_DIGITS - 1},}}"
)
_DIGIT = re.compile(r"\d")
_AT = re.compile("@|＠|﹫|%40")
_LOCAL = re.compile(r"[\w.!$*+^~-]")
_DOMAIN = re.compile(r"[\w.-]+")

# Country codes of one digit, and of two; all others have three (ITU-T E.164).
_CODE = re.compile("1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|...")


def mask_phone(phone: str) -> str:
    """``+1 ••• ••• 4567``: its country, where it names one, and its end. Of what is no phone, the first character."""
    digits = "".join(_DIGIT.findall(phone))
    if len(digits) < LEAST_DIGITS:
        return f"{phone[0]}{HIDDEN}" if phone else ""
    code = ""
    if phone.lstrip().startswith(("+", "＋")):
        found = _CODE.match(digits)
        code = f"+{found[0]} " if found else ""
    hidden = len(digits) - len(code.strip(" +"))
    return f"{code}{HIDDEN} {HIDDEN} {digits[-4:] if hidden >= LEAST_DIGITS else digits[-2:]}"


def mask_email(email: str) -> str:
    """``a•••@e•••.com``: how its two halves begin, and its last part. Of what is no address, the first character."""
    found = list(_AT.finditer(email))
    if not found:
        return f"{email[0]}{HIDDEN}" if email else ""
    local, domain = email[: found[-1].start()], email[found[-1].end() :]
    name, dot, last = domain.rpartition(".")
    end = f".{last}" if dot and name and last.isalpha() and len(last) <= 10 else ""
    return f"{local[:1]}{HIDDEN}{found[-1].group()}{domain[:1]}{HIDDEN}{end}"


def mask_text(text: str, phone: str = "", email: str = "") -> str:
    """``text`` with each phone and e-mail address in it masked; ``phone`` and ``email``, the lead's own, in any case.

    Dates stay. What merely looks like a phone, such as a long number, is masked too.
    """
    if own := _own(phone, email):
        text = own.sub(lambda found: _masked_own(found, email), text)
    if _AT.search(text):
        text = _mask_emails(text)
    return _DATES_AND_PHONES.sub(lambda found: found[0] if found["date"] else mask_phone(found[0]), text)


def mask_deep(value: Any) -> Any:
    """The same for all texts in a JSON value, but ids."""
    if isinstance(value, str):
        return value if is_object_id(value) else mask_text(value)
    if isinstance(value, list):
        return [mask_deep(one) for one in value]
    if isinstance(value, dict):
        return {key: mask_deep(one) for key, one in value.items()}
    return value


def holds_contact(text: str) -> bool:
    return mask_text(text) != text


@lru_cache(maxsize=256)
def _own(phone: str, email: str) -> re.Pattern[str] | None:
    """Finds the lead's own phone, however its digits are set apart, and e-mail."""
    digits = _DIGIT.findall(phone)
    ways = [_BETWEEN.join(digits)] if len(digits) >= SHORTEST_OWN else []
    for given in (phone, email):
        if len(given) >= SHORTEST_OWN:
            ways.append(re.escape(given))
    if len(digits) >= SHORTEST_OWN:
        ways[0] = rf"[+＋]?\(?{ways[0]}"
    return re.compile("|".join(ways), re.IGNORECASE) if ways else None


def _masked_own(found: re.Match[str], email: str) -> str:
    text = found[0]
    return mask_email(text) if text.casefold() == email.casefold() else mask_phone(text)


def _mask_emails(text: str) -> str:
    pieces, position = [], 0
    for at in _AT.finditer(text):
        if at.start() < position:
            continue
        start = at.start()
        while start > position and _LOCAL.match(text[start - 1]):
            start -= 1
        domain = _DOMAIN.match(text, at.end())
        end = at.end() + len(domain[0].rstrip(".-")) if domain else at.end()
        if start == at.start() or end == at.end():
            continue
        pieces += [text[position:start], mask_email(text[start:end])]
        position = end
    return "".join([*pieces, text[position:]])


class MaskedModels(ModelIterable):
    def __iter__(self) -> Iterator[Any]:
        for one in super().__iter__():
            one.mask()
            yield one


class MaskedRows(ValuesListIterable):
    def __iter__(self) -> Iterator[Any]:
        mask, names = _fields_of(self)
        for row in super().__iter__():
            yield tuple(mask(dict(zip(names, row, strict=True))).values())


class MaskedFlat(FlatValuesListIterable):
    def __iter__(self) -> Iterator[Any]:
        mask, names = _fields_of(self)
        for value in super().__iter__():
            yield mask({names[0]: value})[names[0]]


class MaskedValues(ValuesIterable):
    def __iter__(self) -> Iterator[Any]:
        mask, _ = _fields_of(self)
        for row in super().__iter__():
            yield mask(row)


def _fields_of(rows: Any) -> tuple[Callable[[dict[str, Any]], dict[str, Any]], list[str]]:
    """What masks values by their fields' names, and the names of what is read."""
    queryset = rows.queryset
    query = queryset.query
    asked = queryset._fields or [*query.extra_select, *query.values_select]
    names = [*asked, *(name for name in query.annotation_select if name not in asked)]
    return queryset.model.masked, [str(name) for name in names]


_MASKED: dict[Any, Any] = {
    ModelIterable: MaskedModels,
    ValuesListIterable: MaskedRows,
    FlatValuesListIterable: MaskedFlat,
    ValuesIterable: MaskedValues,
}


class MaskedQuerySet(models.QuerySet[M]):
    """Rows that are masked as they are read, where they are reached from what its reader sees masked.

    The model has ``masked``, which masks values by their fields' names, and ``mask``, which does so to an instance.
    """

    @property
    def is_masked(self) -> bool:
        hints: dict[str, Any] = self._hints  # type: ignore[attr-defined]
        return bool(getattr(hints.get("instance"), "masks_contacts", False))

    def unmasked(self) -> Self:
        """As they are. For who has asked to see them so, of which the log tells, and for what never leaves us."""
        found = self._chain()  # type: ignore[attr-defined]
        found._hints = {}
        return found

    @property
    def _iterable_class(self) -> Any:
        return _MASKED.get(self._plain, self._plain) if self.is_masked else self._plain

    @_iterable_class.setter
    def _iterable_class(self, plain: Any) -> None:
        self._plain = next((one for one, masked in _MASKED.items() if masked is plain), plain)


class Maskable(models.Model):
    """What may hold a lead's phone or e-mail."""

    masks_contacts = False
    """Whether this one is masked; then so is what is reached from it."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.masks_contacts:
            raise TypeError("What is masked is never saved.")
        super().save(*args, **kwargs)

    @classmethod
    def masked(cls, values: dict[str, Any]) -> dict[str, Any]:
        """``values``, by their fields' names, masked; in their order."""
        raise NotImplementedError

    def mask(self) -> None:
        """For showing: what is masked is never saved."""
        loaded = {field.attname for field in self._meta.concrete_fields} & self.__dict__.keys()
        self.__dict__.update(self.masked({name: self.__dict__[name] for name in loaded}))
        self.masks_contacts = True

    def refresh_from_db(self, using: Any = None, fields: Any = None, from_queryset: Any = None) -> None:
        """A field that was deferred is masked as the others are; all of it is as it stands in the store."""
        super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)
        if self.masks_contacts and fields is not None:
            self.__dict__.update(self.masked({name: self.__dict__[name] for name in fields if name in self.__dict__}))
        self.masks_contacts = self.masks_contacts and fields is not None
