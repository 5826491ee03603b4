"""The same list by the driver and orjson alone, from Parley's own collections: no framework, no limits."""

import hashlib
import os
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import orjson
import pymongo
from bson import ObjectId

database: Any = pymongo.MongoClient(os.environ["RIVAL_DATABASE"]).get_default_database()
FIELDS = {
    "_id": "_id",
    "lead_id": "leadId",
    "account_id": "accountId",
    "agent_config_id": "agentConfigId",
    "channel": "channel",
    "lead_phone": "leadPhone",
    "status": "status",
    "current_stage_index": "currentStageIndex",
    "messages": "messages",
    "message_count": "messageCount",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
}
OPTIONAL = {
    "campaign_id": "campaignId",
    "lead_email": "leadEmail",
    "current_stage_name": "currentStageName",
    "summary": "summary",
}
PROJECTION = [*FIELDS, *OPTIONAL, "qualified", "qualification_reason"]


def plain(value: Any) -> Any:
    if isinstance(value, ObjectId):
        return str(value)
    return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z" if isinstance(value, datetime) else value


def shown(row: dict[str, Any]) -> dict[str, Any]:
    answer = {name: plain(row[field]) for field, name in FIELDS.items()}
    answer |= {name: plain(row[field]) for field, name in OPTIONAL.items() if row[field]}
    if row["qualified"] is not None:
        answer["qualificationResult"] = {"qualified": row["qualified"], "reason": row["qualification_reason"]}
    return answer


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    digest = hashlib.sha256(environ.get("HTTP_X_API_KEY", "").encode()).hexdigest()
    key = database.accounts_apikey.find_one({"digest": digest})
    if key is None or key["revoked_at"] or key["expires_at"] or "conversations:view" not in key["scopes"]:
        start_response("401 Unauthorized", [("Content-Type", "application/json")])
        return [b"{}"]
    limit = int(parse_qs(environ["QUERY_STRING"]).get("limit", ["50"])[0])
    mine = {"account_id": key["account_id"], "environment": key["environment"]}
    newest = [("updated_at", -1), ("_id", -1)]
    rows = database.conversations_conversation.find(mine, PROJECTION).sort(newest).limit(limit)
    content = orjson.dumps([shown(row) for row in rows])
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]
