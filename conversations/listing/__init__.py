"""The list of conversations, made ready for its page: what is asked for, in which order, and its rows."""

from conversations.listing.query import (
    CHIPS,
    Query,
    api_call,
    chips,
    fields,
    sort_link,
    tabs,
)

__all__ = ["CHIPS", "Query", "api_call", "chips", "fields", "sort_link", "tabs"]
