"""What MongoDB examines for each list and count, by its own report of having run them."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, AuditEvent
from config.storage.moments import now
from conversations import ready, wire
from conversations.analytics import rows
from conversations.listing.ordering import FIELDS, Order
from conversations.models import Conversation, Status, Tally, Totals
from conversations.models.tally import kept_counts
from tests.conftest import Api

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


def test_totals_examine_a_row_of_each_status_once_they_are_folded(acme: Account, conversations: Any) -> None:
    from bson import ObjectId

    from config.storage.mongodb.tallies import fold

    before = Totals.of(acme, "live")
    fold(connection, Tally._meta.db_table, ObjectId(acme.pk))
    found = report(Tally.objects.filter(account_id=acme.pk, environment="live").values_list("status", "number"))
    assert (found["nReturned"], found["totalDocsExamined"], found["totalKeysExamined"]) == (2, 2, 2)
    assert Totals.of(acme, "live") == before


def test_what_is_ready_examines_the_key_and_the_totals_of_its_account_alone(api: Api, conversations: Any) -> None:
    from bson import ObjectId

    from config.storage.mongodb.tallies import fold

    fold(connection, Tally._meta.db_table, ObjectId(api.account.pk))
    looked: Any = ready.standing._plan
    stages = looked._filled(looked.stages, (api.key.digest,))
    store: Any = connection
    command = {"aggregate": looked.collection, "pipeline": stages, "cursor": {}}
    explained = list(store.database.command("explain", command, verbosity="executionStats")["stages"])
    assert sum(each["totalKeysExamined"] for each in reports(explained)) == 3  # the key, active, dropped
    assert sum(each["totalDocsExamined"] for each in reports(explained)) == 3
    assert sum(int(each.get("collectionScans", 0)) for each in reports(explained)) == 0


def test_unchanged_and_whole_tabs_look_at_no_conversation(api: Api, conversations: Any) -> None:
    held = {"If-None-Match": api.get(limit=5)["ETag"]}
    with CaptureQueriesContext(connection) as captured:
        assert api.get(headers=held, limit=5).status_code == 304
        assert kept_counts(api.account, "live") == {"active": 20, "dropped": 20, "completed": 0, "handed_off": 0}
    assert captured.captured_queries
    assert not [each["sql"] for each in captured if "db.conversations_conversation." in each["sql"]]


@pytest.mark.parametrize("what", [rows.outcomes, rows.all_apart])
@pytest.mark.parametrize("filters", [{}, {"agent": "a" * 24}, {"campaign": "b" * 24}, {"channel": "email"}])
def test_parts_of_days_are_counted_without_a_document(
    acme: Account, conversations: Any, what: Any, filters: Any
) -> None:
    counted: Any = rows._prepared(what, tuple(filters), has_limit=False)
    values = [acme.pk, "live", *filters.values(), now() - timedelta(hours=3), now()]
    stages = counted._plan._filled(counted._plan.stages, counted._as_stored(values))
    command = {"aggregate": counted._plan.collection, "pipeline": stages, "cursor": {}, "hint": counted.along}
    store: Any = connection
    found = next(reports(store.database.command("explain", command, verbosity="executionStats")))
    assert found["totalDocsExamined"] == 0
    assert len(counted(*values)) > 0 or filters
