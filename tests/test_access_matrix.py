"""Who gets what: every route × method × principal × object, generated from the URLs.

A new route is in the matrix by itself; what is expected follows from its ``scopes`` table alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.test import Client

from accounts.models import Account, ApiKey, User
from accounts.scopes import ROLE_SCOPES, Role, Scope
from config.storage.fields import new_object_id
from config.storage.moments import now
from conversations.models import Conversation
from tests.config.test_conventions import OPEN, routes
from tests.conftest import Api
from tests.factories import CAMPAIGN, WireConversation, message

Record = Callable[..., Conversation]
pytestmark = pytest.mark.skipif(
    settings.STORE.name != "sqlite", reason="who may do what does not depend on the store, and this takes minutes"
)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
OBJECTS = ("own", "foreign", "other environment", "unknown", "malformed")
API = [(path, view) for path, view in routes() if path.startswith("api/") and path not in OPEN]
PAGES = [(path, view) for path, view in routes() if not path.startswith(("api/", "admin/")) and path not in OPEN]

MOMENT = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class Page:
    """A page's row of the matrix: how it is asked for, and what whoever may gets for an object of their own."""

    query: str = ""
    data: dict[str, Any] | None = None
    kind: str = "conversation"
    reads: bool = True
    status: int = 200

    @property
    def writes(self) -> bool:
        return self.data is not None


NAME: dict[str, Any] = {"name": "Nova", "stages": "Greeting"}
ROWS = {
    "": Page(status=302),
    "conversations/": Page(),
    "conversations/export/": Page("?format=csv"),
    "conversations/new/": Page(f"?since={MOMENT}"),
    "conversations/seen/": Page(data={}, reads=False),
    "conversations/bulk/": Page("?to=dropped&all=true", data={"to": "dropped", "all": "true", "expected": "0"}),
    "conversations/bulk/<str:pk>/undo/": Page(data={}, kind="bulk_change", reads=False),
    "conversations/views/": Page(data={"name": "Mine"}, reads=False),
    "conversations/views/<str:pk>/remove/": Page(data={}, kind="saved_view", reads=False),
    "conversations/columns/": Page(data={"column": ["status"]}, reads=False),
    "conversations/demo/": Page(data={}, reads=False),
    "conversations/<str:pk>/": Page(),
    "conversations/<str:pk>/brief/": Page(),
    "conversations/<str:pk>/share/": Page(data={"days": "7"}, reads=False),
    "conversations/<str:pk>/text/": Page(),
    "conversations/<str:pk>/status/": Page(data={"status": "dropped", "shown": "active"}, reads=False),
    "conversations/<str:pk>/erase/": Page(data={"expected": "1"}),
    "conversations/<str:pk>/reveal/": Page(data={}, reads=False),
    "conversations/<str:pk>/notes/": Page(data={"text": "Call back"}, reads=False),
    "conversations/<str:pk>/notes/<str:note>/remove/": Page(data={}, kind="note", reads=False),
    "analytics/": Page("?range=7d"),
    "analytics/last-words/": Page("?range=7d"),
    "environment/": Page(data={"environment": "live"}, reads=False),
    "account/": Page(data={"account": "0" * 24}, reads=False),
    "settings/account/": Page(data={"name": "Acme"}),
    "settings/privacy/": Page(data={"part": "masking", "roles": []}),
    "settings/people/": Page(),
    "settings/people/invite/": Page(data={"email": "new@example.com", "roles": ["analyst"]}),
    "settings/people/leave/": Page(data={}),
    "settings/people/<str:pk>/roles/": Page(data={"roles": ["operator", "analyst"]}, kind="membership"),
    "settings/people/<str:pk>/remove/": Page(data={}, kind="membership"),
    "settings/people/invitations/<str:pk>/send/": Page(data={}, kind="invitation", reads=False),
    "settings/people/invitations/<str:pk>/withdraw/": Page(data={}, kind="invitation", reads=False),
    "settings/api-keys/": Page(),
    "settings/api-keys/new/": Page(
        data={
            "once": "0" * 32,
            "name": "Zapier",
            "environment": "test",
            "scopes": ["conversations:view"],
            "expiry": "never",
        }
    ),
    "settings/api-keys/<str:pk>/rename/": Page(data={"name": "CRM sync"}, kind="api_key"),
    "settings/api-keys/<str:pk>/rotate/": Page(data={"once": "0" * 32}, kind="api_key"),
    "settings/api-keys/<str:pk>/revoke/": Page(data={}, kind="api_key"),
    "settings/api-keys/<str:pk>/delete/": Page(data={}, kind="api_key"),
    "settings/audit/": Page(),
    "settings/audit/export/": Page("?format=csv"),
    "settings/names/": Page(),
    "settings/names/agents/<str:pk>/": Page(data=NAME, kind="agents"),
    "settings/names/campaigns/<str:pk>/": Page(data=NAME, kind="campaigns"),
    "settings/preferences/": Page(data={"clock": "24", "density": "compact"}),
    "settings/theme/": Page(data={"theme": "dark"}, reads=False),
    "settings/shortcuts/": Page(data={}, reads=False),
    "settings/security/": Page(),
    "settings/security/password/": Page(data={}),
    "settings/security/confirm/": Page(data={}),
    "settings/security/confirm/code/": Page(data={}, status=302),
    "settings/security/authenticator/": Page(data={}, status=302),
    "settings/security/authenticator/remove/": Page(data={}, status=404),
    "settings/security/recovery-codes/": Page(status=404),
    "settings/security/recovery-codes/new/": Page(data={}, status=302),
    "settings/security/sessions/end/": Page(data={}, reads=False),
    "settings/security/sessions/<str:pk>/end/": Page(data={}, kind="session", reads=False),
}
"""Every page that is not open. A route without a row fails."""

