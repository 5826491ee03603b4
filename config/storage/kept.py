"""What the database keeps of a table, by whatever changes it: tallies, cells, spans. Known to this process.

Triggers know it by themselves; MongoDB has none, and each of its statements looks here (``config.storage.mongodb``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from config.storage.cells import Cells
from config.storage.spans import Spans
from config.storage.tallies import GROUP


@dataclass(frozen=True)
class Kept:
    tally: str = ""
    cells: Sequence[Cells] = ()
    spans: Spans | None = None

    @cached_property
    def columns(self) -> frozenset[str]:
        """What of a row any of these reads."""
        of_cells = {column for cells in self.cells for column in cells.columns}
        of_spans = {*self.spans.keys, "created_at"} if self.spans else set()
        return frozenset({*(GROUP if self.tally else ()), *of_cells, *of_spans})


KEPT: dict[str, Kept] = {}
"""Table → what is kept of it."""
