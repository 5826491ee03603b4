"""The one FilterSet of the audit log, and which of its entries a key sees."""

import unicodedata
from typing import Any

from django.db.models import CharField, Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, AuditEvent
from accounts.models.audit import OURS
from accounts.parameters import AskedFilterSet, MomentFilter, ObjectIdFilter, OnceForm, TextFilter, one_of
from accounts.request import AccountRequest
from config.storage.expressions import HasSubstring

CharField.register_lookup(HasSubstring)

SEARCH_LENGTH = (2, 200)

SYSTEM_NAME = "System"
"""How the API and the exports name the actor when nobody in particular acted; pages have it in their language."""

NAMES_LOOKED_AT = 5_000
"""The newest entries about people and keys, in which a search looks for names."""

Events = QuerySet[AuditEvent]


def entries_for(reader: ApiKey | AccountRequest) -> Events:
    """What happened in the environment of a key, or that a person looks at, and what concerns the account as a whole
    (members, settings).

    Live and test never mix, while an account's own entries belong to both of its environments.
    """
    return reader.account.audit_events.filter(Q(environment=reader.environment) | Q(environment=None))


def caseless(text: str) -> str:
    """``text`` as it is compared (Unicode, chapter 3.13, D146)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def at_most(most: int) -> Any:
    return format_lazy(_("At most {number} characters."), number=most)


def _within(column: str, most: int) -> TextFilter:
    return TextFilter(column, max_length=most, error_messages={"max_length": at_most(most)})


def _resources_called(looked_for: str, events: Events) -> list[str]:
    """The ids of people, invitations and keys that are told of by such a name, be they gone or called otherwise now."""
    told = events.filter(resource_type__in=OURS).order_by("-timestamp", "-id")[:NAMES_LOOKED_AT]
    names = told.values_list("resource_id", "metadata")
    return sorted({pk for pk, metadata in names if pk and looked_for in caseless(_names_in(metadata))})


def _names_in(metadata: object) -> str:
    """What an entry calls its resource: a name now and before, and of a key what people see of it."""
    known = metadata if isinstance(metadata, dict) else {}
    name = known.get("name")
    names = [
        *(name.values() if isinstance(name, dict) else [name]),
        known.get("before"),
        str(known.get("key", ""))[-4:],
    ]
    return "\n".join(one for one in names if isinstance(one, str))


class AuditEventFilter(AskedFilterSet):
    search = TextFilter(
        method="filter_search",
        min_length=SEARCH_LENGTH[0],
        max_length=SEARCH_LENGTH[1],
        error_messages=dict.fromkeys(
            ("min_length", "max_length"),
            format_lazy(_("From {least} to {most} characters."), least=SEARCH_LENGTH[0], most=SEARCH_LENGTH[1]),
        ),
    )

    class Meta:
        model = AuditEvent
        fields: list[str] = []
        form = OnceForm

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        """Under the wire's names, one of which is a keyword of Python. Search comes last, for what the others left."""
        return {
            "action": _within("action", 50),
            "resourceType": _within("resource_type", 30),
            "actorType": one_of(AuditEvent.ActorType.choices, field_name="actor_type"),
            "actorId": ObjectIdFilter("actor_id"),
            # Half-open, so that periods which follow each other neither overlap nor leave a gap.
            "from": MomentFilter("timestamp", lookup_expr="gte"),
            "to": MomentFilter("timestamp", lookup_expr="lt"),
            **super().get_filters(),
        }

    def filter_search(self, events: Events, name: str, value: str) -> Events:
        """A literal, caseless substring of the action, the actor's name, or the resource's id or name.

        Stores fold case differently, SQLite only in ASCII. So actions and names, of which an account has few, are
        compared here and then looked for as they are; ids are lower-case already.
        """
        looked_for = caseless(value)
        found = Q(resource_id__has=looked_for)
        seen = set(events.order_by().values_list("action", "actor_name").distinct())
        actions = {action for action, _ in seen if looked_for in caseless(action)}
        names = {actor_name for _, actor_name in seen if looked_for in caseless(actor_name)}
        if actions:
            found |= Q(action__in=actions)
        if names:
            found |= Q(actor_name__in=names)
        if called := _resources_called(looked_for, events):
            found |= Q(resource_id__in=called)
        if any(looked_for in caseless(name) for name in (SYSTEM_NAME, str(AuditEvent.ActorType.SYSTEM.label))):
            found |= Q(actor_type=AuditEvent.ActorType.SYSTEM)
        return events.filter(found)
