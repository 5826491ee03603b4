"""Entries of the audit log as sentences that people read: who did what, with links to what is still there.

What stands in an entry was written by outsiders too: all of it is text, and none of it is relied upon.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext, ngettext, pgettext

from accounts.ids import short
from accounts.models import ApiKey, AuditEvent
from accounts.request import AccountRequest
from accounts.scopes import Role, Scope
from accounts.vocabulary import ACTIONS, DONE_IN_ADMIN, IN_ADMIN, reason, words
from config.formats import grouped
from config.storage.fields import is_object_id

DETAILS_LENGTH = 3_000
"""Characters of an entry's metadata that a page shows; the export has all."""

TEXT_LENGTH = 80
"""Characters of a value inside a sentence."""


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
            return Part(gettext("conversation %s") % short(pk) if pk else gettext("conversations"))
        if kind == "api_key":
            masked = metadata.get("key")
            text = f"{shown(name)} ({shown(masked)})" if name and masked else shown(name) or short(pk)
            return Part(text, f"{reverse('settings:keys')}#key-{pk}" if pk in self.keys else "", is_name=True)
        if kind in ("agent", "campaign") and pk in self.named:
            return Part(str(self.named[pk]), self._link_of(kind, pk), is_name=True)
        if kind == "account" and not name:
            return Part(gettext("the account"))
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
            template = str(ACTIONS[entry.action][1])
        elif match := IN_ADMIN.fullmatch(entry.action):
            template = str(DONE_IN_ADMIN[match[2]])
        else:
            template = "{action} · {it}" if entry.resource_type else "{action}"
        parts = []
        for text, name, _spec, _conversion in Formatter().parse(template):
            parts += [Part(text)] if text else []
            parts += self._field(name, entry) if name else []
        return parts

    def _field(self, name: str, entry: AuditEvent) -> list[Part]:
        metadata = metadata_of(entry)
        match name:
            case "it":
                return [self.part(entry)]
            case "kind":
                return [Part(words(entry.action.partition(".")[0]))]
            case "recorded":
                return self._recorded(entry)
            case "action":
                return [Part(entry.action, is_name=True)]
            case "fields":
                *others, last = [words(shown(key)) for key in metadata][:5] or [gettext("details")]
                return [Part(_both(", ".join(others), last) if others else last)]
            case "erased" | "deleted":
                given = metadata.get(name)
                number = len(given) if isinstance(given, list) else given if isinstance(given, int) else 0
                return [Part(ngettext("%s conversation", "%s conversations", number) % grouped(number))]
            case "days":
                number = metadata["days"] if isinstance(metadata.get("days"), int) else 0
                return [Part(ngettext("%s day", "%s days", number) % grouped(number))]
            case "limit":
                limit = metadata.get("rate_limit")
                if not isinstance(limit, int):
                    return [Part(gettext("that of the installation"))]
                return [Part(ngettext("%s request a minute", "%s requests a minute", limit) % grouped(limit))]
            case "reason":
                return [Part(reason(shown(metadata["reason"])), is_quoted=True)] if metadata.get("reason") else []
            case "before":
                return [Part(shown(metadata.get("before")) or "?", is_name=True)]
            case "from" | "to" | "roles" if isinstance(metadata.get(name), list):
                return [
                    Part(
                        shown(", ".join(map(_label, metadata[name]))) or pgettext("instead of a name", "none"),
                        is_name=True,
                    )
                ]
            case _:
                return [Part(words(shown(metadata.get(name))) or "?", is_name=True)]

    def _recorded(self, entry: AuditEvent) -> list[Part]:
        """``recorded 12 conversations and replaced 3``; of a single one, which."""
        counts = {verb: len(ids) for verb, ids in _recorded_ids(entry).items() if ids}
        if sum(counts.values()) == 1:
            verb = gettext("recorded") if "recorded" in counts else gettext("replaced")
            return [Part(f"{verb} "), self.part(entry)]
        new, old = counts.get("recorded", 0), counts.get("replaced", 0)
        recorded = ngettext("recorded %s conversation", "recorded %s conversations", new) % grouped(new)
        replaced = ngettext("replaced %s conversation", "replaced %s conversations", old) % grouped(old)
        if new and old:
            return [Part(_both(recorded, replaced))]
        return [Part(recorded if new else replaced if old else gettext("recorded conversations"))]


def _both(one: str, other: str) -> str:
    return gettext("%(one)s and %(other)s") % {"one": one, "other": other}


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
        return str(AuditEvent.ActorType.SYSTEM.label)
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
