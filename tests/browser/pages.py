"""Every page there is, who may see it, and an account in which each has something to show."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import Account, User
from accounts.scopes import ROLE_SCOPES, Role, Scope
from conversations.models import Conversation, LastLook, Note
from tests.factories import AGENT, CAMPAIGN, WireConversation, message

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 52  # conversations beside those that are told of: more than a page of the list has


@dataclass(frozen=True)
class Page:
    """``path`` may name what ``World.ids`` holds. Without a scope anybody may see it, signed in or not."""

    name: str
    route: str
    path: str
    scope: Scope | None = Scope.CONVERSATIONS_VIEW
    status: int = 200
    environment: str = "live"


LINES = ("Hi Ana, shall I keep it?", "مرحبا، هل ما زال العرض يهمك؟", "w" * 160, "👍")
"""After which what is dropped was dropped."""

LIST, TRANSCRIPT, KEYS = "conversations/", "conversations/<str:pk>/", "settings/api-keys/"
PEOPLE = "settings/people/"
SECURITY = "settings/security/"
RESET_LINK = "^login/reset/(?P<uidb36>[0-9A-Za-z]{1,30})-(?P<key>[0-9A-Za-z-]{1,100})/$"
PAGES = (
    Page("list", LIST, "/conversations/"),
    Page("list-search", LIST, "/conversations/?search=price&channel=whatsapp&status=active&sort=-messageCount"),
    Page("list-changed", LIST, "/conversations/?changed={change}"),
    Page("list-no-results", LIST, "/conversations/?search=nothing&channel=email&status=active"),
    Page("list-fault", LIST, f"/conversations/?search={'x' * 101}"),
    Page("list-empty", LIST, "/conversations/", environment="test"),
    Page("transcript", TRANSCRIPT, "/conversations/{ana}/"),
    Page("transcript-found", TRANSCRIPT, "/conversations/{ana}/?search=price&status=handed_off"),
    Page("transcript-refused", TRANSCRIPT, "/conversations/{ana}/?wanted=completed&reason=x"),
    Page("transcript-print", TRANSCRIPT, "/conversations/{ana}/?all=1&notes=1"),
    Page("transcript-long", TRANSCRIPT, "/conversations/{long}/?at=350"),
    Page("transcript-nothing", TRANSCRIPT, "/conversations/{silent}/"),
    Page("brief", f"{TRANSCRIPT}brief/", "/conversations/{ana}/brief/"),
    Page("brief-nothing", f"{TRANSCRIPT}brief/", "/conversations/{silent}/brief/"),
    Page("erase", "conversations/<str:pk>/erase/", "/conversations/{ana}/erase/", Scope.LEADS_ERASE),
    Page("transcript-elsewhere", TRANSCRIPT, "/conversations/{ana}/", status=404, environment="test"),
    Page("not-found", TRANSCRIPT, f"/conversations/{'a' * 24}/", status=404),
    Page(
        "bulk", "conversations/bulk/", "/conversations/bulk/?to=dropped&id={ana}&id={long}",
        Scope.CONVERSATIONS_CHANGE_STATUS,
    ),
    Page("analytics", "analytics/", "/analytics/?range=90d&channel=whatsapp", Scope.DASHBOARD_VIEW),
    Page("analytics-empty", "analytics/", "/analytics/?channel=email", Scope.DASHBOARD_VIEW, environment="test"),
    Page("last-words", "analytics/last-words/", "/analytics/last-words/?range=90d"),
    Page("last-words-empty", "analytics/last-words/", "/analytics/last-words/?channel=email", environment="test"),
    Page("names", "settings/names/", "/settings/names/"),
    Page("names-empty", "settings/names/", "/settings/names/", environment="test"),
    Page(
        "name-agent", "settings/names/agents/<str:pk>/", "/settings/names/agents/{agent}/", Scope.CONVERSATIONS_EDIT
    ),
    Page(
        "name-campaign", "settings/names/campaigns/<str:pk>/", "/settings/names/campaigns/{campaign}/",
        Scope.CONVERSATIONS_EDIT,
    ),
    Page("keys", KEYS, f"/{KEYS}", Scope.API_KEYS_VIEW),
    Page("key-new", f"{KEYS}new/", f"/{KEYS}new/", Scope.API_KEYS_MANAGE),
    Page("key-rename", f"{KEYS}<str:pk>/rename/", f"/{KEYS}{{key}}/rename/", Scope.API_KEYS_MANAGE),
    Page("key-rotate", f"{KEYS}<str:pk>/rotate/", f"/{KEYS}{{key}}/rotate/", Scope.API_KEYS_MANAGE),
    Page("key-revoke", f"{KEYS}<str:pk>/revoke/", f"/{KEYS}{{key}}/revoke/", Scope.API_KEYS_MANAGE),
    Page("key-delete", f"{KEYS}<str:pk>/delete/", f"/{KEYS}{{dead_key}}/delete/", Scope.API_KEYS_MANAGE),
    Page("audit", "settings/audit/", "/settings/audit/", Scope.AUDIT_VIEW),
    Page("audit-no-results", "settings/audit/", "/settings/audit/?search=nothing&from=2026-01-01", Scope.AUDIT_VIEW),
    Page("audit-fault", "settings/audit/", "/settings/audit/?search=x", Scope.AUDIT_VIEW),
    Page("people", PEOPLE, f"/{PEOPLE}", Scope.TEAM_VIEW),
    Page("invite", f"{PEOPLE}invite/", f"/{PEOPLE}invite/", Scope.TEAM_MANAGE),
    Page("leave", f"{PEOPLE}leave/", f"/{PEOPLE}leave/", Scope.TEAM_VIEW),
    Page("roles", f"{PEOPLE}<str:pk>/roles/", f"/{PEOPLE}{{member}}/roles/", Scope.TEAM_MANAGE),
    Page("remove-member", f"{PEOPLE}<str:pk>/remove/", f"/{PEOPLE}{{member}}/remove/", Scope.TEAM_MANAGE),
    Page("account", "settings/account/", "/settings/account/", Scope.TEAM_MANAGE),
    Page("privacy", "settings/privacy/", "/settings/privacy/", Scope.TEAM_MANAGE),
    Page("preferences", "settings/preferences/", "/settings/preferences/", Scope.DASHBOARD_VIEW),
    Page("security", SECURITY, f"/{SECURITY}", None),
    Page("password", f"{SECURITY}password/", f"/{SECURITY}password/", None),
    Page("confirm", f"{SECURITY}confirm/", f"/{SECURITY}confirm/?next=/{SECURITY}authenticator/", None),
)  # fmt: skip
"""What signed-in people see. A role without the scope is refused, by a page of ours too."""

OPEN_PAGES = (
    Page("login", "login/", "/login/?next=/conversations/", None),
    Page("reset", "login/reset/", "/login/reset/", None),
    Page("reset-sent", "login/reset/sent/", "/login/reset/sent/", None),
    Page("reset-dead-link", RESET_LINK, "/login/reset/x-y/", None),
    Page("reset-done", "login/reset/done/", "/login/reset/done/", None),
    Page("design", "design/", "/design/", None),
    Page("docs", "api/docs", "/api/docs", None),
    Page("invitation-gone", "invitations/", "/invitations/", None, status=404),
    Page("shared-brief-gone", "shared/<str:pk>/", "/shared/x/", None, status=404),
)
"""What everybody sees."""

NO_PAGES = {
    "": "leads to the list",
    "logout/": "a POST",
    "healthz": "a word for balancers",
    "readyz": "a word for balancers",
    "metrics": "numbers for Prometheus",
    "login/code/": "waits for a password; test_sign_in.py opens it",
    "setup/": "only where nobody is; test_sign_in.py opens it",
    f"{SECURITY}confirm/code/": "only with a second factor, as are the next; test_sign_in.py opens them",
    f"{SECURITY}authenticator/": "asks to confirm first",
    f"{SECURITY}authenticator/remove/": "asks to confirm first",
    f"{SECURITY}recovery-codes/": "asks to confirm first",
    f"{SECURITY}recovery-codes/new/": "asks to confirm first",
    f"{SECURITY}sessions/end/": "a POST",
    f"{SECURITY}sessions/<str:pk>/end/": "a POST",
    "environment/": "a POST",
    "settings/language/": "a POST",
    "account/": "a POST",
    "invitations/<path:token>/": "leads to the invitation",
    "shared/link/<path:token>/": "leads to the shared brief",
    "conversations/<str:pk>/share/": "a POST",
    "settings/people/invitations/<str:pk>/send/": "a POST",
    "settings/people/invitations/<str:pk>/withdraw/": "a POST",
    "settings/theme/": "a POST",
    "settings/shortcuts/": "a POST",
    "conversations/export/": "a file",
    "conversations/new/": "JSON for a script",
    "conversations/seen/": "a POST",
    "conversations/demo/": "a POST",
    "conversations/bulk/<str:pk>/undo/": "a POST",
    "conversations/views/": "a POST",
    "conversations/views/<str:pk>/remove/": "a POST",
    "conversations/columns/": "a POST",
    "conversations/<str:pk>/text/": "plain text",
    "settings/audit/export/": "a file",
    "conversations/<str:pk>/status/": "a POST",
    "conversations/<str:pk>/reveal/": "a POST",
    "conversations/<str:pk>/notes/": "a POST",
    "conversations/<str:pk>/notes/<str:note>/remove/": "a POST",
}
"""Routes that answer with no page, and with what instead."""


@dataclass(frozen=True)
class World:
    """Acme: a person of each role, and the ids of what there is to see."""

    account: Account
    people: dict[str, User]
    ids: dict[str, str]

    def path(self, page: Page) -> str:
        return page.path.format(**self.ids)


def may_see(role: str, page: Page) -> bool:
    return page.scope is None or page.scope in ROLE_SCOPES[role]


def make_world(alice: User, bob: User, acme: Account, record: Callable[..., Conversation]) -> World:
    people = {Role.OWNER.value: alice, Role.OPERATOR.value: bob}
    for role in (Role.ANALYST, Role.INTEGRATOR, Role.AI_ARCHITECT):
        people[role.value] = User.objects.create_user(f"{role}@example.com", "correct horse battery", name=role.label)
        acme.memberships.create(user=people[role.value], roles=[role])
    ids = {"ana": _ana(alice, bob, record).pk, "long": _long_one(record).pk}
    ids["silent"] = record(leadEmail="silent@example.com", messages=[], updatedAt="2026-01-02T00:00:00Z").pk
    _rest(acme)
    closed = [record(leadEmail=f"late{number}@example.com").pk for number in range(3)]
    for person in people.values():
        change = acme.bulk_changes.change_status(
            acme.conversations.picked(closed), "dropped", account=acme, environment="live", by=person
        )
        if person == alice:
            ids["change"] = change.pk
        acme.saved_views.save_view(account=acme, by=person, name="Hot this week", query="status=active", is_shared=True)
    LastLook.objects.create(account=acme, user=alice, environment="live", seen_at=START)
    agent, campaign = acme.agents.live().get(agent_config_id=AGENT), acme.campaigns.live().get()
    agent.rename(by=alice, name="Nova", stages=["Greeting", "Needs", "Pricing " * 6, "", "w" * 60])
    ids |= {"agent": agent.pk, "campaign": campaign.pk} | _keys(alice, acme) | _team(alice, bob, acme)
    return World(acme, people, ids)


def _ana(alice: User, bob: User, record: Callable[..., Conversation]) -> Conversation:
    """A conversation in which all happened that can happen."""
    texts = ["Hi Ana", "What is the price?", "مرحبا، كم السعر؟", "See https://example.com/plans", "w" * 300]
    said = [
        message(text, role=("agent", "lead", "lead", "agent", "human")[number], timestamp=_at(number * 50))
        for number, text in enumerate(texts)
    ]
    conversation = record(
        leadEmail="ana@example.com",
        leadPhone="+55 11 98888-0123",
        leadId="lead-of-ana",
        campaignId=CAMPAIGN,
        currentStageName="Needs",
        summary="Wants 40 seats.",
        qualificationResult={"qualified": True, "reason": "Budget approved."},
        messages=said,
    )
    record(leadId="lead-of-ana", leadEmail="ana@example.com", status="dropped")
    conversation.update_details({"current_stage_name": "Pricing", "current_stage_index": 2}, by=None)
    conversation.change_status("handed_off", by=bob, reason="wants a discount")
    for author in (alice, bob):
        Note.objects.write(conversation, f"Call her, {author.name}. {'w' * 100}", by=author)
    return conversation


def _long_one(record: Callable[..., Conversation]) -> Conversation:
    said = [
        message(f"Message {one} {'lorem ipsum ' * (one % 9)}", role="lead" if one % 3 else "agent", timestamp=_at(one))
        for one in range(700)
    ]
    return record(leadEmail="long@example.com", messages=said)


def _rest(acme: Account) -> None:
    from conversations.serializers import ConversationRecordSerializer, record_from

    statuses, channels = ("active", "completed", "handed_off", "dropped"), ("whatsapp", "telegram", "email")
    serializer = ConversationRecordSerializer()
    rows: list[Any] = [
        record_from(
            serializer,
            WireConversation(
                status=statuses[number % 4],
                channel=channels[number % 3],
                leadEmail=f"lead{number}@example.com" if number % 3 == 2 else None,
                qualificationResult={"qualified": number % 2 == 0} if number % 5 else None,
                **(
                    {"messages": [message("Hi"), message(LINES[number // 4 % 4], role="agent")]}
                    if number % 4 == 3
                    else {}
                ),
            ),
        )
        for number in range(ROWS)
    ]
    for recorded in acme.conversations.record(acme, rows, environment="live", by=None):
        assert recorded.faults is None, recorded.faults


def _keys(alice: User, acme: Account) -> dict[str, str]:
    """A key in use, one that is forgotten and one that is dead."""
    key, dead, _ = (
        acme.api_keys.issue(account=acme, name=name, environment=environment, scopes=scopes, by=alice)[0]
        for name, environment, scopes in (
            ("Zapier", "live", [Scope.CONVERSATIONS_VIEW]),
            ("w" * 100, "live", list(Scope)),
            ("CRM sync of the whole sales team", "test", [Scope.CONVERSATIONS_VIEW, Scope.AUDIT_VIEW]),
        )
    )
    dead.revoke(by=alice)
    key.touch()
    acme.api_keys.update(created_at=START)
    return {"key": key.pk, "dead_key": dead.pk}


def _team(alice: User, bob: User, acme: Account) -> dict[str, str]:
    """A member of several roles and with a long name, invitations of every state, and a second account of Alice's."""
    long = User.objects.create_user(f"{'w' * 60}@example.com", None, name="w" * 100)
    member = acme.memberships.create(user=long, roles=[])
    member.change_roles(list(Role), by=alice)
    acme.memberships.filter(user=bob).update(last_seen_at=START)
    for name in ("not-sent", "sent", f"expired-{'w' * 50}"):
        invited, _ = acme.invitations.invite(account=acme, email=f"{name}@example.com", roles=[Role.ANALYST], by=alice)
        if name == "sent":
            invited.mark_sent()
        elif name != "not-sent":
            acme.invitations.filter(pk=invited.pk).update(expires_at=START)
    Account.objects.open(name="Second account", owner=alice, by=alice)
    return {"member": member.pk}


def _at(minutes: int) -> str:
    return (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
