"""The page of the audit log: whose entries, in which words, with which links; and the same entries as a file."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts.audit_query import PAGE as ROWS
from accounts.models import Account, ApiKey, AuditEvent, Environment, User
from accounts.scopes import Role, Scope
from accounts.sentences import Things
from accounts.vocabulary import ACTIONS
from config.storage.moments import now
from conversations.models import Conversation, Note
from tests.conftest import Api, client_of, json_of, statements, text_of
from tests.factories import AGENT, CAMPAIGN

Record = Callable[..., Conversation]
PAGE = "/settings/audit/"
EVIL = "</pre></title><img src=x onerror=alert(1)>\"'{{7*7}}"


@pytest.fixture
def integrator(acme: Account) -> Client:
    """The browser of Ina, who may read the log but no conversations."""
    user = User.objects.create_user("ina@example.com", None, name="Ina")
    acme.memberships.create(user=user, roles=[Role.INTEGRATOR])
    return client_of(user)


def log(account: Account, action: str, **fields: Any) -> AuditEvent:
    return AuditEvent.objects.create(account=account, action=action, actor_type="system", **fields)


def sentences(response: Any) -> list[str]:
    """What the log says, without its markup."""
    found = re.findall(r'<p class="log__what">(.*?)</p>', text_of(response), re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]*>", "", html)).split()) for html in found]


def links(response: Any) -> list[str]:
    found = re.findall(r'<p class="log__what">(.*?)</p>', text_of(response), re.DOTALL)
    return [link for html in found for link in re.findall(r'href="([^"]*)"', html)]


# Refusals


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ANALYST, Role.AI_ARCHITECT])
def test_a_role_without_the_scope_is_refused(acme: Account, role: Role) -> None:
    person = User.objects.create_user("dana@example.com")
    acme.memberships.create(user=person, roles=[role])
    for path in (PAGE, f"{PAGE}export/"):
        response = client_of(person).get(path)
        assert response.status_code == 403
        assert "account.opened" not in response.content.decode()


def test_another_accounts_entries_are_in_neither_page_nor_file(page: Client, other_account: Account) -> None:
    other_account.log("account.opened", by=None, name="Secret venture")
    for path in (PAGE, f"{PAGE}export/", f"{PAGE}?search=opened", f"{PAGE}export/?format=jsonl"):
        body = page.get(path).getvalue()
        assert b"opened" in body
        assert b"Charlie" not in body
        assert b"Secret" not in body


def test_live_and_test_are_told_apart(page: Client, acme: Account) -> None:
    for environment in Environment:
        ApiKey.objects.issue(
            account=acme, name=f"In {environment}", environment=environment, scopes=["audit:view"], by=None
        )
    live = page.get(PAGE)
    assert [sentence.split(" (")[0] for sentence in sentences(live)] == [
        "System created the API key In live",
        "Alice opened the account Acme",
    ]
    assert "env-mark" not in text_of(live)
    page.post("/environment/", {"environment": "test"})
    [of_test, of_account] = sentences(page.get(PAGE))
    assert of_test.startswith("System created the API key In test")
    assert of_test.endswith("Test")
    assert of_account == "Alice opened the account Acme"
    assert "In live" not in page.get(f"{PAGE}export/").getvalue().decode()


def test_who_may_not_read_conversations_learns_no_lead(integrator: Client, alice: User, record: Record) -> None:
    conversation = record(leadEmail="ana@example.com", leadPhone="+1 555 010 0001")
    conversation.change_status("dropped", by=alice)
    response = integrator.get(PAGE)
    assert f"Alice changed the status of conversation …{conversation.pk[-6:]} from active to dropped" in sentences(
        response
    )
    assert not any(link.startswith("/conversations/") for link in links(response))
    for secret in ("ana@example.com", "555 010 0001"):
        assert secret not in text_of(response)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("search=x", "From 2 to 200 characters."),
        (f"search={'x' * 201}", "From 2 to 200 characters."),
        ("actorType=robot", "Must be one of user, api_key, system."),
        ("actorId=alice", "Must be an ObjectId"),
        ("from=yesterday", "Must be an RFC 3339 date-time"),
        ("to=2026-02-31", "Must be an RFC 3339 date-time"),
        ("to=9999-12-31", "Must be an RFC 3339 date-time"),
        (f"action={'x' * 51}", "At most 50 characters."),
        ("search=a%00b", "Null characters are not allowed."),
    ],
)
def test_a_bad_filter_is_told_and_nothing_shown(page: Client, query: str, says: str) -> None:
    response = page.get(f"{PAGE}?{query}")
    assert says in text_of(response)
    assert sentences(response) == []
    export = page.get(f"{PAGE}export/?{query}")
    assert export.status_code == 302
    assert export["Location"].startswith(f"{PAGE}?")


@pytest.mark.parametrize("skip", ["-1", "1.5", "x", "٣", "9" * 30, ""])
def test_a_bad_page_is_the_first(page: Client, skip: str) -> None:
    assert sentences(page.get(PAGE, {"skip": skip})) == ["Alice opened the account Acme"]


def test_beyond_the_last_page_is_said_so(page: Client) -> None:
    assert "Nothing further back" in text_of(page.get(PAGE, {"skip": 50}))
    assert "Nothing further back" in text_of(page.get(PAGE, {"skip": 2**31}))


def test_an_unknown_format_leads_to_the_log(page: Client) -> None:
    assert page.get(f"{PAGE}export/?format=xlsx&search=opened")["Location"] == f"{PAGE}?search=opened"


def test_hostile_text_stays_text(page: Client, acme: Account, record: Record) -> None:
    conversation = record(leadEmail=EVIL)
    conversation.change_status("dropped", by=None, reason=EVIL)
    log(acme, EVIL[:50], resource_type=EVIL[:30], resource_id="x\"'><b>", actor_name=EVIL, actor_ip="<b>")
    log(acme, "conversation.details_updated", metadata={EVIL: {"from": EVIL, "to": EVIL}})
    log(acme, "api_key.created", resource_type="api_key", metadata={"name": EVIL, "key": EVIL})
    html = text_of(page.get(PAGE, {"actorType": "system", "search": "on"}))
    html += text_of(page.get(PAGE, {"action": EVIL[:50]}))
    html += text_of(page.get(PAGE))
    assert "<img src=x" not in html
    assert "<b>" not in html
    assert "onerror=alert(1)&gt;" in html


@pytest.mark.parametrize("action", [*ACTIONS, "account.changed_in_admin", "robot.danced", "x" * 50])
@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"name": None, "from": None, "to": 7, "recorded": "x", "replaced": 3, "reason": {"a": 1}, "rate_limit": "x"},
        {"name": {"to": ["x"]}, "recorded": [None, {}], "before": [1], "key": 7, "rate_limit": None},
        ["a list"],
        "a text",
    ],
)
def test_a_damaged_entry_is_told_as_well_as_it_can_be(acme: Account, action: str, metadata: Any) -> None:
    for kind, pk in (("conversation", "nonsense"), ("api_key", ""), ("agent", "a" * 24), ("", "")):
        told = Things().tell(log(acme, action, metadata=metadata, resource_type=kind, resource_id=pk))
        assert told.who == "System"
        assert "".join(part.text for part in told.parts)


# The words


def test_each_change_is_a_sentence(page: Client, acme: Account, alice: User, record: Record) -> None:
    api = Api(acme)
    ana, other = record(leadEmail="ana@example.com", campaignId=CAMPAIGN), record(leadPhone="+1 555", leadEmail=None)
    acme.audit_events.all().delete()
    ana.change_status("handed_off", by=alice, reason="wants a discount")
    other.update_details({"summary": "S", "current_stage_name": "Pricing"}, by=api.key)
    note = Note.objects.write(ana, "Call her", by=alice)
    note.remove(by=alice)
    acme.agents.get().rename(by=alice, name="Nova")
    acme.campaigns.get().rename(by=alice, name="Spring")
    acme.saved_views.save_view(account=acme, by=alice, name="Hot", query="", is_shared=True)
    acme.limit_rate(1000, by=alice)
    api.key.rename("Sync", by=alice)
    new, _ = api.key.rotate(by=alice)
    new.revoke(by=alice)
    log(acme, "robot.danced", resource_type="robot", resource_id="r2d2")
    log(acme, "account.changed_in_admin", resource_type="account", metadata={"name": "Acme"})
    log(acme, "conversation.opened_in_admin", resource_type="conversation", resource_id=ana.pk, environment="live")
    assert sentences(page.get(PAGE))[::-1] == [
        "Alice changed the status of ana@example.com from active to handed off: “wants a discount”",
        f"Test ({api.key.masked}) changed the summary and stage of +1 555",
        "Alice wrote a note on ana@example.com",
        "Alice removed a note from ana@example.com",
        "Alice named the agent Nova",
        "Alice named the campaign Spring",
        "Alice saved the view Hot",
        "Alice set the rate limit of the account to 1,000 requests a minute",
        f"Alice renamed the API key Test to Sync ({api.key.masked})",
        f"Alice rotated the API key Sync ({api.key.masked})",
        f"Alice revoked the API key Sync ({new.masked})",
        "System robot.danced · robot r2d2",
        "System changed the account Acme in the admin",
        "System read ana@example.com in the admin",
    ]


def test_recorded_conversations_are_counted_and_a_single_one_named(page: Client, acme: Account, record: Record) -> None:
    conversation = record(leadEmail="ana@example.com")
    ids = [conversation.pk] * 12
    for metadata in ({"recorded": ids}, {"recorded": ids, "replaced": ids[:1]}):
        log(acme, "conversations.recorded", resource_type="conversation", environment="live", metadata=metadata)
    response = page.get(PAGE, {"action": "conversations.recorded"})
    assert sentences(response) == [
        "System recorded 12 conversations and replaced 1 conversation",
        "System recorded 12 conversations",
        "System recorded ana@example.com",
    ]
    assert links(response) == [f"/conversations/{conversation.pk}/"]


def test_links_lead_to_what_is_there_and_may_be_seen(page: Client, acme: Account, alice: User, record: Record) -> None:
    conversation, agent = record(campaignId=CAMPAIGN), acme.agents.get(agent_config_id=AGENT)
    elsewhere = record(environment="test")
    key, _ = ApiKey.objects.issue(account=acme, name="K", environment="live", scopes=["audit:view"], by=alice)
    conversation.change_status("dropped", by=alice)
    agent.rename(by=alice, name="Nova")
    log(acme, "note.written", resource_type="conversation", resource_id=elsewhere.pk, environment="live")
    assert links(page.get(PAGE)) == [
        f"/settings/names/agents/{agent.pk}/",
        f"/conversations/{conversation.pk}/",
        f"/settings/api-keys/#key-{key.pk}",
        f"/conversations/{conversation.pk}/",
    ]
    for link in links(page.get(PAGE)):
        assert page.get(link.partition("#")[0]).status_code == 200
    key.revoke(by=None)
    key.remove(by=None)
    conversation.delete()
    assert links(page.get(PAGE)) == [f"/settings/names/agents/{agent.pk}/"]


def test_an_entry_says_who_when_from_where_and_what_it_holds(page: Client, acme: Account, alice: User) -> None:
    page.post("/settings/api-keys/new/", {
        "once": "0" * 32, "name": "K", "environment": "live", "scopes": ["audit:view"], "expiry": "never",
    })  # fmt: skip
    html = text_of(page.get(PAGE))
    assert "from 127.0.0.1" in html
    assert "audit:view" in html
    assert f"{PAGE}?actorId={alice.pk}" in html
    long = log(acme, "robot.danced", metadata={"steps": ["x" * 20] * 1000})
    assert "more characters; the export has all" in text_of(page.get(PAGE))
    assert len(text_of(page.get(PAGE))) < 60_000
    long.delete()


# Filters, pages, files


def test_filters_are_those_of_the_api(page: Client, acme: Account, alice: User, bob: User, record: Record) -> None:
    api = Api(acme, scopes=[Scope.AUDIT_VIEW])
    for person in (alice, bob, None):
        record().change_status("dropped", by=person, reason=str(person))
    early = log(acme, "note.written", environment="live", timestamp=datetime(2026, 3, 12, 23, 30, tzinfo=UTC))
    sets: tuple[dict[str, Any], ...] = (
        {"action": "conversation.status_changed"},
        {"resourceType": "api_key"},
        {"actorType": "user"},
        {"actorId": bob.pk},
        {"search": "bob"},
        {"from": "2026-03-12T23:30:00Z", "to": "2026-03-12T23:30:01Z"},
        {"search": "STATUS", "actorType": "system"},
    )
    for filters in sets:
        expected = json_of(api.get("/api/audit-logs", **filters))["data"]
        shown = re.findall(r'id="e-([0-9a-f]{24})"', text_of(page.get(PAGE, filters)))
        assert shown == [one["_id"] for one in expected]
        assert shown
        file = page.get(f"{PAGE}export/", {**filters, "format": "jsonl"}).getvalue().decode()
        assert [json.loads(line)["_id"] for line in file.splitlines()] == shown
    days = {"from": "2026-03-12", "to": "2026-03-12"}
    assert f'id="e-{early.pk}"' in text_of(page.get(PAGE, days))
    User.objects.filter(pk=alice.pk).update(time_zone="Asia/Tokyo")  # where it is the 13th already
    assert "No entries match" in text_of(page.get(PAGE, days))


def test_chips_name_the_filters_and_remove_one_each(page: Client, alice: User) -> None:
    html = text_of(page.get(PAGE, {"search": "nobody", "actorId": alice.pk, "from": "2026-01-01", "skip": "50"}))
    chips = re.findall(r'class="chip"\s+href="([^"]*)".*?chip__value">([^<]*)<', html, re.DOTALL)
    assert [unescape(value) for _, value in chips] == ["“nobody”", "Alice", "2026-01-01"]
    assert unescape(chips[0][0]) == f"{PAGE}?actorId={alice.pk}&from=2026-01-01"
    assert f'href="{PAGE}">Clear all' in html


def test_values_that_are_not_offered_are_kept(page: Client) -> None:
    html = text_of(page.get(PAGE, {"action": "robot.danced", "from": "2026-03-12T23:30:00Z"}))
    assert re.search(r'<option value="robot.danced"\s+selected>', html)
    assert 'value="2026-03-12T23:30:00Z"' in html


def test_pages_follow_each_other_without_gap(page: Client, acme: Account) -> None:
    for number in range(2 * ROWS + 5):
        log(acme, "robot.danced", metadata={"n": number}, timestamp=now() - timedelta(minutes=number))
    shown, address = [], f"{PAGE}?action=robot.danced"
    while address:
        html = text_of(page.get(unescape(address)))
        shown += re.findall(r'id="e-([0-9a-f]{24})"', html)
        found = re.search(r'rel="next" href="([^"]*)"', html) or re.search(r'href="([^"]*)" rel="next"', html)
        address = found[1] if found else ""
    expected = acme.audit_events.filter(action="robot.danced").order_by("-timestamp", "-id")
    assert shown == [entry.pk for entry in expected]
    assert "Entries 51 to 100" in text_of(page.get(PAGE, {"skip": 50}))


def test_a_file_has_exactly_the_rows_and_is_safe_to_open(page: Client, acme: Account) -> None:
    log(acme, "robot.danced", actor_name="=1+1")
    for number in range(ROWS + 3):
        log(acme, "robot.danced", metadata={"n": number})
    for kind, separator in (("csv", ","), ("tsv", "\t")):
        response = page.get(f"{PAGE}export/", {"format": kind, "action": "robot.danced"})
        assert f".{kind}" in response["Content-Disposition"]
        rows = list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig")), delimiter=separator))
        assert len(rows) == ROWS + 5
        assert "'=1+1" in rows[-1]


def test_white_space_around_what_was_pasted_is_not_looked_for(page: Client, acme: Account, alice: User) -> None:
    acme.api_keys.issue(account=acme, name="Zapier", environment="live", scopes=["team:view"], by=alice)
    assert "created the API key" in text_of(page.get(PAGE, {"search": " zapier "}))


@pytest.mark.parametrize("number", [1, 12])
def test_the_page_takes_the_same_statements_however_many_entries(
    page: Client, acme: Account, alice: User, record: Record, number: int
) -> None:
    for _ in range(number):
        record(campaignId=CAMPAIGN).change_status("dropped", by=alice)
        ApiKey.objects.issue(account=acme, name="K", environment="live", scopes=["audit:view"], by=alice)
        acme.agents.get().rename(by=alice, name=f"Nova {now()}")
        acme.campaigns.get().rename(by=alice, name=f"Spring {now()}")
    # session, person, membership; keys, people, entries, and what those tell of: conversations, agents, campaigns
    with statements(9):
        page.get(PAGE)
