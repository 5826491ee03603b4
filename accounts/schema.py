"""What the API says of who calls it: keys, the audit log, and how they are refused (contract, sections 4 to 6, 8)."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from accounts.audit_api import MAX_LIMIT
from accounts.authentication import BAD_KEY, NO_KEY
from accounts.models import ApiKey, AuditEvent, Environment
from accounts.models.key import PREFIX, TOKEN
from accounts.permissions import KEY_LACKS
from accounts.scopes import Scope
from accounts.serializers import MAX_NAME_LENGTH, NewApiKeySerializer
from accounts.throttling import REFUSALS
from accounts.vocabulary import ACTIONS
from config.schema import (
    Json,
    answered,
    body_of,
    integer,
    moment,
    nullable,
    object_id,
    ref,
    refusal,
    text,
)

ID = "665f1a2b3c4d5e6f7a8b9c0d"
ACCOUNT = "64b0c1d2e3f4a5b6c7d8e9f0"


class KeyScheme(OpenApiAuthenticationExtension):
    """Either header does, so each is a requirement of its own."""

    target_class = "accounts.authentication.ApiKeyAuthentication"
    match_subclasses = True
    name = ["apiKey", "bearer"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[Json]:
        shape = f"API key for programmatic access (format {PREFIX}_live_* or {PREFIX}_test_*)"
        return [
            {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": shape},
            {"type": "http", "scheme": "bearer", "description": f"{shape}. Where both are sent, X-API-Key wins."},
        ]


KEY_PROPERTIES: Json = {
    "_id": object_id("ObjectId of the key.", examples=[ID]),
    "name": text(
        "What the key is called.",
        minLength=1,
        maxLength=MAX_NAME_LENGTH,
        pattern=r"^[^\x00]*[^\s\x00\x1c-\x1f\x85][^\x00]*$",
        examples=["CRM"],
    ),
    "keyPrefix": text("How the key begins.", enum=[f"{PREFIX}_{environment}_" for environment in Environment.values]),
    "keyHint": text("The key's last four characters.", pattern="^[0-9a-f]{4}$", examples=["9f3a"]),
    "scopes": {
        "type": "array",
        "description": "What the key may do.",
        "items": {"type": "string", "enum": Scope.values},
        "minItems": 1,
        "uniqueItems": True,
    },
    "environment": text("Whose conversations the key sees: live or test ones.", enum=Environment.values),
    "status": text("Whether the key is still good.", enum=ApiKey.Status.values),
    "createdAt": moment("When the key was issued."),
    "accountId": object_id("ObjectId of the account (tenant)."),
    "expiresAt": nullable(moment("When the key expires; null where it does not. In a request it lies in the future.")),
    "lastUsedAt": nullable(moment("When the key was last used, to the minute; null where it never was.")),
    "contactsMasked": {
        "type": "boolean",
        "description": (
            "Whether answers to the key hold phones and e-mail addresses masked, such as `+1 ••• ••• 4567`. A key has "
            "this from the beginning or never, and then not the scope `contacts:read`. In an answer it is left out "
            "where it is false."
        ),
    },
}

KEY_EXAMPLE = {
    "_id": ID,
    "name": "CRM",
    "keyPrefix": f"{PREFIX}_live_",
    "keyHint": "9f3a",
    "scopes": [Scope.CONVERSATIONS_VIEW.value],
    "environment": "live",
    "status": "active",
    "createdAt": "2026-03-12T14:02:11.480Z",
    "accountId": ACCOUNT,
    "expiresAt": None,
    "lastUsedAt": None,
}

EVENT = answered(
    {
        "_id": object_id("ObjectId of the entry."),
        "accountId": object_id("ObjectId of the account (tenant)."),
        "actor": answered(
            {
                "type": text("What kind of actor it was.", enum=AuditEvent.ActorType.values),
                "id": nullable(object_id("ObjectId of the person or key; null for the system.")),
                "ip": nullable(text("The address the request came from; null where there was none.")),
                "displayName": text("What the actor was called at the time."),
            },
            description="Who did it.",
        ),
        "action": text("What was done.", examples=list(ACTIONS)),
        "resource": answered(
            {
                "type": nullable(text("What kind of thing it was done to.", examples=["conversation"])),
                "id": nullable(text("The thing's id; null where it was done to many.")),
            },
            description="What it was done to.",
        ),
        "timestamp": moment("When it was done."),
        "metadata": {"type": "object", "description": "What else there is to know, by action."},
    },
    description="One change, and who made it.",
)

COMPONENTS: dict[str, Json] = {
    "schemas": {
        "ApiKey": answered(KEY_PROPERTIES, optional=["contactsMasked"], description="An API key, without its secret."),
        "NewApiKey": body_of(NewApiKeySerializer(), KEY_PROPERTIES, "What a key is made from."),
        "IssuedApiKey": answered(
            {
                "apiKey": ref("ApiKey"),
                "fullKey": text(
                    "The key itself. This is the only answer that ever holds it.", pattern=f"^{TOKEN.pattern}$"
                ),
            },
            description="A new key with its secret.",
        ),
        "AuditEvent": EVENT,
        "AuditPage": answered(
            {
                "data": {"type": "array", "description": "The entries, newest first.", "items": ref("AuditEvent")},
                "total": integer("How many entries there are in all that the filters leave."),
                "skip": integer("How many of them were skipped."),
                "limit": integer("How many of them a page holds.", 1, MAX_LIMIT),
            },
            description="A page of the audit log.",
        ),
    },
    "responses": {
        "Refused401": refusal(
            "There is no key, or it is unknown, malformed, revoked or expired.",
            headers=("WWW-Authenticate",),
            missing={"error": NO_KEY},
            bad={"error": BAD_KEY},
        ),
        "Refused403": refusal(
            "The key does not have the required scope.",
            "Forbidden",
            scope={"error": "Forbidden", "message": KEY_LACKS.format(scope=Scope.CONVERSATIONS_VIEW.value)},
        ),
        "Refused429": refusal(
            "Too many requests from this address, with this key or of this account within 60 seconds.",
            headers=("Retry-After",),
            **{limit: {"error": said} for limit, said in REFUSALS.items()},  # type: ignore[arg-type]
        ),
    },
}