BODIES: dict[str, Any] = {
    "record": WireConversation(),
    "append": message("Hi"),
    "update_details": {"summary": "S"},
    "change_status": {"status": "dropped"},
    "erase": {"leadPhone": "+1 (999) 000-0000"},
    "create": {"name": "New", "environment": "test", "scopes": ["conversations:view"]},
}


@dataclass
class Principal:
    """Somebody who asks: what they send, and what they may (None: nobody)."""

    name: str
    headers: dict[str, str] = field(default_factory=dict)
    person: User | None = None
    scopes: frozenset[str] | None = None
    owns: str = ""


@dataclass
class World:
    principals: list[Principal]
    make: Callable[[str, str, User | None], str]
    made: dict[tuple[str, str, User | None], str] = field(default_factory=dict)

    def ids(self, principal: Principal, which: str, kind: str) -> str:
        """The id of an object for a principal: whose, and of which kind. Of a note, its conversation's and its own."""
        owns = principal.owns or "live"
        if which == "own":
            return self.of(owns, kind, principal.person)
        if which == "foreign":
            return self.of("live" if owns == "theirs" else "theirs", kind, None)
        if which == "other environment":
            return self.of({"live": "test", "test": "live", "theirs": "live"}[owns], kind, principal.person)
        nobody = "0" * 24 if which == "unknown" else "nonsense"
        return f"{nobody}/{nobody}" if kind == "note" else nobody

    def of(self, home: str, kind: str, person: User | None) -> str:
        """What reading and being refused leave as it was, the next request asks for too."""
        if (home, kind, person) not in self.made:
            self.made[home, kind, person] = self.make(home, kind, person)
        return self.made[home, kind, person]

    def answered(self, method: str, status: int) -> None:
        """No request finds what another one has changed."""
        if method not in ("GET", "HEAD", "OPTIONS", "TRACE") and status < 400:
            self.made.clear()


