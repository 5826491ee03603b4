"""What MongoDB examines for each list and count, by its own report of having run them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from accounts.models import Account, AuditEvent
from conversations import wire
from conversations.listing.ordering import FIELDS, Order
from conversations.models import Conversation, Status

Record = Callable[..., Conversation]

pytestmark = pytest.mark.skipif(connection.vendor != "mongodb", reason="the report of MongoDB")
PAGE = 10


@pytest.fixture
def conversations(acme: Account, other_account: Account, record: Record) -> Any:
    """Acme's, among another account's and test ones."""
    for number in range(40):
        record(
            status="active" if number % 2 else "dropped",
            leadId="1" if number % 4 == 0 else "2",
            messages=[{"role": "lead", "content": "rarity" if number == 20 else "price", "timestamp": MOMENT}],
        )
        record(account=other_account)
    return acme.conversations.live()


MOMENT = "2026-03-12T14:02:11.480Z"


def reports(explained: Any) -> Iterator[dict[str, Any]]:
    if isinstance(explained, dict):
        if "totalDocsExamined" in explained:
            yield explained
        for value in explained.values():
            yield from reports(value)
    elif isinstance(explained, list):
        for value in explained:
            yield from reports(value)


def report(rows: Any) -> dict[str, Any]:
    return next(reports(json.loads(rows.explain(verbosity="executionStats"))))


@pytest.mark.parametrize("name", list(FIELDS))
@pytest.mark.parametrize("is_descending", [True, False])
def test_a_page_examines_the_documents_that_it_shows(conversations: Any, name: str, is_descending: bool) -> None:
    order = Order(name, is_descending=is_descending)
    rows = order.of(conversations)
    following = order.after(conversations, order.place_of(rows[PAGE]))
    for listed in (rows, following):
        found = report(wire.rows(listed)[:PAGE])
        assert found["nReturned"] == PAGE
        assert found["totalDocsExamined"] <= PAGE + 1, found  # the place itself, where a page begins behind it


@pytest.mark.parametrize("filters", [{"status": "active"}, {"lead_id": "1"}])
def test_a_filtered_page_too(conversations: Any, filters: dict[str, str]) -> None:
    found = report(wire.rows(conversations.filter(**filters).newest_first())[:PAGE])
    assert (found["nReturned"], found["totalDocsExamined"]) == (PAGE, PAGE)


def test_counts_of_tabs_examine_no_document(conversations: Any) -> None:
    for status in Status.values:
        found = report(conversations.countable().filter(status=status))
        assert found["totalDocsExamined"] == 0, status
    assert conversations.count_by_status() == {"active": 20, "dropped": 20, "completed": 0, "handed_off": 0}


def test_a_search_examines_its_own_account_alone(conversations: Any) -> None:
    found = report(wire.rows(conversations.search("rarity").newest_first())[:PAGE])
    assert found["nReturned"] == 1
    assert found["totalDocsExamined"] <= 40


def test_a_page_of_the_audit_log_examines_the_entries_that_it_shows(acme: Account, conversations: Any) -> None:
    for conversation in conversations[:15]:
        conversation.change_status("completed", by=None)
    found = report(AuditEvent.objects.filter(account=acme).order_by("-timestamp", "-id")[:PAGE])
    assert (found["nReturned"], found["totalDocsExamined"]) == (PAGE, PAGE)
