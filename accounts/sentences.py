"""Entries of the audit log as sentences that people read: who did what, with links to what is still there.

What stands in an entry was written by outsiders too: all of it is text, and none of it is relied upon.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from django.urls import reverse

from accounts.filters import SYSTEM_NAME
from accounts.ids import short
from accounts.models import ApiKey, AuditEvent
from accounts.request import AccountRequest
from accounts.scopes import Role, Scope
from config.storage.fields import is_object_id

DETAILS_LENGTH = 3_000
"""Characters of an entry's metadata that a page shows; the export has all."""

TEXT_LENGTH = 80
"""Characters of a value inside a sentence."""

ACTIONS = {
    "conversations.recorded": ("Conversations recorded", "{recorded}"),
    "conversation.status_changed": (
        "Status changed",
        "changed the status of {it} from {from} to {to}{reason}",
    ),
    "conversation.details_updated": ("Details changed", "changed the {fields} of {it}"),
    "conversation.opened_in_admin": ("Transcript read by an operator", "read {it} in the admin"),
    "note.written": ("Note written", "wrote a note on {it}"),
    "note.removed": ("Note removed", "removed a note from {it}"),
    "agent.renamed": ("Agent named", "named the agent {it}"),
    "campaign.renamed": ("Campaign named", "named the campaign {it}"),
    "saved_view.saved": ("View saved", "saved the view {it}"),
    "saved_view.removed": ("View removed", "removed the view {it}"),
    "api_key.created": ("API key created", "created the API key {it}"),
    "api_key.renamed": ("API key renamed", "renamed the API key {before} to {it}"),
    "api_key.rotated": ("API key rotated", "rotated the API key {it}"),
    "api_key.revoked": ("API key revoked", "revoked the API key {it}"),
    "api_key.deleted": ("API key deleted", "deleted the API key {it}"),
    "rate_limit.changed": ("Rate limit changed", "set the rate limit of {it} to {limit}"),
    "member.joined": ("Member joined", "joined the team as {roles}"),
    "member.roles_changed": ("Roles changed", "changed the roles of {it} from {from} to {to}"),
    "member.removed": ("Member removed", "removed {it} from the team"),
    "member.left": ("Member left", "left the team"),
    "invitation.sent": ("Invitation sent", "invited {it} as {roles}"),
    "invitation.sent_again": ("Invitation sent again", "sent the invitation of {it} once more"),
    "invitation.withdrawn": ("Invitation withdrawn", "withdrew the invitation of {it}"),
    "account.renamed": ("Account renamed", "renamed the account from {before} to {it}"),
    "account.opened": ("Account opened", "opened the account {it}"),
}
"""Action → what a filter calls it, and the sentence that follows who did it."""

IN_ADMIN = re.compile(r"([a-z_]{1,30})\.(added|changed|deleted)_in_admin")

RESOURCES = {
    "conversation": "Conversations",
    "api_key": "API keys",
    "agent": "Agents",
    "campaign": "Campaigns",
    "saved_view": "Saved views",
    "account": "The account",
    "membership": "Members",
    "invitation": "Invitations",
    "user": "People",
}


@dataclass(frozen=True)
class Part:
    """A piece of a sentence. ``is_name``: somebody's word for something, not ours; ``is_quoted``: what they wrote."""

    text: str
    link: str = ""
    is_name: bool = False
    is_quoted: bool = False


@dataclass(frozen=True)
class Told:
    """An entry as the page shows it. ``cut`` are the characters of its details that are left out."""

    entry: AuditEvent
    who: str
    parts: list[Part]
    details: str
    cut: int


