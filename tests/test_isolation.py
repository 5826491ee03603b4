"""What one account's pages, files and answers show when the store is full of another one's, and of the other
environment's: every address without an id, read by an owner and by a key, holds nothing of either.
"""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, IdempotentRequest, User
from accounts.scopes import Role
from config.storage.moments import format_moment, now
from conversations.models import Conversation, Note
from conversations.models.retention import RetentionRule
from tests.config.test_conventions import OPEN, routes
from tests.conftest import Api, client_of, text_of
from tests.factories import WireConversation, message, record_conversation

FORMATS = ("csv", "ndjson", "messages_csv", "xlsx")
PAGES = sorted(path for path, _ in routes() if "<" not in path and not path.startswith(("api/", "admin/")))
QUERIES = {
    "conversations/": ("", "?search=mark", "?sort=createdAt", "?status=dropped", "?unread=true", "?stageReached=0"),
    "conversations/export/": tuple(f"?format={kind}" for kind in FORMATS),
    "conversations/new/": ("?since=2026-01-01T00:00:00Z",),
    "analytics/": ("", "?range=7d", "?csv=agents", "?csv=stops", "?csv=funnel"),
    "analytics/last-words/": ("", "?range=7d", "?csv=last-words"),
    "settings/audit/": ("", "?search=mark", "?category=conversation"),
}
ANSWERS = (
    *("conversations", "conversations?search=mark", "conversations?limit=5", "conversations?status=dropped"),
    *(f"conversations/export?format={kind}" for kind in FORMATS if kind != "xlsx"),
    *("api-keys", "audit-log", "audit-log/export", "analytics/overview?range=7d"),
)


def fill(account: Account, environment: str, by: User, mark: str) -> Conversation:
    """Something of every kind, all of it named ``mark``; leads and agents have ids that every account uses."""
    conversation = record_conversation(
        account,
        environment=environment,
        leadEmail=f"{mark}@example.com",
        currentStageName=f"{mark} stage",
        campaignId="c" * 24,
        summary=f"{mark} summary",
        status="dropped",
        qualificationResult={"qualified": True, "reason": f"{mark} reason"},
        messages=[message(f"{mark} says")],
    )
    Note.objects.write(conversation, f"{mark} note", by=by)
    for named in (account.agents, account.campaigns):
        named.within(environment).get().rename(name=f"{mark} name", by=by)
    conversation.change_status("completed", by=by, reason=f"{mark} why")
    conversation.change_status("dropped", by=by, reason=f"{mark} why not")
    return conversation


@pytest.fixture
def foreign(acme: Account, alice: User, other_account: Account, charlie: User) -> None:
    fill(acme, "live", alice, "mymark")
    fill(acme, "test", alice, "foreignmark")
    fill(other_account, "live", charlie, "foreignmark")
    other_account.saved_views.save_view(
        account=other_account, by=charlie, name="foreignmark view", query="", is_shared=True
    )
    other_account.invitations.invite(
        account=other_account, email="foreignmark@example.com", roles=[Role.ANALYST], by=charlie
    )
    other_account.memberships.create(
        user=User.objects.create_user("foreignmark2@example.com", name="foreignmark person"), roles=[Role.ANALYST]
    )
    Api(other_account).key.rename("foreignmark key", by=charlie)


def texts_of(answer: Any) -> str:
    """What an answer says; of a workbook what stands in its parts."""
    content = answer.getvalue() if answer.streaming else answer.content
    if not content.startswith(b"PK"):
        return str(content.decode())
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        return "".join(parts.read(name).decode() for name in parts.namelist())


def is_everybodys(path: str) -> bool:
    return path in OPEN or path.startswith("settings/security/")


@pytest.mark.parametrize("path", [path for path in PAGES if not is_everybodys(path)])
def test_no_page_shows_what_is_not_its_accounts(path: str, alice: User, foreign: None) -> None:
    page = client_of(alice)
    for query in QUERIES.get(path, ("",)):
        answer = page.get(f"/{path}{query}")
        assert answer.status_code in (200, 302, 404, 405), (query, answer.status_code)
        shown = texts_of(answer)
        assert "foreignmark" not in shown, query
        if path in ("conversations/", "conversations/export/") and "unread" not in query:
            assert "mymark" in shown, query


@pytest.mark.parametrize("path", ANSWERS)
def test_no_answer_shows_what_is_not_its_accounts(path: str, acme: Account, alice: User, foreign: None) -> None:
    shown = texts_of(Api(acme).get(f"/api/{path}"))
    assert "foreignmark" not in shown
    if "conversations" in path:
        assert "mymark" in shown


def test_figures_are_the_accounts_own(acme: Account, alice: User, foreign: None) -> None:
    data = Api(acme).get("/api/analytics/overview", range="7d").json()
    assert (data["totalConversations"], data["totalLeads"]) == (1, 1)
    page = client_of(alice)
    assert page.get("/analytics/?range=7d").context["report"].tally.total == 1
    page.post("/environment/", {"environment": "test"})
    assert page.get("/analytics/?range=7d").context["report"].tally.total == 1


def test_strangers_see_nothing(foreign: None) -> None:
    for path in PAGES:
        answer = Client().get(f"/{path}")
        assert "mark" not in texts_of(answer).replace("bookmark", ""), path


def test_a_list_tells_of_its_accounts_news_alone(alice: User, foreign: None) -> None:
    page = client_of(alice)
    assert page.get("/conversations/new/?since=2026-01-01T00:00:00Z").json()["count"] == 1


