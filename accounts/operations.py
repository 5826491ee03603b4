"""What the API says of each operation on API keys and the audit log; their shapes are in ``accounts.schema``."""

from accounts.audit_api import LIMIT, MAX_LIMIT
from accounts.models.key import PREFIX
from accounts.parameters import MAX_SKIP
from accounts.schema import KEY_EXAMPLE
from accounts.scopes import Scope
from config.schema import Operation, answer, choice, integer, query, ref

KEY = "ObjectId of the key."
ISSUED = {"apiKey": KEY_EXAMPLE, "fullKey": f"{PREFIX}_live_{'0123456789abcdef' * 3}0123456789ab9f3a"}
MAY_GIVE = "Nobody gives more than they hold: a scope that the calling key lacks is refused with 403."

BREAKS_OFF = (
    "A file that breaks off says so in its last line: JSON Lines with an object of `error` and `details.requestId`, "
    "a table with a row whose first cell begins with `ERROR:`."
)

EVENT_FILTERS = {
    "action": "Entries of one action.",
    "resourceType": "Entries of one kind of thing.",
    "actorType": "Entries by one kind of actor.",
    "actorId": "Entries by one person or key.",
    "from": "Entries from this moment on.",
    "to": "Entries before this moment.",
    "search": "A literal part of the action, the actor's name, the resource's id, or a person's or key's name.",
}

OPERATIONS = {
    "ApiKeyViewSet.list": Operation(
        id="listApiKeys",
        summary="List API keys",
        description=(
            "The account's keys, newest first, dead ones included. A live key sees those of both environments, a test "
            "key test keys only."
        ),
        tag="API keys",
        answers={200: answer("The keys.", {"type": "array", "items": ref("ApiKey")}, keys=[KEY_EXAMPLE])},
    ),
    "ApiKeyViewSet.create": Operation(
        id="createApiKey",
        summary="Issue an API key",
        description=f"A new key. Its secret is shown in this answer and never again. {MAY_GIVE}",
        tag="API keys",
        body=ref("NewApiKey"),
        examples={"reader": {"name": "CRM", "scopes": [Scope.CONVERSATIONS_VIEW.value], "environment": "live"}},
        answers={201: answer("The key, and its secret.", ref("IssuedApiKey"), issued=ISSUED)},
        leads_to=("rotateApiKey", "revokeApiKey", "deleteApiKey"),
        new_id="/apiKey/_id",
    ),
    "ApiKeyViewSet.rotate": Operation(
        id="rotateApiKey",
        summary="Rotate an API key",
        description=(
            f"A new key with the name, scopes, environment and expiry of this one, which is dead at once. {MAY_GIVE}"
        ),
        tag="API keys",
        identifier=KEY,
        answers={200: answer("The new key, and its secret.", ref("IssuedApiKey"), issued=ISSUED)},
        refusals={409: "The key is revoked or expired, or a request with this `Idempotency-Key` is still running."},
    ),
    "ApiKeyViewSet.revoke": Operation(
        id="revokeApiKey",
        summary="Revoke an API key",
        description="The key is refused from now on. That is final; repeating it changes nothing.",
        tag="API keys",
        identifier=KEY,
        answers={200: answer("The key.", ref("ApiKey"), revoked={**KEY_EXAMPLE, "status": "revoked"})},
        leads_to=("deleteApiKey",),
    ),
    "ApiKeyViewSet.destroy": Operation(
        id="deleteApiKey",
        summary="Delete an API key",
        description="Takes a revoked or expired key out of the list. The audit log keeps what it did.",
        tag="API keys",
        identifier=KEY,
        answers={204: answer("It is deleted.")},
        refusals={409: "The key is still active. Revoke it first."},
    ),
    "AuditViewSet.list": Operation(
        id="listAuditLogs",
        summary="Read the audit log",
        description="A page of what was done in the account, newest first.",
        tag="Audit log",
        filters=EVENT_FILTERS,
        parameters=(
            query("limit", integer("How many entries a page holds.", 1, MAX_LIMIT, default=LIMIT)),
            query("skip", integer("How many entries to skip.", 0, MAX_SKIP, default=0)),
        ),
        answers={200: answer("The page.", ref("AuditPage"))},
    ),
    "AuditViewSet.export": Operation(
        id="exportAuditLogs",
        summary="Export the audit log",
        description="All that the filters leave, as a file, streamed. In CSV and TSV, texts that a spreadsheet would "
        f"take for a formula begin with an apostrophe. {BREAKS_OFF}",
        tag="Audit log",
        filters=EVENT_FILTERS,
        parameters=(choice("format", "The format of the file.", ("csv", "tsv", "jsonl"), "csv"),),
        answers={
            200: answer(
                "The file.",
                {
                    "text/csv": {"type": "string"},
                    "text/tab-separated-values": {"type": "string"},
                    "application/x-ndjson": {"type": "string"},
                },
                headers=("Content-Disposition",),
            )
        },
    ),
}
