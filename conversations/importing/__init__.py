"""Import: conversations from a file, a pipe or another server's API, into one account."""

from conversations.importing.run import Import, Tally
from conversations.importing.sources import Item, SourceError, open_source

__all__ = ["Import", "Item", "SourceError", "Tally", "open_source"]
