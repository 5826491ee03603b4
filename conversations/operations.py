"""What the API says of each operation on conversations; their shapes are in ``conversations.schema``."""

from accounts.operations import BREAKS_OFF
from accounts.parameters import MAX_SKIP
from config.parsing import MAX_BODY
from config.schema import Json, Operation, answer, choice, query, ref, text
from config.schema import integer as whole
from config.storage.moments import now
from conversations.analytics import DEFAULT_RANGE, RANGES
from conversations.api import MAX_RECORDS
from conversations.export import FORMATS
from conversations.messages import MAX_MESSAGES
from conversations.models import CLOSED_STATUSES
from conversations.pagination import MAX_LIMIT, Cursor
from conversations.schema import ID, example
from conversations.search import MAX_SEARCH_LENGTH

TAG = "Conversations"
WHICH = "MongoDB ObjectId of the conversation."

FILTERS = {
    "status": "Filter conversations by status.",
    "search": (
        "Search conversations by lead phone, email, or message content "
        f"(max {MAX_SEARCH_LENGTH} characters). Literal, whatever the case; a phone is also found by its digits alone."
    ),
    "channel": "Filter conversations by channel.",
    "campaignId": "Conversations of one campaign.",
    "agentConfigId": "Conversations of one agent configuration.",
    "leadId": "Conversations with one lead.",
    "stage": "Conversations at the stage of this name or index.",
    "qualified": "Conversations whose qualification result says yes, or no.",
    "createdAfter": "Conversations created at this moment or later.",
    "createdBefore": "Conversations created before this moment.",
    "updatedAfter": "Conversations last updated at this moment or later.",
    "updatedBefore": "Conversations last updated before this moment.",
    "repliedAfter": "Conversations in which the lead wrote at this moment or later, and that were updated since.",
    "qualifiedAfter": "Conversations whose qualification was decided at this moment or later.",
    "statusChangedAfter": "Conversations that came to their status at this moment or later.",
    "finished": "Conversations that are completed, handed off or dropped, or those that are not.",
    "stageReached": "Conversations at the stage of this index, from 0, or at a later one.",
    "stageIndex": "Conversations at exactly the stage of this index, from 0.",
    "lastRole": "Conversations by who wrote last; `none` for those without messages.",
}

PAGING = (
    query("limit", whole("Answer with a page of at most so many. Without it, all are streamed.", 1, MAX_LIMIT)),
    query("skip", whole("How many to skip. To walk an account, follow `Link` instead.", 0, MAX_SKIP)),
    query(
        "cursor",
        text(
            "Where to go on: comes with `Link`, and cannot be combined with `skip`.",
            pattern=f"^[A-Za-z0-9_-]{{{len(str(Cursor(now(), ID)))}}}$",
        ),
    ),
)

UNCHANGED = answer("Nothing has changed since the answer with that `ETag`.", headers=("ETag",))


def shown(description: str, conversation: Json) -> Json:
    return answer(description, ref("Conversation"), conversation=conversation)


REFUSED = {"description": "Anything else is refused, alone: its result says why."}
RECORD = {key: value for key, value in example().items() if key not in ("accountId", "messageCount")}
SAID = {"role": "lead", "content": "Can I see it on Friday?"}