@pytest.fixture
def unlimited(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.models.invitation.AT_MOST", 1_000)
    settings.RATE_LIMIT_ADDRESS = settings.RATE_LIMIT_KEY = settings.RATE_LIMIT_ACCOUNT = 0


@pytest.fixture
def world(
    acme: Account, alice: User, bob: User, other_account: Account, charlie: User, record: Record, unlimited: None
) -> World:
    analyst = User.objects.create_user("dana@example.com", "correct horse battery")
    acme.memberships.create(user=analyst, roles=[Role.ANALYST])
    live, test, theirs = Api(acme), Api(acme, "test"), Api(other_account)
    without = Api(acme, scopes=[Scope.TEAM_VIEW])
    revoked, expired = Api(acme), Api(acme)
    revoked.key.revoke(by=None)
    ApiKey.objects.filter(pk=expired.key.pk).update(expires_at=now() - timedelta(days=1))

    def key(name: str, api: Api, scopes: Any, owns: str) -> Principal:
        return Principal(name, {"X-API-Key": api.token}, None, scopes, owns)

    everything = frozenset(Scope)
    principals = [
        Principal("no key"),
        Principal("malformed key", {"X-API-Key": "nl_live_x"}),
        Principal("unknown key", {"X-API-Key": f"nl_live_{'0' * 64}"}),
        Principal("revoked key", {"X-API-Key": revoked.token}),
        Principal("expired key", {"X-API-Key": expired.token}),
        key("live key", live, everything, "live"),
        key("test key", test, everything, "test"),
        key("key without the scope", without, frozenset({Scope.TEAM_VIEW}), "live"),
        key("key of another account", theirs, everything, "theirs"),
        Principal("analyst", person=analyst, scopes=ROLE_SCOPES[Role.ANALYST], owns="live"),
        Principal("operator", person=bob, scopes=ROLE_SCOPES[Role.OPERATOR], owns="live"),
        Principal("owner", person=alice, scopes=everything, owns="live"),
        Principal("owner of another account", person=charlie, scopes=everything, owns="theirs"),
    ]
    homes: dict[str, tuple[Account, str]] = {
        "live": (acme, "live"), "test": (acme, "test"), "theirs": (other_account, "live"),
    }  # fmt: skip

    def make(home: str, kind: str, person: User | None) -> str:
        """A new object of that kind."""
        by = person or alice
        account, environment = homes[home]
        if kind == "session":
            whose = person or (charlie if home == "theirs" else alice)
            client = Client()
            client.force_login(whose)
            return str(UserSession.objects.get(session_key=client.session.session_key).pk)
        if kind == "api_key":
            return Api(account, environment, scopes=[Scope.TEAM_VIEW]).key.pk
        if kind == "membership":
            colleague = User.objects.create_user(f"{new_object_id()}@example.com")
            return account.memberships.create(user=colleague, roles=[Role.ANALYST]).pk
        if kind == "invitation":
            email = f"{new_object_id()}@example.com"
            return account.invitations.invite(account=account, email=email, roles=[Role.ANALYST], by=None)[0].pk
        conversation = record(account=account, environment=environment, campaignId=CAMPAIGN)
        if kind in ("agents", "campaigns"):
            return getattr(account, kind).within(environment).get().pk
        if kind == "note":
            return f"{conversation.pk}/{conversation.notes.write(conversation, 'Note', by=by).pk}"
        if kind == "saved_view":
            views = account.saved_views
            return views.save_view(account=account, by=by, name=conversation.pk, query="", is_shared=True).pk
        if kind == "bulk_change":
            chosen = account.conversations.picked([conversation.pk])
            changes = account.bulk_changes
            return changes.change_status(chosen, "dropped", account=account, environment=environment, by=by).pk
        return conversation.pk

    for home in ("live", "theirs"):
        make(home, "conversation", None)  # lists have something to show
    return World(principals, make)


def requests(world: World, path: str, kind: str, action_of: Any) -> Iterator[tuple[Principal, str, str, Any, Any]]:
    """Each cell of a route: who, method, which object, action, answer."""
    objects = OBJECTS if "<" in path else ("",)
    for principal in world.principals:
        client = Client(raise_request_exception=False)
        if principal.person:
            client.force_login(principal.person)
        for method in METHODS:
            action = action_of(method)
            for which in objects if action else objects[:1]:
                pk = world.ids(principal, which, kind) if which else ""
                address = "/" + path.replace("<str:pk>", pk)
                body = BODIES.get(action, {}) if method in ("POST", "PUT", "PATCH") else None
                response = client.generic(
                    method, address, b"" if body is None else _json(body), "application/json", headers=principal.headers
                )
                world.answered(method, response.status_code)
                yield principal, method, which, action, response


def _json(body: Any) -> bytes:
    import json

    return json.dumps(body).encode()


def expected_of_api(principal: Principal, which: str, action: str | None, scopes: Any, kind: str) -> set[int]:
    if principal.person or principal.scopes is None:
        return {401}
    if action is None:
        return {405}
    if scopes[action] not in principal.scopes:
        return {403}
    if which in ("foreign", "unknown", "malformed"):
        return {404}
    if which == "other environment":
        # A live key manages the keys of both environments; conversations never mix.
        return {200, 204, 409} if kind == "api_key" and principal.owns == "live" else {404}
    return {200, 201, 204, 409}


@pytest.mark.parametrize(("path", "view"), [pytest.param(*route, id=route[0]) for route in API])
def test_api_answers_as_its_scopes_say(world: World, path: str, view: Any) -> None:
    kind = "api_key" if "api-keys" in path else "conversation"
    cells = surprises = 0
    for principal, method, which, action, response in requests(
        world, path, kind, lambda method: view.actions.get("get" if method == "HEAD" else method.lower())
    ):
        cells += 1
        expected = expected_of_api(principal, which, action, view.cls.scopes, kind)
        if response.status_code not in expected:
            surprises += 1
            print(principal.name, method, path, which, response.status_code, "instead of", expected)
    assert cells >= len(world.principals) * len(METHODS)
    assert not surprises


@pytest.mark.parametrize(("path", "view"), [pytest.param(*route, id=route[0]) for route in PAGES])
def test_pages_answer_as_their_scope_says(world: World, path: str, view: Any) -> None:
    row = ROWS[path]
    surprises = 0
    for principal in world.principals:
        client = Client(raise_request_exception=False)
        if principal.person:
            client.force_login(principal.person)
        for method in METHODS:
            if principal.person and "sessions" in path:  # the one before may have ended this one
                client.force_login(principal.person)
            answers = (row.reads and method in ("GET", "HEAD")) or (row.writes and method == "POST")
            for which in OBJECTS if "<" in path and answers else OBJECTS[:1]:
                ids = world.ids(principal, which, row.kind) if "<" in path else ""
                response = asked(client, method, address_of(path, ids), row)
                if principal.person:  # all others are sent to the sign-in page
                    world.answered(method, response.status_code)
                scope = getattr(view, "scope", None)
                expected = expected_of_page(principal, scope, which, method, answers=answers, status=row.status)
                if (
                    row.kind in ("saved_view", "api_key", "membership", "invitation")
                    and which == "other environment"
                    and (principal.owns, expected) == ("live", {404})
                ):
                    # A view and a team hold for both, and people manage the keys of both.
                    expected = {200, 302} if row.reads else {302}
                if row.kind == "session" and which == "other environment" and expected == {404}:
                    expected = {302}  # sessions have none
                if row.status == 404 and expected == {200, 302}:
                    expected = {404, 302}  # there is nothing of that kind yet
                if response.status_code not in expected:
                    surprises += 1
                    print(principal.name, method, path, which, response.status_code, "instead of", expected)
    assert not surprises


def address_of(path: str, ids: str) -> str:
    pk, _, note = ids.partition("/")
    return "/" + path.replace("<str:pk>", pk).replace("<str:note>", note)


def asked(client: Client, method: str, address: str, row: Page) -> Any:
    if method == "POST":
        return client.post(address, row.data or {})
    return client.generic(method, f"{address}{row.query}")


def expected_of_page(
    principal: Principal, scope: str | None, which: str, method: str, *, answers: bool, status: int
) -> set[int]:
    if not principal.person:
        return {302}  # TRACE and the like end at the sign-in page too: nothing behind it is told
    if not answers:
        return {405}
    if scope is not None and scope not in (principal.scopes or ()):
        return {403}
    if which != "own":
        return {404}
    return {status} if method in ("GET", "HEAD") else {200, 302}


def test_matrix_is_as_large_as_it_should_be() -> None:
    """Prints what docs/trust.md says of it (pytest -s)."""
    answered = [
        *(("<" in path, view.actions.get("get" if method == "HEAD" else method.lower())) for path, view in API
          for method in METHODS),
        *(("<" in path, (ROWS[path].reads and method in ("GET", "HEAD")) or (ROWS[path].writes and method == "POST"))
          for path, _ in PAGES for method in METHODS),
    ]  # fmt: skip
    cells = 13 * sum(len(OBJECTS) if has_object and is_answered else 1 for has_object, is_answered in answered)
    print(f"{len(API) + len(PAGES)} routes, {cells:,} cells")
    assert cells >= 1_000


@pytest.mark.parametrize("kind", ["conversations", "api-keys"])
def test_foreign_and_unknown_ids_are_told_apart_by_nothing(
    world: World, acme: Account, other_account: Account, record: Record, kind: str
) -> None:
    api = Api(acme)
    foreign = record(account=other_account).pk if kind == "conversations" else Api(other_account).key.pk
    path, method = (f"/api/{kind}/{{}}", "GET") if kind == "conversations" else (f"/api/{kind}/{{}}/revoke", "PATCH")
    answers = [api.send(method, path.format(pk), {}) for pk in (foreign, "0" * 24)]
    assert answers[0].content == answers[1].content
    without_id = [{k: v for k, v in answer.headers.items() if k != "X-Request-Id"} for answer in answers]
    assert without_id[0] == without_id[1]
