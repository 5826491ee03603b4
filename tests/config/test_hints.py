"""On MongoDB a search walks along the index that has its rows in their order."""

from typing import Any

import pytest
from django.db import connection

from accounts.models import Account
from config.storage.mongodb.hints import hint_of, reads_texts
from conversations.models import Conversation, ConversationQuerySet

OWNED = [{"account_id": "a"}, {"environment": "live"}]
HELD = {"$expr": {"$gte": [{"$indexOfBytes": ["$search_text", {"$literal": "word"}]}, 0]}}
NEWEST = {"updated_at": -1, "_id": -1}


@pytest.mark.parametrize(
    ("conditions", "order", "index"),
    [
        ([*OWNED, HELD], NEWEST, "conversation_newest"),
        ([*OWNED, HELD], {"updated_at": 1, "_id": 1}, "conversation_newest"),
        ([HELD, {"status": "active"}, *OWNED], NEWEST, "conversation_newest_by_status"),
        ([*OWNED, {"lead_id": "7"}, {"$or": [HELD, HELD]}], NEWEST, "conversation_of_lead"),
        ([*OWNED, HELD], {"created_at": -1, "_id": -1}, "conversation_started"),
        ([*OWNED, {"status": "active"}, HELD], {"message_count": 1, "_id": 1}, "conversation_longest"),
        ([*OWNED, {"status": "active"}, {"updated_at": {"$gte": 1}}, HELD], None, "conversation_newest_by_status"),
        ([*OWNED, {"updated_at": {"$gte": 1}}, HELD], None, "conversation_newest"),
        ([*OWNED, HELD], {"lead_phone": 1}, None),
        ([HELD], NEWEST, None),
    ],
)
def test_the_index_of_a_search(conditions: list[Any], order: dict[str, int] | None, index: str | None) -> None:
    pipeline: list[dict[str, Any]] = [
        {"$match": {"$and": conditions}},
        *([{"$sort": order}] if order else []),
        {"$limit": 51},
    ]
    assert reads_texts(pipeline[0]["$match"])
    assert hint_of(Conversation, pipeline) == index


def test_what_reads_no_texts_is_left_to_the_server() -> None:
    assert not reads_texts({"$and": [*OWNED, {"updated_at": {"$gte": 1}}, {"status": {"$in": ["active"]}}]})
    assert not reads_texts(None)


@pytest.mark.skipif(connection.vendor != "mongodb", reason="the pipelines of MongoDB")
def test_searches_are_sent_with_their_index_where_it_is_there(
    transactional_db: None, acme: Account, record: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pymongo.collection import Collection

    found = record()
    sent = []
    aggregate = Collection.aggregate

    def noted(self: Any, pipeline: Any, *given: Any, **options: Any) -> Any:
        sent.append(options.get("hint"))
        return aggregate(self, pipeline, *given, **options)

    monkeypatch.setattr(Collection, "aggregate", noted)
    searched: ConversationQuerySet = acme.conversations.live().newest_first().search("price")

    def asked(rows: Any) -> Any:
        sent.clear()
        assert [row.pk for row in rows] == [found.pk]
        return sent

    assert asked(searched[:5]) == ["conversation_newest"]
    assert asked(searched.filter(status=found.status)[:5]) == ["conversation_newest_by_status"]
    assert asked(acme.conversations.live().newest_first()[:5]) == [None]
    index = next(index for index in Conversation._meta.indexes if index.name == "conversation_newest")
    with connection.schema_editor() as editor:
        editor.remove_index(Conversation, index)
    try:
        assert asked(searched.all()[:5]) == ["conversation_newest", None]
    finally:
        with connection.schema_editor() as editor:
            editor.add_index(Conversation, index)