@dataclass
class Things:
    """What the entries of one page tell of and is still there, as far as the reader may see it."""

    scopes: frozenset[str] = frozenset()
    conversations: dict[str, str] = field(default_factory=dict)
    named: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)

    @classmethod
    def of(cls, request: AccountRequest, entries: Iterable[AuditEvent], keys: Iterable[ApiKey]) -> "Things":
        """One query for each kind of thing that ``entries`` tell of. ``keys`` are the account's."""
        scopes = request.membership.scopes
        things = cls(scopes)
        if Scope.API_KEYS_VIEW in scopes:
            things.keys = {key.pk: key for key in keys}
        if Scope.CONVERSATIONS_VIEW not in scopes:
            return things
        account, environment = request.account, request.environment
        ids: dict[str, set[str]] = {}
        for entry in entries:
            if pk := resource_of(entry):
                ids.setdefault(entry.resource_type, set()).add(pk)
        if "conversation" in ids:
            told = account.conversations.within(environment).picked(sorted(ids["conversation"]))
            leads = told.only("account", "lead_id", "lead_phone", "lead_email")
            things.conversations = {conversation.pk: conversation.lead_name for conversation in leads}
        for kind, owned in (("agent", account.agents), ("campaign", account.campaigns)):
            if kind in ids:
                found = owned.within(environment).filter(pk__in=sorted(ids[kind]))
                things.named |= {named.pk: named for named in found}
        return things

    def part(self, entry: AuditEvent) -> Part:
        """What the entry is about."""
        pk, kind, metadata = resource_of(entry), entry.resource_type, metadata_of(entry)
        name = metadata.get("name")
        if isinstance(name, dict):  # a change of name
            name = name.get("to")
        if kind == "conversation":
            if pk in self.conversations:
                return Part(self.conversations[pk], reverse("conversations:transcript", args=[pk]), is_name=True)
            return Part(f"conversation {short(pk)}" if pk else "conversations")
        if kind == "api_key":
            masked = metadata.get("key")
            text = f"{shown(name)} ({shown(masked)})" if name and masked else shown(name) or short(pk)
            return Part(text, f"{reverse('settings:keys')}#key-{pk}" if pk in self.keys else "", is_name=True)
        if kind in ("agent", "campaign") and pk in self.named:
            return Part(str(self.named[pk]), self._link_of(kind, pk), is_name=True)
        if kind == "account" and not name:
            return Part("the account")
        return Part(shown(name) or f"{words(kind)} {short(entry.resource_id)}".strip(), is_name=bool(name))

    def _link_of(self, kind: str, pk: str) -> str:
        """An agent's or a campaign's page, or its place in the list for who may not rename it."""
        if Scope.CONVERSATIONS_EDIT in self.scopes:
            return reverse(f"names:{kind}", args=[pk])
        return f"{reverse('names:list')}#{kind}-{pk}"

    def tell(self, entry: AuditEvent) -> Told:
        details = json.dumps(entry.metadata, indent=2, ensure_ascii=False, default=str) if entry.metadata else ""
        cut = max(0, len(details) - DETAILS_LENGTH)
        return Told(entry, name_of(entry), self._sentence(entry), details[:DETAILS_LENGTH], cut)

    def _sentence(self, entry: AuditEvent) -> list[Part]:
        if entry.action in ACTIONS:
            template = ACTIONS[entry.action][1]
        elif match := IN_ADMIN.fullmatch(entry.action):
            template = f"{match[2]} the {words(match[1])} {{it}} in the admin"
        else:
            template = "{action} · {it}" if entry.resource_type else "{action}"
        parts = []
        for text, name, _, _ in Formatter().parse(template):
            parts += [Part(text)] if text else []
            parts += self._field(name, entry) if name else []
        return parts

    def _field(self, name: str, entry: AuditEvent) -> list[Part]:
        metadata = metadata_of(entry)
        match name:
            case "it":
                return [self.part(entry)]
            case "recorded":
                return self._recorded(entry)
            case "action":
                return [Part(entry.action, is_name=True)]
            case "fields":
                *others, last = [words(shown(key)) for key in metadata][:5] or ["details"]
                return [Part(f"{', '.join(others)} and {last}" if others else last)]
            case "limit":
                limit = metadata.get("rate_limit")
                return [Part(f"{limit:,} requests a minute" if isinstance(limit, int) else "that of the installation")]
            case "reason":
                return [Part(shown(metadata["reason"]), is_quoted=True)] if metadata.get("reason") else []
            case "before":
                return [Part(shown(metadata.get("before")) or "?", is_name=True)]
            case "from" | "to" | "roles" if isinstance(metadata.get(name), list):
                return [Part(shown(", ".join(map(_label, metadata[name]))) or "none", is_name=True)]
            case _:
                return [Part(words(shown(metadata.get(name))) or "?", is_name=True)]

    def _recorded(self, entry: AuditEvent) -> list[Part]:
        """``recorded 12 conversations and replaced 3``; of a single one, which."""
        counts = {verb: len(ids) for verb, ids in _recorded_ids(entry).items() if ids}
        if sum(counts.values()) == 1:
            return [Part(f"{next(iter(counts))} "), self.part(entry)]
        done = [f"{verb} {count:,} conversation{'' if count == 1 else 's'}" for verb, count in counts.items()]
        return [Part(" and ".join(done) or "recorded conversations")]


def _recorded_ids(entry: AuditEvent) -> dict[str, list[Any]]:
    metadata = metadata_of(entry)
    ids = {verb: metadata.get(verb) for verb in ("recorded", "replaced")}
    return {verb: value if isinstance(value, list) else [] for verb, value in ids.items()}


def resource_of(entry: AuditEvent) -> str:
    """The id of the one thing that an entry tells of; empty where it tells of none, or of many."""
    pk = entry.resource_id
    if entry.action == "conversations.recorded":
        recorded = [pk for ids in _recorded_ids(entry).values() for pk in ids]
        pk = recorded[0] if len(recorded) == 1 else ""
    return pk if is_object_id(pk) else ""


def name_of(entry: AuditEvent) -> str:
    if entry.actor_type == AuditEvent.ActorType.SYSTEM:
        return SYSTEM_NAME
    return entry.actor_name or f"{entry.get_actor_type_display()} {short(entry.actor_id or '')}".strip()


def metadata_of(entry: AuditEvent) -> dict[str, Any]:
    """What is damaged holds nothing."""
    return entry.metadata if isinstance(entry.metadata, dict) else {}


def shown(value: Any) -> str:
    """A value of the metadata, short enough for a sentence; empty for none."""
    text = "" if value is None else str(value)
    return text if len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH - 1]}…"


def _label(role: Any) -> str:
    return str(Role(role).label) if role in Role.values else str(role)


def words(name: str) -> str:
    """``handed_off`` → ``handed off``; ``api_key`` → ``API key``."""
    return "API key" if name == "api_key" else name.replace("_", " ")
