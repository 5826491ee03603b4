"""What takes longer than a request may."""

from django.db import DatabaseError


class SearchTimedOut(DatabaseError):
    """The store has read texts for long enough: what is looked for is rare, and no index names it."""