OPERATIONS = {
    "ConversationViewSet.list": Operation(
        id="listConversations",
        summary="List conversations",
        description=(
            "The conversations of the key's account, every message included, newest change first. Without parameters "
            "that is the whole account, streamed. With `limit` it is a page, and the `Link` header leads to the next "
            "one: following it walks the account without losing or repeating what stays unchanged. A streamed array "
            "that breaks off lacks its closing bracket."
        ),
        tag=TAG,
        filters=FILTERS,
        parameters=PAGING,
        answers={
            200: answer(
                "A list of conversations.",
                {"type": "array", "items": ref("Conversation")},
                headers=("ETag", "Link", "X-Total-Count"),
                conversations=[example()],
            ),
            304: UNCHANGED,
        },
    ),
    "ConversationViewSet.retrieve": Operation(
        id="getConversation",
        summary="Get a conversation",
        description="One conversation, every message included.",
        tag=TAG,
        identifier=WHICH,
        answers={
            200: answer("The conversation.", ref("Conversation"), headers=("ETag",), conversation=example()),
            304: UNCHANGED,
        },
    ),
    "ConversationViewSet.record": Operation(
        id="recordConversations",
        summary="Record conversations",
        description=(
            f"Takes over one conversation, or an array of up to {MAX_RECORDS:,}, in the shape that the list returns. "
            "An `_id` that the account already has is replaced whole, so that another system can be mirrored. Of an "
            "array each one has a result of its own: a bad one never loses the others."
        ),
        tag=TAG,
        body={
            "oneOf": [
                ref("ConversationRecord"),
                {"type": "array", "items": {"anyOf": [ref("ConversationRecord"), REFUSED]}, "maxItems": MAX_RECORDS},
            ]
        },
        examples={"one": RECORD, "many": [RECORD]},
        answers={
            200: answer(
                "One was replaced, or is as it was: the conversation. For an array: what became of each, in order.",
                {"oneOf": [ref("Conversation"), {"type": "array", "items": ref("RecordingResult")}]},
                replaced=example(),
                many=[{"_id": ID, "result": "recorded"}],
            ),
            201: shown("One was recorded: the conversation.", example()),
        },
        leads_to=("getConversation", "updateConversation", "appendMessages", "changeConversationStatus"),
        refusals={
            409: "Another account or environment has a conversation with this `_id`, or a request with this "
            "`Idempotency-Key` is still running.",
            413: f"The body is larger than {10 * MAX_BODY >> 20} MB.",
        },
    ),
    "ConversationViewSet.append": Operation(
        id="appendMessages",
        summary="Append messages",
        description=(
            f"Adds one message, or several, at the end. A conversation holds {MAX_MESSAGES:,} at most. However many "
            "append at the same time, nothing is lost."
        ),
        tag=TAG,
        identifier=WHICH,
        body={
            "oneOf": [
                ref("NewMessage"),
                {"type": "array", "items": ref("NewMessage"), "minItems": 1, "maxItems": MAX_MESSAGES},
            ]
        },
        examples={"one": SAID, "several": [SAID]},
        answers={200: shown("The conversation.", example())},
    ),
    "ConversationViewSet.update_details": Operation(
        id="updateConversation",
        summary="Update a conversation",
        description="Sets the stage, the summary, the qualification result and other details of a conversation.",
        tag=TAG,
        identifier=WHICH,
        body=ref("ConversationChanges"),
        needs_body=False,
        examples={
            "qualified": {
                "summary": "Wants the small office from May on.",
                "qualificationResult": {"qualified": True, "reason": "Budget and date fit."},
            }
        },
        answers={200: shown("The conversation.", example(summary="Wants the small office from May on."))},
    ),
    "ConversationViewSet.change_status": Operation(
        id="changeConversationStatus",
        summary="Change a conversation's status",
        description=(
            f"Closes a conversation, or corrects how it was closed: {', '.join(CLOSED_STATUSES)}. No conversation "
            "becomes active again. The same status once more changes nothing."
        ),
        tag=TAG,
        identifier=WHICH,
        body=ref("StatusChange"),
        examples={"completed": {"status": "completed"}},
        answers={200: shown("The conversation.", example(status="completed"))},
    ),
    "LeadViewSet.erase": Operation(
        id="eraseLead",
        summary="Erase a lead",
        description=(
            "Takes a person out of all conversations of the key's environment that have this phone, however it is "
            "written, or this e-mail: contact, what was said, summary, reason and notes. Status, stage, times, roles "
            "and the number of messages stay. It cannot be undone. Nobody of that contact is no fault: 0 were erased."
        ),
        tag="Leads",
        body=ref("LeadErasure"),
        examples={"phone": {"leadPhone": "+1 (555) 010-2233"}},
        answers={
            200: answer(
                "How many conversations had something to erase.",
                ref("LeadErased"),
                erased={"erasedConversations": 2},
            )
        },
    ),
    "ConversationExportViewSet.export": Operation(
        id="exportConversations",
        summary="Export conversations",
        description=(
            "All that the filters leave, as a file, streamed: NDJSON as the list answers, or a table for spreadsheets "
            "with a row for each conversation or message. In tables, texts that a spreadsheet would take for a formula "
            f"begin with an apostrophe. {BREAKS_OFF}"
        ),
        tag=TAG,
        filters=FILTERS,
        parameters=(choice("format", "The format of the file.", FORMATS, next(iter(FORMATS))),),
        answers={
            200: answer(
                "The file.",
                {kind.partition(";")[0]: {"type": "string"} for _, kind, _ in FORMATS.values()},
                headers=("Content-Disposition",),
            )
        },
    ),
    "AnalyticsViewSet.overview": Operation(
        id="getOverview",
        summary="Get the overview",
        description="Figures of the conversations created in the last days, as they stand now.",
        tag="Analytics",
        parameters=(choice("range", "The last so many days.", RANGES, DEFAULT_RANGE),),
        answers={200: answer("The figures.", ref("Overview"))},
    ),
}
