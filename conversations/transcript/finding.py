"""Looking for something in one thread: how many messages hold it, and the way from one to the next."""

from dataclasses import dataclass

from conversations.transcript.address import Address


@dataclass(frozen=True)
class Find:
    """``numbers`` are those of all messages that are hit, whether they are on the page or not."""

    text: str
    numbers: list[int]
    address: Address

    @property
    def total(self) -> int:
        return len(self.numbers)

    @property
    def first(self) -> int | None:
        """The hit to begin with: the first from the message that the URL names, else the first of all."""
        at = self.address.at or 0
        return next((number for number in self.numbers if number >= at), self.numbers[0] if self.numbers else None)

    @property
    def position(self) -> int:
        return self.numbers.index(self.first) + 1 if self.first else 0

    @property
    def previous_link(self) -> str:
        return self._link(self.position - 2)

    @property
    def next_link(self) -> str:
        return self._link(self.position % self.total)

    @property
    def here_link(self) -> str:
        return self._link(self.position - 1)

    def _link(self, index: int) -> str:
        number = self.numbers[index]
        return self.address.link(f"m-{number}", at=str(number))
