"""The same list by FastAPI, SQLAlchemy core and orjson, from Parley's own file."""

import hashlib
import os
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Header, HTTPException, Query, Response
from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, create_engine, select

database = os.environ["RIVAL_DATABASE"]
url = database.replace("postgresql://", "postgresql+psycopg://") if "://" in database else f"sqlite:///{database}"
engine = create_engine(url, json_deserializer=orjson.loads)
metadata = MetaData()
keys = Table(
    "accounts_apikey",
    metadata,
    *(Column(name, String) for name in ("digest", "account_id", "environment", "revoked_at", "expires_at")),
    Column("scopes", JSON),
)
TEXTS = ("_id", "lead_id", "account_id", "agent_config_id", "channel", "lead_phone", "status")
conversations = Table(
    "conversations_conversation",
    metadata,
    *(Column(name, String) for name in TEXTS),
    Column("current_stage_index", Integer),
    Column("messages", JSON),
    Column("message_count", Integer),
    *(Column(name, String) for name in ("created_at", "updated_at", "campaign_id", "lead_email")),
    *(Column(name, String) for name in ("current_stage_name", "summary")),
    Column("qualified", Integer),
    Column("qualification_reason", String),
    Column("environment", String),
)
PAGE = select(*(column for column in conversations.c if column.name != "environment"))
app = FastAPI()


def moment(stored: Any) -> str:
    text = f"{stored:%Y-%m-%d %H:%M:%S.%f}" if isinstance(stored, datetime) else stored
    return f"{text[:10]}T{text[11:19]}.{text[20:23] or '000'}Z"


def document(row: Any) -> dict[str, Any]:
    shown = {
        "_id": row[0],
        "leadId": row.lead_id,
        "accountId": row.account_id,
        "agentConfigId": row.agent_config_id,
        "channel": row.channel,
        "leadPhone": row.lead_phone,
        "status": row.status,
        "currentStageIndex": row.current_stage_index,
        "messages": row.messages,
        "messageCount": row.message_count,
        "createdAt": moment(row.created_at),
        "updatedAt": moment(row.updated_at),
    }
    optional = {
        "campaignId": row.campaign_id,
        "leadEmail": row.lead_email,
        "currentStageName": row.current_stage_name,
        "summary": row.summary,
    }
    shown |= {name: value for name, value in optional.items() if value}
    if row.qualified is not None:
        shown["qualificationResult"] = {"qualified": bool(row.qualified), "reason": row.qualification_reason}
    return shown


@app.get("/api/conversations")
def list_conversations(
    x_api_key: Annotated[str, Header()], limit: Annotated[int, Query(ge=1, le=1000)] = 50
) -> Response:
    digest = hashlib.sha256(x_api_key.encode()).hexdigest()
    with engine.connect() as connection:
        key = connection.execute(select(keys).where(keys.c.digest == digest)).first()
        if key is None or key.revoked_at or key.expires_at:
            raise HTTPException(401, "Invalid or expired API key")
        if "conversations:view" not in key.scopes:
            raise HTTPException(403, "Forbidden")
        mine = PAGE.where(conversations.c.account_id == key.account_id, conversations.c.environment == key.environment)
        newest = mine.order_by(conversations.c.updated_at.desc(), conversations.c["_id"].desc()).limit(limit)
        rows = connection.execute(newest).all()
    return Response(orjson.dumps([document(row) for row in rows]), media_type="application/json")
