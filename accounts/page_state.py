"""What a page is asked for, as it stands in its URL, and what follows from it: links, the form's choices, chips."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.urls import reverse

Text = Any
"""A string, or one that is translated when it is shown."""

Options = Sequence[tuple[str, Text]]
"""Values that a choice offers, with their labels."""

Shown = Callable[[str, str], str]
"""A parameter's name and its value, as words for the value."""


@dataclass(frozen=True)
class Chip:
    """A filter that applies, and the page without it."""

    name: str
    value: str
    link: str


@dataclass(frozen=True)
class Field:
    """A choice that the page's form offers."""

    name: str
    label: str
    any: str
    options: Options
    value: str


@dataclass(frozen=True)
class PageState:
    """The parameters that stand in the URL, without what says the page."""

    values: Mapping[str, str]

    route: ClassVar[str]

    def link(self, **changes: str) -> str:
        """The page's URL with some parameters changed; an empty value drops one."""
        return f"{reverse(self.route)}{self.suffix(**changes)}"

    def suffix(self, **changes: str) -> str:
        values = {name: value for name, value in {**self.values, **changes}.items() if value}
        return f"?{urlencode(values)}" if values else ""


def fields_of(
    state: PageState, labels: Mapping[str, Text], offered: Iterable[tuple[str, Text, Options]], shown: Shown
) -> list[Field]:
    """What is ``offered``: name, the words for any value, and options. A value that is not offered is still kept."""
    found = []
    for name, any_value, options in offered:
        value = state.values.get(name, "")
        if value and value not in dict(options):
            options = [*options, (value, shown(name, value))]
        found.append(Field(name, str(labels[name]), str(any_value), options, value))
    return found


def chips_of(state: PageState, labels: Mapping[str, Text], shown: Shown) -> list[Chip]:
    return [
        Chip(str(label), shown(name, state.values[name]), state.link(**{name: ""}))
        for name, label in labels.items()
        if name in state.values
    ]
