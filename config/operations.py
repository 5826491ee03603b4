"""What the API says that belongs to no app: the introduction, and the errors, headers and parameters that all share."""

from typing import Any

from accounts.idempotency import HEADER as IDEMPOTENCY_KEY
from accounts.idempotency import MAX_LENGTH as MAX_IDEMPOTENCY_KEY
from config.docs import CONTENT_TYPES
from config.errors import SLOW_SEARCH, UNAVAILABLE
from config.parsing import MAX_BODY, MAX_DEPTH
from config.schema import Json, Operation, answer, answered, choice, modules, refusal, text

ABOUT = """The conversations that AI sales agents hold with leads over WhatsApp, Telegram and e-mail.

**Keys.** Send an API key as `X-API-Key`, or as `Authorization: Bearer`. It belongs to one account and one environment:
a test key sees test conversations only, a live key live ones. Each operation names the scope that the key must hold.

**Answers** are JSON in UTF-8. An optional field of a conversation that has no value is left out. Moments are RFC 3339
in UTC with milliseconds. An unknown parameter or field is ignored; a parameter given twice is refused, and an empty one
counts as left out, except `limit`, `skip` and `cursor`.

**Errors** are `{"error": …}`, with `details` by field where there are any; a 403 is
`{"error": "Forbidden", "message": …}`. A method that a path does not have is refused with 405. Each answer names its
request in `X-Request-Id`.

**Limits.** Requests are counted over 60 seconds, by address, key and account; `RateLimit-Limit`, `RateLimit-Remaining`
and `RateLimit-Reset` tell of the tightest of them. Whoever is refused with 429 waits for `Retry-After` seconds.

**Repeating.** A POST with an `Idempotency-Key` may be sent again: it is carried out once. An `ETag`, sent back as
`If-None-Match`, saves reading what has not changed.
"""


def complete(result: Json, **kwargs: Any) -> Json:
    """Adds the introduction, and what the operations refer to. A hook of drf-spectacular."""
    result["info"]["description"] = ABOUT
    for module in modules():
        for kind, components in getattr(module, "COMPONENTS", {}).items():
            result["components"].setdefault(kind, {}).update(components)
    return result


OPERATIONS = {
    "SchemaView.get": Operation(
        id="getSchema",
        summary="Describe the API",
        description="This description, in OpenAPI 3.1. It needs no key. `/api/docs` shows it to people.",
        tag="About",
        parameters=(choice("format", "The format of the answer.", CONTENT_TYPES, "json"),),
        answers={
            200: answer(
                "The description.",
                {"application/json": {"type": "object"}, "application/yaml": {"type": "string"}},
                headers=("ETag",),
            ),
            304: answer("Nothing has changed.", headers=("ETag",)),
        },
    )
}

ERROR = answered(
    {
        "error": text("What is wrong, for people to read."),
        "details": {
            "type": "object",
            "description": "What is wrong with each parameter or field, by its name.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
    },
    optional=["details"],
    description="Why a request was refused.",
)

FORBIDDEN = answered(
    {
        "error": {"type": "string", "const": "Forbidden", "description": "Always the same."},
        "message": text("What was missing, for people to read."),
    },
    description="Why a request was refused although its key is good.",
)

INVALID = {"error": "Validation failed", "details": {"status": ["Must be one of completed, handed_off, dropped."]}}


def _whole(description: str) -> Json:
    return {"description": description, "schema": {"type": "integer", "minimum": 0}}


COMPONENTS: dict[str, dict[str, Any]] = {
    "schemas": {"Error": ERROR, "Forbidden": FORBIDDEN},
    "responses": {
        "Refused400": refusal(
            f"The request cannot be understood, or `details` says what is wrong with it. Bodies are JSON in UTF-8, at "
            f"most {MAX_DEPTH} levels deep, without repeated keys and without integers beyond 64 bits.",
            invalid=INVALID,
            unreadable={"error": "Request body is not valid JSON: Expecting value: line 1 column 1 (char 0)"},
        ),
        "Refused404": refusal("There is none with this id in the key's account and environment."),
        "Refused409": refusal("A request with this `Idempotency-Key` is still running."),
        "Refused413": refusal(
            f"The body is larger than {MAX_BODY >> 20} MB.",
            large={"error": f"Request body is too large: at most {MAX_BODY >> 20} MB"},
        ),
        "Refused415": refusal("The body is not `application/json` in UTF-8, or it is compressed."),
        "Refused422": refusal("This `Idempotency-Key` was used for another request."),
        "Refused500": refusal(
            "A fault of ours. Its `X-Request-Id` leads to it in the log.", failed={"error": "Internal server error"}
        ),
        "Refused503": refusal(
            "The store is away, full or not writable. Whether a change was made before it failed is not known: send it "
            "again, with the same `Idempotency-Key`. Also for a search that takes too long.",
            unavailable={"error": UNAVAILABLE},
            slow={"error": SLOW_SEARCH},
        ),
    },
    "headers": {
        "X-Request-Id": {
            "description": "Names this request in the log.",
            "required": True,
            "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        },
        "RateLimit-Limit": _whole("How many requests the tightest of the limits allows in 60 seconds."),
        "RateLimit-Remaining": _whole("How many of them are left."),
        "RateLimit-Reset": _whole("Seconds until all of them are there again."),
        "Retry-After": {**_whole("Seconds until the next request may be sent."), "required": True},
        "ETag": {
            "description": "Stands for this state of the answer; to be sent as `If-None-Match`.",
            "required": True,
            "schema": {"type": "string"},
        },
        "Link": {
            "description": 'The address of the next page: `<…>; rel="next"`. Missing on the last page.',
            "schema": {"type": "string"},
        },
        "X-Total-Count": _whole(
            "How many there are in all that the filters leave. Only where `limit` is given, and not where a search "
            "finds so many that counting them takes longer than the page."
        ),
        "Idempotency-Replayed": {
            "description": "`true` where this is the answer to an earlier request with the same `Idempotency-Key`.",
            "schema": {"type": "string", "const": "true"},
        },
        "Content-Disposition": {
            "description": "The file's name.",
            "required": True,
            "schema": {"type": "string", "pattern": '^attachment; filename="[^"]+"$'},
        },
        "WWW-Authenticate": {
            "description": "How to authenticate.",
            "required": True,
            "schema": {"type": "string", "const": "Bearer"},
        },
    },
    "parameters": {
        "IdempotencyKey": {
            "in": "header",
            "name": IDEMPOTENCY_KEY,
            "description": "Makes the request safe to repeat: for 24 hours the same key brings the first answer again.",
            "schema": {"type": "string", "maxLength": MAX_IDEMPOTENCY_KEY, "pattern": "^[!-~]([ -~]*[!-~])?$"},
        },
        "IfNoneMatch": {
            "in": "header",
            "name": "If-None-Match",
            "description": "The `ETag` of an earlier answer. Where nothing has changed since, the answer is 304.",
            "schema": {"type": "string"},
        },
    },
}
