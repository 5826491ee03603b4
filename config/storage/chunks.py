"""Long lists of ids in parts that a statement can take."""

from collections.abc import Iterable, Iterator
from itertools import islice

CHUNK = 500


def chunks_of(pks: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(pks)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
