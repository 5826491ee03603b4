"""What came of an account's conversations: for the API, and for the page with its charts and tables."""

from conversations.analytics.overview import DEFAULT_RANGE, RANGES, Overview, overview

__all__ = ["DEFAULT_RANGE", "RANGES", "Overview", "overview"]
