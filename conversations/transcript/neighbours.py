"""The conversations before and after one, in the list that it was opened from."""

from dataclasses import dataclass

from django.db.models import Count, Q

from accounts.request import AccountRequest
from conversations.listing.ordering import Order
from conversations.listing.query import Query
from conversations.models import Conversation, ConversationQuerySet


@dataclass(frozen=True)
class Neighbours:
    """``position`` counts from 1; it is 0 for a conversation that is not, or no longer, in the list."""

    previous: str | None
    next: str | None
    position: int
    total: int


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
    counted = found.order_by().aggregate(
        total=Count("pk"),
        before=Count("pk", filter=_before(order, conversation)),
        here=Count("pk", filter=Q(pk=conversation.pk)),
    )
    return Neighbours(
        previous=order.before(found, place).values_list("pk", flat=True).first(),
        next=order.after(found, place).values_list("pk", flat=True).first(),
        position=counted["before"] + 1 if counted["here"] else 0,
        total=counted["total"],
    )


def _before(order: Order, conversation: Conversation) -> Q:
    """What ``order`` puts before a conversation, as a condition: the whole order need not be read to count it."""
    sign = "gt" if order.is_descending else "lt"
    value = getattr(conversation, order.field)
    return Q(**{f"{order.field}__{sign}": value}) | Q(**{order.field: value, f"pk__{sign}": conversation.pk})
