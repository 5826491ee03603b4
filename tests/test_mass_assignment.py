"""Nobody sets what is not theirs to set: every writing route × every field of every model, with a hostile value.

Generated from the URLs and the models. After each request the whole store is what the same request without the hostile
field makes of it, or, where the request was refused, what it was. The caller is a test key with the scopes to write
alone: so a live environment and every further scope are more than it may give.
"""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction

from accounts.models import Account, ApiKey, Environment, User
from accounts.scopes import Role, Scope
from config.storage.fields import ObjectIdField
from config.storage.moments import now
from conversations.models import Conversation
from tests.config.test_conventions import OPEN, routes
from tests.conftest import Api
from tests.factories import AGENT, message

pytestmark = pytest.mark.skipif(
    settings.STORE.name != "sqlite", reason="which fields a body sets does not depend on the store, and this takes long"
)

MODELS = [model for name in ("accounts", "conversations") for model in apps.get_app_config(name).get_models()]
MOMENT = "2001-01-01T00:00:00.000Z"
UNKNOWN = "f" * 24

MESSAGE = {"role", "content", "timestamp", "agentConfigId"}
QUALIFICATION = {"qualified", "reason"}
SAID = message("Hi")
RECORD: dict[str, Any] = {
    "leadId": "7",
    "agentConfigId": AGENT,
    "channel": "whatsapp",
    "leadPhone": "+15551234567",
    "messages": [SAID],
    "qualificationResult": {"qualified": False, "reason": "r"},
}
RECORDED = {
    *("leadId", "agentConfigId", "channel", "leadPhone", "status", "currentStageIndex", "messages", "createdAt"),
    *("updatedAt", "campaignId", "leadEmail", "currentStageName", "summary", "qualificationResult"),
}
DETAILS = {
    *("currentStageIndex", "currentStageName", "summary", "qualificationResult", "leadEmail", "campaignId"),
    "agentConfigId",
}

KEY = {"name", "expiresAt", "contactsMasked"}


@dataclass(frozen=True)
class Body:
    """What a route is sent, and where in it a field may be smuggled in: path → the fields that the contract names.

    ``_id`` of a recording, ``scopes`` and ``environment`` of a new key are named too, and stay in the test: the hostile
    values are another account's conversation and more than the caller holds, which is refused.
    """

    given: Any
    named: dict[tuple[str | int, ...], set[str]] = field(default_factory=lambda: {(): set()})


BODIES: dict[str, list[Body]] = {
    # Contract, section 2, "Recording", and the schema of section 1
    "ConversationViewSet.record": [
        Body(RECORD, {(): RECORDED, ("messages", 0): MESSAGE, ("qualificationResult",): QUALIFICATION}),
        Body([RECORD], {(0,): RECORDED}),
    ],
    # Section 2, "one message, or an array", and section 1, "Message"
    "ConversationViewSet.append": [Body([SAID], {(0,): MESSAGE})],
    # Section 2, the row of PATCH /api/conversations/{id}
    "ConversationViewSet.update_details": [
        Body({"summary": "S"}, {(): DETAILS}),
        Body({"qualificationResult": {"qualified": True, "reason": "r"}}, {("qualificationResult",): QUALIFICATION}),
    ],
    # Section 2, the row of PATCH /api/conversations/{id}/status
    "ConversationViewSet.change_status": [Body({"status": "completed"}, {(): {"status"}})],
    # Section 4, the row of POST /api/api-keys
    "ApiKeyViewSet.create": [
        Body({"name": "New", "environment": "test", "scopes": [Scope.API_KEYS_MANAGE]}, {(): KEY})
    ],
    # Section 4: these have no request body
    "ApiKeyViewSet.rotate": [Body({})],
    "ApiKeyViewSet.revoke": [Body({})],
    "ApiKeyViewSet.destroy": [Body({})],
    # docs/privacy.md: a route beyond the contract
    "LeadViewSet.erase": [Body({"leadPhone": RECORD["leadPhone"]}, {(): {"leadPhone", "leadEmail"}})],
}

HELD = [
    Scope.CONVERSATIONS_EDIT,
    Scope.CONVERSATIONS_SEND_MESSAGE,
    Scope.CONVERSATIONS_CHANGE_STATUS,
    Scope.LEADS_START_CONVERSATION,
    Scope.LEADS_ERASE,
    Scope.API_KEYS_MANAGE,
]


