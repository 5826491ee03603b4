"""Counters in a collection of MongoDB: writes wait for no journal and no second member, and expire by themselves."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pymongo
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from django.db import DatabaseError, connection
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, PyMongoError

from config.storage.counters.base import PATIENCE, TABLE, Counters
from config.storage.counters.window import LONGEST, Use, Window

STARTED, COUNTED, BEFORE = "$started", "$counted", "$before"


def take_pipeline(moment: DatetimeMS, allowance: int, span: int) -> list[dict[str, Any]]:
    """``Window.use`` in steps: the window as it is at ``moment``, whether a request fits in, the count."""
    # A name that was not there has no start: the difference is null, and the window a new one.
    later = {"$trunc": {"$divide": [{"$subtract": [moment, STARTED]}, span]}}

    def slid(same: Any, following: Any, new: Any) -> dict[str, Any]:
        branches = [{"case": {"$eq": ["$later", turn]}, "then": then} for turn, then in ((0, same), (1, following))]
        return {"$switch": {"branches": branches, "default": new}}

    elapsed = {"$max": [{"$subtract": [moment, STARTED]}, 0]}
    weight = {"$multiply": [BEFORE, {"$subtract": [span - 1, elapsed]}]}
    used = {"$add": [weight, {"$multiply": [COUNTED, span]}]}
    return [
        {"$set": {"later": later}},
        {
            "$set": {
                "started": slid(STARTED, {"$add": [STARTED, span]}, moment),
                "counted": slid(COUNTED, 0, 0),
                "before": slid(BEFORE, COUNTED, 0),
            }
        },
        {"$set": {"admitted": {"$lt": [used, allowance]}}},
        {"$set": {"counted": {"$add": [COUNTED, {"$cond": ["$admitted", 1, 0]}]}}},
        {"$unset": "later"},
    ]


class MongoDBCounters(Counters):
    errors = (PyMongoError, DatabaseError)

    def __init__(self) -> None:
        super().__init__(nullcontext())  # the driver has a connection for each thread
        self._known: Collection[dict[str, Any]] | None = None

    def _collection(self) -> Collection[dict[str, Any]]:
        """Of Django's client, but outside its sessions: a request that takes back its changes was made all the same."""
        if self._known is None:
            connection.ensure_connection()
            client: Any = connection.connection
            found = client[connection.settings_dict["NAME"]].get_collection(
                TABLE,
                codec_options=CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS),
                write_concern=pymongo.WriteConcern(w=1, j=False),
            )
            with pymongo.timeout(PATIENCE):
                found.create_index("started", expireAfterSeconds=2 * LONGEST // 1000, name="expiry")
            self._known = found
        return self._known

    def _take(self, windows: Sequence[Window], moment: int, firm: int) -> list[Use]:
        uses: list[Use] = []
        for window in windows:
            uses.append(self._count(window, moment))
            if not uses[-1].admitted:
                for earlier in uses[firm:-1]:
                    self._give_back(earlier)
                break
        return uses

    def _count(self, window: Window, moment: int) -> Use:
        pipeline = take_pipeline(DatetimeMS(moment), window.allowance, window.span)
        collection = self._collection()
        with pymongo.timeout(PATIENCE):
            found: Any = collection.find_one_and_update(
                {"_id": window.name}, pipeline, upsert=True, return_document=pymongo.ReturnDocument.AFTER
            )
        return Use(window, moment, int(found["started"]), found["counted"], found["before"], found["admitted"])

    def _give_back(self, use: Use) -> None:
        same = {"_id": use.window.name, "started": DatetimeMS(use.started), "counted": {"$gt": 0}}
        with pymongo.timeout(PATIENCE):
            self._collection().update_one(same, {"$inc": {"counted": -1}})

    def _mend(self, error: Exception) -> bool:
        return isinstance(error, DuplicateKeyError)  # two processes met a new name at the same moment

    def _purge(self, moment: int) -> None:
        """The index does."""

    def _clear(self) -> None:
        if self._known is not None:
            self._known.delete_many({})
        self._known = None
