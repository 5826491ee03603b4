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
    count = _count_from_index if query.values.keys() <= {"status", "sort"} else _count_in_one_go
    total, before, is_here = count(found, query, conversation)
    return Neighbours(
        previous=order.before(found, place).values_list("pk", flat=True).first(),
        next=order.after(found, place).values_list("pk", flat=True).first(),
        position=before + 1 if is_here else 0,
        total=total,
    )


def _count_from_index(found: ConversationQuerySet, query: Query, conversation: Conversation) -> tuple[int, int, bool]:
    """All, those before, and whether it is one of them. An index holds the list: two of its ranges are counted."""
    before = query.order.before(found, query.order.place_of(conversation))
    is_here = query.status in ("", conversation.status)
    return found.counted(), before.counted(), is_here


def _count_in_one_go(found: ConversationQuerySet, query: Query, conversation: Conversation) -> tuple[int, int, bool]:
    """The same where each row has to be looked at, which is done once."""
    counted = found.order_by().aggregate(
        total=Count("pk"),
        before=Count("pk", filter=_before(query.order, conversation)),
        here=Count("pk", filter=Q(pk=conversation.pk)),
    )
    return counted["total"], counted["before"], bool(counted["here"])


def _before(order: Order, conversation: Conversation) -> Q:
    """What ``order`` puts before a conversation, as a condition: the whole order need not be read to count it."""
    sign = "gt" if order.is_descending else "lt"
    value = getattr(conversation, order.field)
    return Q(**{f"{order.field}__{sign}": value}) | Q(**{order.field: value, f"pk__{sign}": conversation.pk})
