"""The URL of a transcript: the list that it was opened from, and how it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from conversations.listing.ordering import Place
from conversations.listing.query import Query
from conversations.search import MAX_SEARCH_LENGTH

PLACE = ("cursor", "before")
"""The page of the list."""

READING = ("find", "at", "events", "all", "notes")
"""What is looked for, the message to be at, whether changes are shown, all messages, and notes in print."""


@dataclass(frozen=True)
class Address:
    """A transcript's own, from which all its links are made."""

    pk: str
    query: Query
    place: Mapping[str, str]
    reading: Mapping[str, str]

    @classmethod
    def read(cls, pk: str, data: Mapping[str, str]) -> "Address":
        place = {name: data[name] for name in PLACE if data.get(name)}
        # An empty field says that nothing is looked for any more, even if the list was searched.
        reading = {name: data[name] for name in READING if data.get(name) or (name == "find" and name in data)}
        return cls(pk, Query.read(data), place, reading)

    @property
    def find(self) -> str:
        return self.reading.get("find", self.query.search)[:MAX_SEARCH_LENGTH].strip()

    @property
    def at(self) -> int | None:
        """The number of the message to be at."""
        text = self.reading.get("at", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 7 and int(text) else None

    @property
    def shows_events(self) -> bool:
        return self.reading.get("events") != "0"

    @property
    def shows_all(self) -> bool:
        return self.reading.get("all") == "1"

    @property
    def prints_notes(self) -> bool:
        return self.reading.get("notes") == "1"

    @property
    def path(self) -> str:
        return reverse("conversations:transcript", args=[self.pk])

    def link(self, anchor: str = "", *, route: str = "transcript", **changes: str) -> str:
        """The transcript with something changed, or a route beside it; an empty value drops a parameter."""
        path = reverse(f"conversations:{route}", args=[self.pk])
        return f"{path}{self.suffix(**changes)}{f'#{anchor}' if anchor else ''}"

    def suffix(self, **changes: str) -> str:
        """The query string; what is changed stands last."""
        values = {**self.query.values, **self.place, **self.reading}
        values = {**{name: value for name, value in values.items() if name not in changes}, **changes}
        kept = {name: value for name, value in values.items() if value or (name == "find" and name not in changes)}
        return f"?{urlencode(kept)}" if kept else ""

    def of(self, pk: str) -> str:
        """Another conversation of the same list, wherever that list's page with it is."""
        events = {name: value for name, value in self.reading.items() if name == "events"}
        return Address(pk, self.query, {}, events).link()

    def back(self, page: Place | None) -> str:
        """The list's page that it was opened from, else the one after ``page``."""
        place = self.place or ({"cursor": str(page)} if page else {})
        return f"{self.query.link(**place)}#c-{self.pk}"

    def hidden(self, *fields: str) -> list[tuple[str, str]]:
        """What a form that has ``fields`` of its own has to pass on."""
        values = {**self.query.values, **self.place, **self.reading}
        return [(name, value) for name, value in values.items() if name not in fields]
