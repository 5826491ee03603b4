"""Pages of a list: ``limit``, ``skip``, and the cursor that walks it while rows change (contract, section 2)."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.parameters import MAX_SKIP, read_integer, read_once
from conversations import places, wire
from conversations.messages import format_moment, parse_moment
from conversations.models import ConversationQuerySet

MAX_LIMIT = 1_000


@dataclass(frozen=True)
class Cursor:
    """A place in ``newest_first`` order: that of one conversation."""

    updated_at: datetime
    id: str

    def __str__(self) -> str:
        return places.pack(format_moment(self.updated_at), self.id)

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises ValueError for what ``str(cursor)`` never gives."""
        value, pk = places.unpack(text)
        return cls(parse_moment(value), pk)


class ConversationPagination:
    """The page that a request asks for. Raises ValidationError (400) for parameters that make none.

    Without ``limit`` there are no pages: the answer is the whole list, or ``rest`` of it after ``skip`` or ``cursor``.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.limit = read_integer(request, "limit", least=1, most=MAX_LIMIT)
        self.skip = read_integer(request, "skip", least=0, most=MAX_SKIP)
        self.cursor = self.read_cursor()
        if self.cursor and self.skip is not None:
            raise ValidationError({"cursor": ["Cannot be combined with skip."]})

    def rest(self, conversations: ConversationQuerySet) -> ConversationQuerySet:
        """From where the page begins, without an end."""
        if self.cursor:
            return conversations.after(self.cursor.updated_at, self.cursor.id)
        return conversations[self.skip :] if self.skip else conversations

    @property
    def is_first(self) -> bool:
        """A page that begins where the list does."""
        return self.limit is not None and not self.skip and self.cursor is None

    @property
    def rows(self) -> int:
        """A row more than the page shows tells whether there is another page."""
        return (self.limit or MAX_LIMIT) + 1

    def all_of(self, rows: list[wire.Row]) -> int | None:
        """How many there are in all, where these are all."""
        return len(rows) if self.is_first and len(rows) < self.rows else None

    def page(self, conversations: ConversationQuerySet) -> list[wire.Row]:
        return wire.page(self.rest(conversations), self.rows)

    def respond(self, rows: list[wire.Row], *, total: int | None) -> Response:
        """A bare array; how many there are in all, and the address of the next page, stand in its headers."""
        shown = rows[: self.rows - 1]
        headers = {} if total is None else {"X-Total-Count": str(total)}
        if len(rows) > len(shown):
            headers["Link"] = f'<{self.address_after(shown[-1])}>; rel="next"'
        return Response([wire.shown(row) for row in shown], headers=headers)

    def address_after(self, row: wire.Row) -> str:
        given = self.request.query_params.lists()
        query = {name: values for name, values in given if name not in ("skip", "cursor")}
        query["cursor"] = [places.pack(*wire.place(row))]
        address = f"{self.request.scheme}://{self.request.get_host()}{self.request.path}"
        return f"{address}?{urlencode(query, doseq=True)}"

    def read_cursor(self) -> Cursor | None:
        text = read_once(self.request, "cursor")
        try:
            return None if text is None else Cursor.parse(text)
        except ValueError as error:
            raise ValidationError({"cursor": [str(error)]}) from None
