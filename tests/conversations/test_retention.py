"""How long conversations are kept: what owners set, what would go, and what the command deletes."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client

from accounts.models import Account, AuditEvent, User
from config.storage.moments import format_moment, now
from conversations.models import Conversation, Note, ReadMark, RetentionRule, Totals
from tests.conftest import Api, client_of, text_of
from tests.factories import message

Record = Callable[..., Conversation]
PAGE = "/settings/privacy/"


def ago(days: int) -> str:
    return format_moment(now() - timedelta(days=days))


def run(*options: str) -> str:
    out = StringIO()
    call_command("retention", *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def old(record: Record, alice: User) -> list[Conversation]:
    """Two that are dropped and old, with all that hangs on one."""
    found = [record(status="dropped", updatedAt=ago(days), messages=[message("Zanzibar")]) for days in (40, 90)]
    found[0].notes.write(found[0], "Zanzibar", by=alice)
    alice.read_marks.mark(found[0], by=alice)
    AuditEvent.objects.log(
        "conversation.status_changed", account=found[0].account, by=alice, resource=found[0],
        metadata={"from": "active", "to": "dropped", "reason": "Zanzibar"},
    )  # fmt: skip
    return found


def keep(account: Account, environment: str = "live", **days: int | None) -> None:
    RetentionRule.objects.set_days(days, account=account, environment=environment, by=None)


@pytest.mark.parametrize("days", ["0", "-1", "x", "36501", "1.5"])
def test_what_is_no_number_of_days_is_refused(acme: Account, page: Client, days: str) -> None:
    assert page.post(PAGE, {"part": "retention", "dropped": days}).status_code == 400
    assert not RetentionRule.objects.exists()


def test_owners_alone_decide(bob: User, acme: Account) -> None:
    assert client_of(bob).post(PAGE, {"part": "retention", "dropped": "1"}).status_code == 403
    assert not RetentionRule.objects.exists()


def test_the_page_says_what_would_go_and_links_to_exactly_these(
    acme: Account, page: Client, old: list[Conversation], record: Record
) -> None:
    record(status="dropped")
    record(status="completed", updatedAt=ago(90))
    page.post(PAGE, {"part": "retention", "dropped": "30", "active": ""})
    shown = text_of(page.get(PAGE))
    assert "Dropped: 2 conversations would go today" in shown
    assert "the oldest from" in shown
    link = shown.split('href="/conversations/?status=dropped')[1].split('"')[0].replace("&amp;", "&")
    listed = text_of(page.get(f"/conversations/?status=dropped{link}"))
    assert "2 conversations" in listed
    assert all(f'id="c-{one.pk}"' in listed for one in old)
    entry = acme.audit_events.get(action="retention.changed")
    assert entry.metadata == {"dropped": {"from": None, "to": 30}}
    assert "changed how long conversations are kept: dropped" in text_of(page.get("/settings/audit/"))


def test_what_is_old_goes_with_all_of_it_and_is_counted(
    acme: Account, api: Api, page: Client, old: list[Conversation], record: Record
) -> None:
    kept = [record(status="dropped"), record(status="active", updatedAt=ago(400))]
    test = record(status="dropped", updatedAt=ago(400), environment="test")
    keep(acme, dropped=30)
    assert "2  Acme live: dropped for 30 days, the oldest of" in run()
    assert set(Conversation.objects.values_list("pk", flat=True)) == {*(one.pk for one in kept), test.pk}
    assert Totals.of(acme, "live").number == len(api.listed()) == 2
    assert api.listed(search="Zanzibar") == []
    assert not Note.objects.exists()
    assert not ReadMark.objects.exists()
    assert "Zanzibar" not in str(list(AuditEvent.objects.values_list("metadata", flat=True)))
    entry = acme.audit_events.get(action="retention.applied")
    assert entry.metadata == {"deleted": 2, "status": "dropped", "days": 30}
    assert "deleted 2 conversations because of their age" in text_of(page.get("/settings/audit/"))
    assert run() == "Done.\n"


def test_a_dry_run_deletes_nothing(acme: Account, old: list[Conversation]) -> None:
    keep(acme, dropped=60)
    said = run("--dry-run")
    assert "1  Acme live: dropped for 60 days" in said
    assert "Nothing was deleted" in said
    assert Conversation.objects.count() == 2


def test_batches_are_bounded_and_all_goes(acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.models.retention.BATCH", 2)
    for _ in range(5):
        record(status="completed", updatedAt=ago(10))
    keep(acme, completed=5)
    run()
    numbers = [entry.metadata["deleted"] for entry in acme.audit_events.filter(action="retention.applied")]
    assert sorted(numbers) == [1, 2, 2]
    assert Totals.of(acme, "live").number == 0


def test_a_rule_is_changed_and_taken_back(acme: Account) -> None:
    for days in (30, 30, 60, None):
        keep(acme, dropped=days)
    assert not RetentionRule.objects.exists()
    assert acme.audit_events.filter(action="retention.changed").count() == 3


def test_what_has_expired_goes(acme: Account, alice: User, settings: Any) -> None:
    client = client_of(alice)
    Session.objects.update(expire_date=now() - timedelta(days=1))
    AuditEvent.objects.filter(account=acme).update(timestamp=now() - timedelta(days=100))
    assert "1  sessions" in run()
    assert not Session.objects.exists()
    assert acme.audit_events.exists()
    settings.AUDIT_DAYS = 90
    assert "audit entries" in run()
    assert not acme.audit_events.exists()
    assert client.get("/conversations/").status_code == 302
