"""Links that show somebody who has no account here the brief of one conversation, for some days.

Nothing of a link is stored. It names the conversation, the member who made it and its end, and is signed with the
server's key. Contacts are masked in it, whatever the member sees. It ends early when that member may no longer change
the conversation's status, with their account, and with the lead.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.signing import BadSignature, Signer

from accounts.models import Account, Membership
from accounts.scopes import Scope
from config.storage.fields import find, is_object_id
from config.storage.moments import now
from conversations.models import Conversation

DAYS = (1, 7, 30)
"""How long a link may be open."""

DEFAULT_DAYS = 7

NEEDED = (Scope.CONVERSATIONS_VIEW, Scope.CONVERSATIONS_CHANGE_STATUS)
"""What a member has to hold as long as their links shall lead somewhere."""

_ID, _MOMENT = 12, 5
"""Bytes of an id, and of a moment: seconds since 1970."""

_signer = Signer(sep=".", salt="conversations.brief")


@dataclass(frozen=True)
class Guest:
    """Who reads a brief by such a link, as a brief needs to know them."""

    account: Account
    environment: str


@dataclass(frozen=True)
class Share:
    conversation_id: str
    membership_id: str
    until: datetime
    """A whole second."""

    @classmethod
    def of(cls, conversation: Conversation, membership: Membership, days: int) -> "Share":
        return cls(conversation.pk, membership.pk, (now() + timedelta(days=days)).replace(microsecond=0))

    @property
    def token(self) -> str:
        """What stands in the link: letters, digits, ``-``, ``_`` and a dot."""
        moment = int(self.until.timestamp()).to_bytes(_MOMENT)
        packed = bytes.fromhex(self.conversation_id) + bytes.fromhex(self.membership_id) + moment
        return _signer.sign(urlsafe_b64encode(packed).decode().rstrip("="))

    @classmethod
    def of_token(cls, token: str) -> "Share | None":
        """None for what ``token`` never gave."""
        try:
            text = _signer.unsign(token)
            packed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (BadSignature, ValueError):
            return None
        ids, moment = packed[: 2 * _ID], int.from_bytes(packed[2 * _ID :])
        return cls(ids[:_ID].hex(), ids[_ID:].hex(), datetime.fromtimestamp(moment, UTC))

    @property
    def kept(self) -> list[Any]:
        """As a session has it."""
        return [self.membership_id, int(self.until.timestamp())]

    @classmethod
    def of_kept(cls, conversation_id: str, kept: Any) -> "Share | None":
        if not kept or not is_object_id(conversation_id):
            return None
        return cls(conversation_id, kept[0], datetime.fromtimestamp(kept[1], UTC))

    def find(self) -> tuple[Conversation, Guest] | None:
        """The conversation with its contacts masked; None where the link has ended."""
        if self.until <= now():
            return None
        members = Membership.objects.select_related("account", "user")
        member = members.filter(pk=self.membership_id, user__is_active=True, account__suspended_at=None).first()
        if member is None or not all(map(member.has_scope, NEEDED)):
            return None
        member.account.masks_contacts = True
        found: Conversation | None = find(member.account.conversations.defer("search_text"), self.conversation_id)
        if found is None or found.is_erased:
            return None
        return found, Guest(member.account, found.environment)
