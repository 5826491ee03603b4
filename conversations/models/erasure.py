"""Erasing a lead: the person goes, what was counted stays.

Phone, e-mail, what was said, summary, reason and notes are gone, from the search and its index too. Status, stage,
times, roles, the number of messages and whether the lead qualified stay, so that every figure is what it was before.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account, Actor, AuditEvent, IdempotentRequest
from config.formats import grouped
from config.storage.chunks import chunks_of
from config.storage.transaction import atomic
from conversations import search
from conversations.models.masked import ERASED

if TYPE_CHECKING:
    from conversations.models.conversation import Conversation
    from conversations.models.queries import ConversationQuerySet

MOST = 1_000
"""Conversations of one lead that are erased at a time: it is one transaction."""

CHUNK = 100
"""Conversations that are read at a time, with all that was said."""

ONES_OWN_DIGITS = 7
"""Of a phone; fewer are those of many."""

PERSONAL = ("lead_email", "qualification_reason", "reason", "summary")
"""What entries of the log on a conversation hold of its lead."""


def of_same_lead(conversations: "ConversationQuerySet", *, phone: str = "", email: str = "") -> list[str]:
    """Those with that phone, however it is written, or that e-mail. Raises ValidationError for too many."""
    found: dict[str, None] = {}
    for text in filter(None, (phone, email)):
        rows = conversations.unmasked().search(text).values_list("pk", "lead_phone", "lead_email")
        found |= {pk: None for pk, *contact in rows.iterator() if _is_same(phone, email, *contact)}
    if len(found) > MOST:
        raise ValidationError(_("At most %s conversations at a time.") % grouped(MOST))
    return list(found)


def of_lead_of(conversation: "Conversation", conversations: "ConversationQuerySet") -> list[str]:
    """This conversation, and those of the same lead. Raises ValidationError for too many."""
    same = of_same_lead(conversations, phone=conversation.lead_phone, email=conversation.lead_email)
    return list({conversation.pk: None, **dict.fromkeys(same)})


def erased_from(number: int) -> str:
    """What is said to whom has erased a lead."""
    text = ngettext("Erased from %s conversation.", "Erased from %s conversations.", number)
    return text % grouped(number)


@atomic
def erase(conversations: Sequence[str], *, account: Account, environment: str, by: Actor) -> int:
    """Take the lead out of these conversations of an account, by their ids. Returns how many had something to erase.

    One entry tells of it, without the person: how many conversations, and which.
    """
    from conversations.models import Conversation, Note

    mine = Conversation.objects.owned_by(account.pk, environment)
    erased: dict[str, None] = {}
    contacts: set[str] = set()
    for chunk in chunks_of(conversations, CHUNK):
        rows = mine.filter(pk__in=chunk).exclude(lead_phone=ERASED).select_for_update().defer("search_text")
        for conversation in list(rows):
            contacts |= {conversation.lead_phone, conversation.lead_email} - {""}
            mine.filter(pk=conversation.pk).update(**_without_person(conversation), revision=F("revision") + 1)
            erased[conversation.pk] = None
        Note.objects.filter(conversation__in=chunk).delete()
        forget_in_log(account, chunk)
    if erased:
        forget_answers(account, environment)
        _forget_views(account, contacts)
        AuditEvent.objects.log(
            "lead.erased",
            account=account,
            by=by,
            resource_type="conversation",
            environment=environment,
            metadata={"erased": list(erased)},
        )
    return len(erased)


def forget_in_log(account: Account, conversations: Iterable[str]) -> None:
    """Entries are never edited, but for this: they keep what was changed, when and by whom, and lose what it said."""
    entries = AuditEvent.objects.filter(account=account, resource_id__in=list(conversations))
    for entry in entries.only("account", "metadata"):
        kept = _without_texts(entry.metadata)
        if kept != entry.metadata:
            AuditEvent.objects.filter(pk=entry.pk).update(metadata=kept)


def forget_answers(account: Account, environment: str) -> None:
    """What was answered under Idempotency-Keys is encrypted, each with its own: whose it is cannot be read. So all of
    it goes; that the requests were carried out stays, and none is carried out again."""
    answered = IdempotentRequest.objects.filter(account=account, environment=environment, status__isnull=False)
    answered.update(body=b"")


def _is_same(phone: str, email: str, other_phone: str, other_email: str) -> bool:
    if email and search.fold(email) == search.fold(other_email):
        return True
    digits = search.phone_digits(phone)
    if len(digits) >= search.MIN_PHONE_DIGITS:
        return digits == search.phone_digits(other_phone)
    return bool(phone) and search.fold(phone) == search.fold(other_phone)


def _without_person(conversation: Any) -> dict[str, Any]:
    messages = [_without_content(message) for message in conversation.messages or ()]
    text = search.search_text(phone="", email="", contents=())
    return {
        "lead_id": _lead_id(conversation),
        "lead_phone": ERASED,
        "lead_email": "",
        "summary": "",
        "qualification_reason": "",
        "last_text": "",
        "messages": messages,
        "search_text": text,
        "stored_bytes": len(messages) * 80 + len(text),
    }


def _without_content(message: Any) -> dict[str, Any]:
    """Who wrote, and when. What is damaged may hold anything, and keeps its place alone."""
    kept = ("role", "timestamp", "agentConfigId")
    told = {name: message[name] for name in kept if isinstance(message.get(name), str)} if _is_whole(message) else {}
    return {"role": told.pop("role"), "content": "", **told} if told else {"role": "system", "content": ""}


def _is_whole(message: Any) -> bool:
    return isinstance(message, Mapping) and isinstance(message.get("role"), str)


def _lead_id(conversation: Any) -> str:
    """The caller's own id, by which leads are counted. One that is made of the phone or e-mail becomes another one,
    always the same."""
    lead_id: str = conversation.lead_id
    digits = search.phone_digits(conversation.lead_phone)
    same = _is_same(lead_id, lead_id, conversation.lead_phone, conversation.lead_email)
    if not same and "@" not in lead_id and not (digits and digits in search.phone_digits(lead_id)):
        return lead_id
    return f"{ERASED}-{_pseudonym(conversation.account_id, lead_id)}"


def _pseudonym(account: str, text: str) -> str:
    key = f"erasure:{settings.SECRET_KEY}:{account}".encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:16]


def _without_texts(metadata: Any) -> Any:
    if not isinstance(metadata, dict):
        return {}
    return {name: _emptied(value) if name in PERSONAL else value for name, value in metadata.items()}


def _emptied(value: Any) -> Any:
    return dict.fromkeys(value, "") if isinstance(value, dict) else ""


def _forget_views(account: Account, contacts: Iterable[str]) -> None:
    """Lists that were saved under the lead's contact, or by it; and what the log says of their names."""
    known = list(contacts)
    for view in account.saved_views.all():
        asked = parse_qsl(view.query)
        kept = [(name, value) for name, value in asked if not _names_one(value, known)]
        name = ERASED.capitalize() if _names_one(view.name, known) else view.name
        if (kept, name) != (asked, view.name):
            free = name if name == view.name else f"{name} {view.pk[-6:]}"
            view.query, view.name = urlencode(kept), free
            view.save(update_fields=["query", "name"])
    for entry in AuditEvent.objects.filter(account=account, resource_type="saved_view"):
        if _names_one(str(entry.metadata.get("name", "")), known):
            AuditEvent.objects.filter(pk=entry.pk).update(metadata={**entry.metadata, "name": ""})


def _names_one(text: str, contacts: Iterable[str]) -> bool:
    """Whether ``text`` holds one of ``contacts``, or enough of a phone to be it."""
    folded, digits = search.fold(text), search.phone_digits(text)
    for contact in contacts:
        theirs = search.phone_digits(contact)
        are_phones = min(len(theirs), len(digits)) >= ONES_OWN_DIGITS
        if search.fold(contact) in folded or (are_phones and (digits in theirs or theirs in digits)):
            return True
    return False
