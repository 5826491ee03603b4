"""The database writes a conversation as Python does, byte for byte; what is asked often is what is asked otherwise."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from conversations import places, wire
from conversations.models import Conversation
from conversations.pagination import Cursor

pytestmark = pytest.mark.skipif(connection.vendor == "mongodb", reason="there Python writes")

Record = Callable[..., Conversation]

EVERY_CONTROL = "".join(map(chr, [*range(1, 32), 127, 0x80, 0x2028, 0xFEFF, 0x1F600])) + "\"\\/<>&'"
# What is stored: no NUL, no lone surrogates (refused at the edge)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
moments = st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)


def both(pk: str) -> tuple[bytes, bytes]:
    """A conversation as the database writes it, and as Python does."""
    mine = Conversation.objects.filter(pk=pk)
    return wire.text_of(wire.written(mine).get()), orjson.dumps(wire.document(wire.rows(mine).get()))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fields=st.fixed_dictionaries(
        {},
        optional={
            "lead_id": texts,
            "lead_phone": texts,
            "lead_email": texts,
            "current_stage_name": texts,
            "summary": texts,
            "qualification_reason": texts,
            "qualified": st.sampled_from([None, True, False]),
            "campaign_id": st.sampled_from([None, "a" * 24]),
            "created_at": moments,
            "updated_at": moments,
            "current_stage_index": st.integers(0, 2**31 - 1),
            "messages": st.lists(st.fixed_dictionaries({"role": texts, "content": texts}), max_size=3),
        },
    )
)
def test_database_and_python_write_the_same_bytes(acme: Account, record: Record, fields: dict[str, Any]) -> None:
    known = Conversation.objects.order_by("pk").first() or record()
    Conversation.objects.filter(pk=known.pk).update(**{"channel": "email", **fields})
    by_database, by_python = both(known.pk)
    assert by_database == by_python


def test_every_character_that_json_escapes(record: Record) -> None:
    pk = record().pk
    names = ("lead_id", "lead_phone", "lead_email", "current_stage_name", "summary", "qualification_reason")
    Conversation.objects.filter(pk=pk).update(**dict.fromkeys(names, EVERY_CONTROL), qualified=True)
    by_database, by_python = both(pk)
    assert by_database == by_python
    assert orjson.loads(by_database)["summary"] == EVERY_CONTROL


def test_first_rows_are_the_first_of_the_whole_list(acme: Account, other_account: Account, record: Record) -> None:
    for number in range(5):
        record(updatedAt=f"2026-01-01T00:00:0{number // 2}Z")
    record(environment="test")
    record(account=other_account)
    listed = list(wire.written(acme.conversations.live().newest_first()))
    for limit in (1, 3, 5, 1000):
        assert wire.first_rows(acme.pk, "live", limit) == listed[:limit]


def test_place_of_a_row_is_its_cursor(record: Record) -> None:
    known = record(updatedAt="2026-01-02T03:04:05.678Z")
    [row] = wire.written(Conversation.objects.all())
    assert places.pack(*wire.place(row)) == str(Cursor(known.updated_at, known.pk))