def test_retention_shows_the_rules_of_its_environment(acme: Account, alice: User, other_account: Account) -> None:
    for account, environment, days in ((acme, "test", 31), (other_account, "live", 32), (acme, "live", 33)):
        rules: Any = account
        rules.retention_rules.set_days({"dropped": days}, account=account, environment=environment, by=None)
    shown = text_of(client_of(alice).get("/settings/privacy/"))
    assert 'value="33"' in shown
    assert 'value="31"' not in shown
    assert 'value="32"' not in shown
    assert sorted(RetentionRule.objects.values_list("days", flat=True)) == [31, 32, 33]


def test_figures_of_a_part_of_an_hour_are_the_accounts_own(
    acme: Account, other_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which are counted from the conversations, and not from what is kept of half hours."""
    end = now().replace(minute=10, second=0, microsecond=0) - timedelta(hours=1)
    monkeypatch.setattr("conversations.analytics_api.now", lambda: end)
    for account, environment in ((acme, "live"), (acme, "test"), (other_account, "live")):
        record_conversation(account, environment=environment, createdAt=format_moment(end - timedelta(minutes=5)))
    data = Api(acme).get("/api/analytics/overview", range="7d").json()
    assert (data["totalConversations"], data["totalLeads"]) == (1, 1)


def test_stages_are_called_as_the_accounts_own_agents_call_them(acme: Account, other_account: Account) -> None:
    mine = record_conversation(acme, currentStageIndex=0)
    for account, environment, name in (
        (acme, "live", "Mine"),
        (acme, "test", "Tried"),
        (other_account, "live", "Theirs"),
    ):
        if account != acme or environment != "live":
            record_conversation(account, environment=environment, currentStageIndex=0)
        account.agents.within(environment).get().rename(stages=[name], by=None)
    found = {name: Api(acme).ids(stage=name) for name in ("Mine", "Tried", "Theirs")}
    assert found == {"Mine": [mine.pk], "Tried": [], "Theirs": []}


PHONE = "+1 555 010 7777"


def test_erasing_a_lead_leaves_everybody_elses_as_it_was(
    acme: Account, alice: User, other_account: Account, charlie: User
) -> None:
    """Of the same phone elsewhere too: conversations, notes, and what was answered under Idempotency-Keys."""
    homes = [(acme, "live", alice), (acme, "test", alice), (other_account, "live", charlie)]
    for account, environment, by in homes:
        api, body = Api(account, environment), WireConversation(leadPhone=PHONE)
        assert api.post("/api/conversations", body, headers={"Idempotency-Key": "once"}).status_code == 201
        Note.objects.write(account.conversations.within(environment).get(), "Call back", by=by)
    Note.objects.write(record_conversation(acme), "Of another lead", by=alice)
    mine = acme.conversations.live().get(lead_phone=PHONE)
    page = client_of(alice)
    assert page.get(f"/conversations/{mine.pk}/erase/").context["number"] == 1
    assert Api(acme).post("/api/leads/erase", {"leadPhone": PHONE}).json() == {"erasedConversations": 1}
    assert Conversation.objects.filter(lead_phone=PHONE).count() == 2
    assert Note.objects.count() == 3
    answers = IdempotentRequest.objects.values_list("account_id", "environment", "body")
    assert {(account, environment) for account, environment, body in answers if not bytes(body)} == {(acme.pk, "live")}


def test_reading_marks_what_was_read_and_by_whom(acme: Account, alice: User, bob: User) -> None:
    first, second = record_conversation(acme), record_conversation(acme)
    for person in (alice, bob):
        for one in (first, second):
            person.read_marks.mark(one, by=person)
    for one in (first, second):
        one.change_status("completed", by=None)
    first.refresh_from_db()
    alice.read_marks.mark(first, by=alice)
    assert dict(alice.read_marks.values_list("conversation_id", "revision")) == {first.pk: 2, second.pk: 1}
    bob.read_marks.mark_all([second.pk], by=bob)
    assert dict(bob.read_marks.values_list("conversation_id", "revision")) == {first.pk: 1, second.pk: 2}
    assert alice.read_marks.count() == 2


def test_retention_deletes_what_belongs_to_what_it_deletes(acme: Account, alice: User) -> None:
    old = record_conversation(acme, status="dropped")
    kept = record_conversation(acme, status="dropped")
    for one in (old, kept):
        Note.objects.write(one, "Call back", by=alice)
        alice.read_marks.mark(one, by=alice)
    Conversation.objects.filter(pk=old.pk).update(updated_at=now() - timedelta(days=100))
    rules: Any = acme
    rules.retention_rules.set_days({"dropped": 90}, account=acme, environment="live", by=None)
    assert rules.retention_rules.get().apply() == 1
    assert [note.conversation_id for note in Note.objects.all()] == [kept.pk]
    assert [mark.conversation_id for mark in alice.read_marks.all()] == [kept.pk]


def test_what_is_new_is_told_by_ones_own_look_at_that_environment(acme: Account, alice: User, bob: User) -> None:
    looks: Any = acme
    mine, bobs = (acme.memberships.get(user=person) for person in (alice, bob))
    seen = now() - timedelta(minutes=5)
    looks.last_looks.mark_seen(bobs, "live", until=seen + timedelta(minutes=1))
    looks.last_looks.mark_seen(mine, "test", until=seen + timedelta(minutes=2))
    looks.last_looks.mark_seen(mine, "live", until=seen)
    assert looks.last_looks.moment_of(mine, "live") == seen
    assert looks.last_looks.moment_of(mine, "test") == seen + timedelta(minutes=2)
    assert looks.last_looks.moment_of(bobs, "live") == seen + timedelta(minutes=1)
    assert looks.last_looks.moment_of(bobs, "test") == bobs.created_at
