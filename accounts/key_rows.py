"""An account's API keys as their page shows them: what they may do, who made and who ended them, what to look at."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account, ApiKey
from accounts.models.key import ScopeNotHeld, check_held
from accounts.scopes import READ_SCOPES, Scope
from accounts.sentences import metadata_of, name_of
from config.storage.moments import now

UNUSED_AFTER = timedelta(days=60)
"""A key that was not used for as long is likely forgotten."""

EXPIRES_SOON = timedelta(days=14)

EVERYTHING = frozenset(Scope.values) - {Scope.CONTACTS_READ}
"""Contacts are open to a key or masked, whatever its scopes: that is told beside them."""

READ = frozenset(map(str, READ_SCOPES))
READ_AND_WRITE = READ | {Scope.CONVERSATIONS_EDIT.value}
ONLY_CONVERSATIONS = frozenset(scope.value for scope in Scope if scope.startswith(("conversations:", "leads:")))

HISTORY = ("api_key.created", "api_key.rotated", "api_key.revoked")


def access_of(scopes: list[str]) -> str:
    """What a key may do, in a word or two."""
    held = frozenset(scopes) - {Scope.CONTACTS_READ} or frozenset(scopes)
    if held >= EVERYTHING:
        return _("Everything")
    if held == READ:
        return _("Read")
    if held >= READ_AND_WRITE and held <= ONLY_CONVERSATIONS:
        return _("Read + write")
    return label_of(scopes[0]) if len(held) == 1 else _("%(number)s scopes") % {"number": len(held)}


def label_of(scope: str) -> str:
    return str(Scope(scope).label) if scope in Scope.values else scope


@dataclass
class History:
    """By whom keys were made and ended, by the audit log: key's id → name."""

    made: dict[str, str] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, account: Account, keys: list[ApiKey]) -> "History":
        history = cls()
        entries = account.audit_events.filter(resource_id__in=[key.pk for key in keys], action__in=HISTORY)
        for entry in entries.only(
            "account", "action", "resource_id", "actor_type", "actor_id", "actor_name", "metadata"
        ):
            who = name_of(entry)
            if entry.action == "api_key.created":
                history.made[entry.resource_id] = who
                continue
            history.ended[entry.resource_id] = who
            if entry.action == "api_key.rotated":
                history.replaced.add(entry.resource_id)
                history.made[str(metadata_of(entry).get("replaced_by"))] = who
        return history


@dataclass(frozen=True)
class KeyRow:
    key: ApiKey
    history: History
    held: frozenset[str]

    @property
    def is_dead(self) -> bool:
        return self.key.status != ApiKey.Status.ACTIVE

    @property
    def access(self) -> str:
        return access_of(self.key.scopes)

    @property
    def scopes(self) -> list[tuple[str, str]]:
        shown = [(scope, label_of(scope)) for scope in self.key.scopes]
        return [*shown, ("", _("Contacts masked"))] if self.key.contacts_masked else shown

    @property
    def made_by(self) -> str:
        return self.history.made.get(self.key.pk) or str(self.key.created_by or "")

    @property
    def ended(self) -> str:
        if self.key.status == ApiKey.Status.EXPIRED:
            return _("Expired")
        return _("Replaced") if self.key.pk in self.history.replaced else _("Revoked")

    @property
    def ended_at(self) -> datetime | None:
        return self.key.revoked_at or self.key.expires_at

    @property
    def ended_by(self) -> str:
        return self.history.ended.get(self.key.pk, "") if self.key.revoked_at else ""

    @property
    def unused(self) -> str:
        """Says so where nobody seems to need the key; else empty."""
        days = (now() - (self.key.last_used_at or self.key.created_at)).days
        if self.is_dead or days < UNUSED_AFTER.days:
            return ""
        text = _("not for %(days)s days") if self.key.last_used_at else _("unused for %(days)s days")
        return text % {"days": days}

    @property
    def expires_soon(self) -> str:
        """``expires in 5 days``, by the calendar of who looks; empty where that is far off."""
        end = self.key.expires_at
        if self.is_dead or not end or end > now() + EXPIRES_SOON:
            return ""
        # A key that ends at midnight still works on the whole day before.
        last = timezone.localtime(end - timedelta(milliseconds=1)).date()
        days = (last - timezone.localtime(now()).date()).days
        if days < 1:
            return _("expires today")
        return _("expires tomorrow") if days == 1 else _("expires in %(days)s days") % {"days": days}

    @property
    def not_held(self) -> str:
        """The scope that the key has and the person lacks, who may not have its new secret then."""
        try:
            check_held(self.key.opened, self.held)
        except ScopeNotHeld as error:
            return error.scope
        return ""


def rows_of(account: Account, held: frozenset[str]) -> list[KeyRow]:
    """All keys, dead ones last, else newest first."""
    keys = list(account.api_keys.select_related("created_by"))
    history = History.of(account, keys)
    return sorted((KeyRow(key, history, held) for key in keys), key=lambda row: row.is_dead)