def writing_routes() -> Iterator[tuple[str, str, str]]:
    """Path, method and name of everything under ``/api`` that is not only read."""
    for path, view in routes():
        if path.startswith("api/") and path not in OPEN:
            for method, action in view.actions.items():
                if method not in ("get", "head"):
                    yield path, method, f"{view.cls.__name__}.{action}"


ROUTES = list(writing_routes())


@dataclass
class World:
    """The caller, what it may write to, and what it may not."""

    caller: Api
    conversation: str
    keys: dict[str, str]
    foreign: dict[type[models.Model], str]

    def path(self, route: str, name: str) -> str:
        pk = self.keys.get(name, self.keys["ApiKeyViewSet.rotate"]) if "api-keys" in route else self.conversation
        return "/" + route.replace("<str:pk>", pk)


@pytest.fixture
def world(
    acme: Account,
    other_account: Account,
    charlie: User,
    record: Callable[..., Conversation],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    settings.RATE_LIMIT_ADDRESS = settings.RATE_LIMIT_KEY = settings.RATE_LIMIT_ACCOUNT = 0
    caller = Api(acme, "test", scopes=HELD)
    # Each minute a use of it would be written down, and some of these tests are longer
    ApiKey.objects.filter(pk=caller.key.pk).update(last_used_at=now() + timedelta(days=1))
    alive, dead = (Api(acme, "test", scopes=[Scope.API_KEYS_MANAGE]).key for _ in range(2))
    dead.revoke(by=None)
    foreign = {
        Account: other_account.pk,
        User: charlie.pk,
        ApiKey: Api(other_account).key.pk,
        Conversation: record(account=other_account).pk,
    }
    # From here on each new secret is the same, so that the same request makes the same key
    monkeypatch.setattr("accounts.models.key.secrets", SimpleNamespace(token_hex=lambda size: "ab" * size))
    return World(
        caller,
        record(environment="test", leadPhone=RECORD["leadPhone"], messages=[SAID]).pk,
        {"ApiKeyViewSet.rotate": alive.pk, "ApiKeyViewSet.destroy": dead.pk},
        foreign,
    )


def hostile_fields(world: World, kind: type[models.Model]) -> list[tuple[str, Any]]:
    """Every name that may reach a field, in each spelling, with a value that fits it; and what is no field at all."""
    everything, theirs = list(Scope.values), world.foreign[Account]
    found: list[tuple[str, Any]] = [
        ("_id", world.foreign[kind]),
        *(("id", pk) for pk in world.foreign.values()),
        ("pk", world.foreign[Conversation]),
        ("account", {"_id": theirs}),
        ("account_id__in", [theirs]),
        ("$set", {"account_id": theirs, "environment": "live"}),
        ("environment", "live"),
        ("roles", list(Role.values)),
        ("role", "owner"),
        ("scopes", everything),
        *(("status", value) for value in ("active", "revoked", "expired", "dropped")),
        ("by", world.foreign[User]),
        ("actor", {"type": "user", "id": world.foreign[User]}),
        ("keyHint", "ffff"),
        ("keyPrefix", "nl_live_"),
        ("fullKey", f"nl_live_{'f' * 64}"),
        ("token", f"nl_live_{'f' * 64}"),
        ("key", {"scopes": everything}),
        ("apiKey", {"scopes": everything, "environment": "live"}),
        ("_state", {"adding": False}),
        ("__class__", "User"),
    ]
    for model in MODELS:
        for column in model._meta.concrete_fields:
            for value in hostile_values(column, world):
                found += [(name, value) for name in spellings(column)]
    return [each for number, each in enumerate(found) if each not in found[:number]]


def spellings(column: "models.Field[Any, Any]") -> set[str]:
    names = {column.name, column.attname or column.name}
    return names | {first + "".join(map(str.capitalize, rest)) for first, *rest in (name.split("_") for name in names)}


def hostile_values(column: "models.Field[Any, Any]", world: World) -> list[Any]:
    kind = column.get_internal_type()
    if column.choices:
        return [value for value, _ in column.flatchoices]
    if isinstance(column, models.ForeignKey):
        return [world.foreign.get(column.related_model, UNKNOWN)]
    if column.primary_key:
        return [world.foreign.get(column.model, UNKNOWN)]
    if isinstance(column, ObjectIdField):
        return [UNKNOWN]
    if column.name in ("messages", "scopes", "roles"):
        return [{"messages": [message("Smuggled")], "scopes": list(Scope.values), "roles": ["owner"]}[column.name]]
    if kind in ("BooleanField", "NullBooleanField"):
        return [True]
    if "Integer" in kind:
        return [999_999]
    if kind == "DateTimeField":
        return [MOMENT]
    return [{"JSONField": {"smuggled": True}}.get(kind, "f" * min(column.max_length or 64, 64))]


def store() -> dict[str, dict[str, list[Any]]]:
    """Everything there is: table → id → values. Read past the ORM, whose work would be most of the test's."""
    found = {}
    with connection.cursor() as cursor:
        for model in MODELS:
            if getattr(model, "is_derived", False):  # the database's own work, under names of its own
                continue
            rows = cursor.execute(f'SELECT "{model._meta.pk.column}", * FROM "{model._meta.db_table}"').fetchall()  # noqa: S608
            found[model.__name__] = {str(pk): values for pk, *values in rows}
    return found


def told(before: dict[str, Any], began: datetime) -> str:
    """The store as text in which what is new has no name of its own, and what is now no time."""
    after = store()
    for rows in after.values():
        for values in rows.values():
            values[:] = ["now" if isinstance(value, datetime) and value >= began else value for value in values]
    text = json.dumps(after, default=str, sort_keys=True)
    for kind, found in after.items():
        for number, pk in enumerate(sorted(found.keys() - before[kind].keys() - {UNKNOWN})):
            text = text.replace(pk, f"new {kind} {number}")
    return text


def with_field(body: Body, place: tuple[str | int, ...], name: str, value: Any) -> Any:
    given = deepcopy(body.given)
    inner = given
    for step in place:
        inner = inner[step]
    inner[name] = value
    return given


def test_every_writing_route_says_what_its_body_names() -> None:
    assert {name for _, _, name in ROUTES} == set(BODIES)


CELLS = [
    pytest.param(*route, body, place, id=f"{route[2]}-{number}-{'.'.join(map(str, place)) or 'body'}")
    for route in ROUTES
    for number, body in enumerate(BODIES.get(route[2], ()))
    for place in body.named
]


def fields_not_named(world: World, name: str, body: Body, place: tuple[str | int, ...]) -> list[tuple[str, Any]]:
    hostile = hostile_fields(world, ApiKey if name.startswith("ApiKey") else Conversation)
    return [each for each in hostile if each[0] not in body.named[place]]


def test_fields_are_as_many_as_they_should_be(world: World) -> None:
    """Prints what docs/trust.md says of them (pytest -s)."""
    tried = sum(len(fields_not_named(world, *cell.values[2:])) for cell in CELLS)  # type: ignore[arg-type, misc]
    print(f"{len(ROUTES)} routes, {len(CELLS)} places, {tried:,} fields")
    assert tried >= 1_000


@pytest.mark.parametrize(("route", "method", "name", "body", "place"), CELLS)
def test_no_body_sets_what_it_does_not_name(
    world: World, route: str, method: str, name: str, body: Body, place: tuple[str | int, ...]
) -> None:
    before, path = store(), world.path(route, name)
    began = now().replace(tzinfo=None)  # as SQLite has moments

    def after(given: Any, query: str = "") -> tuple[int, str]:
        """Status and store after a request that is then taken back."""
        with transaction.atomic():
            answer = world.caller.send(method.upper(), path + query, given)
            state = told(before, began)
            transaction.set_rollback(True)
        return answer.status_code, state

    untouched = told(before, began)
    status, expected = after(body.given)
    assert status in (200, 201, 204)
    assert expected != untouched
    fields = fields_not_named(world, name, body, place)
    assert len(fields) > 100
    accepted = []
    for each in fields:
        status, state = after(with_field(body, place, *each))
        # Of an array each one is refused alone, in an answer that is a 200
        if status >= 500 or (state != untouched and (state != expected or status >= 400)):
            accepted.append((each, status))
    assert accepted == []
    query = "&".join(f"{key}={value}" for key, value in fields if isinstance(value, str) and key.isidentifier())
    assert after(body.given, f"?{query}")[1] == expected


def test_what_the_caller_does_not_hold_is_refused_by_name(world: World) -> None:
    body = BODIES["ApiKeyViewSet.create"][0].given
    for more in ({"scopes": list(Scope.values)}, {"environment": Environment.LIVE}):
        assert world.caller.post("/api/api-keys", {**body, **more}).status_code == 403
