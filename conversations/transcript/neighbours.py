"""The conversations before and after one, in the list that it was opened from."""

from dataclasses import dataclass

from accounts.request import AccountRequest
from config.storage.counting import count_up_to
from conversations.listing.ordering import Order, Place
from conversations.listing.query import Query
from conversations.listing.rows import PAGE_SIZE
from conversations.models import Conversation, ConversationQuerySet
from conversations.models.queries import COUNTED
from conversations.models.tally import kept_counts


@dataclass(frozen=True)
class Neighbours:
    """``position`` counts from 1; it is 0 for a conversation that is not, or no longer, in the list."""

    previous: str | None
    next: str | None
    position: int
    total: int
    page: Place | None
    """After which place in the list its page begins; None for the first page."""


def neighbours_of(
    request: AccountRequest, conversation: Conversation, query: Query, conversations: ConversationQuerySet
) -> Neighbours | None:
    """None for a list that cannot be."""
    found, order = conversations, query.order
    if query.narrows:
        filters = query.filterset(request, conversations)
        if not filters.is_valid():
            return None
        found = filters.qs
    place = order.place_of(conversation)
    before = order.before(found, place)
    total = _kept_total(request, query)
    lists = [before.countable()] if total is not None else [before.countable(), found.countable()]
    ahead, *counted = count_up_to(COUNTED + 1, lists)
    is_here = not query.narrows or found.filter(pk=conversation.pk).exists()
    return Neighbours(
        previous=before.values_list("pk", flat=True).first(),
        next=order.after(found, place).values_list("pk", flat=True).first(),
        position=ahead + 1 if is_here else 0,
        total=counted[0] if total is None else total,
        page=_page_of(order, found, ahead) if is_here else None,
    )


def _kept_total(request: AccountRequest, query: Query) -> int | None:
    """How many the list holds, where that is kept: it is whole, or narrowed by its status alone."""
    kept = kept_counts(request.account, request.environment) if query.values.keys() <= {"status", "sort"} else None
    if kept is None:
        return None
    return kept.get(query.status, 0) if query.status else sum(kept.values())


def _page_of(order: Order, found: ConversationQuerySet, ahead: int) -> Place | None:
    last = ahead - ahead % PAGE_SIZE - 1  # of the page before; beyond what is counted, nobody knows
    if last < 0 or ahead > COUNTED:
        return None
    return next((order.place_of(one) for one in order.of(found).only(order.field)[last : last + 1]), None)
