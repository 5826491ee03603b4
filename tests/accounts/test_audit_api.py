"""GET /api/audit-logs and its export: the contract's section 8."""

import csv
import io
import json
import tracemalloc
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Account, ApiKey, AuditEvent, User
from accounts.scopes import Scope
from config.storage.moments import parse_moment
from tests.conftest import Api, json_of, statements
from tests.conversations.test_export_api import break_off

PATH = "/api/audit-logs"
EXPORT = f"{PATH}/export"
FIELDS = ["_id", "accountId", "actor", "action", "resource", "timestamp", "metadata"]


@pytest.fixture
def api(acme: Account) -> Api:
    """Acme's live key with every scope, and a log that begins with the test."""
    api = Api(acme)
    AuditEvent.objects.all().delete()
    return api


def log(
    account: Account, action: str = "thing.done", *, by: Any = None, at: str = "", ip: str = "", **fields: Any
) -> AuditEvent:
    """An entry of the live environment, unless ``environment`` says otherwise."""
    event = AuditEvent.objects.log(action, account=account, by=by, **{"environment": "live", **fields})
    moment = parse_moment(at) if at else event.timestamp
    AuditEvent.objects.filter(pk=event.pk).update(timestamp=moment, actor_ip=ip)  # not that of the last request
    return event


def ids(api: Api, **query: Any) -> list[str]:
    """The entries of a list, which an export with the same filters must have as well."""
    response = api.get(PATH, **query)
    assert response.status_code == 200, response.content
    body = json_of(response)
    listed = [entry["_id"] for entry in body["data"]]
    exported = [json.loads(line)["_id"] for line in api.get(EXPORT, format="jsonl", **query).getvalue().splitlines()]
    assert listed == exported
    assert body["total"] == len(listed)
    return listed


def rows(response: Any, separator: str = ",") -> list[dict[str, str]]:
    text = response.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))


# Refusals


@pytest.mark.parametrize("path", [PATH, EXPORT])
def test_no_key_is_401(client: Client, db: None, path: str) -> None:
    assert client.get(path).status_code == 401


@pytest.mark.parametrize("path", [PATH, EXPORT])
def test_key_without_the_scope_is_403(acme: Account, path: str) -> None:
    api = Api(acme, scopes=[scope for scope in Scope if scope != Scope.AUDIT_VIEW])
    response = api.get(path)
    assert response.status_code == 403
    assert json_of(response) == {
        "error": "Forbidden",
        "message": "API key does not have the required scope (requires: audit:view).",
    }


BAD_FILTERS = [
    ({"actorType": "robot"}, "actorType", "user, api_key, system"),
    ({"actorType": "USER"}, "actorType", "user, api_key, system"),
    ({"actorId": "7"}, "actorId", "ObjectId"),
    ({"actorId": "A" * 24}, "actorId", "ObjectId"),
    ({"action": "x" * 51}, "action", "50"),
    ({"action": "a\x00b"}, "action", "ull"),
    ({"resourceType": "x" * 31}, "resourceType", "30"),
    ({"from": "yesterday"}, "from", "RFC 3339"),
    ({"from": "2026-03-12"}, "from", "RFC 3339"),
    ({"to": "2026-03-12T14:02:11"}, "to", "RFC 3339"),
    ({"to": "2026-02-30T00:00:00Z"}, "to", "exists"),
    ({"search": "x"}, "search", "2 to 200"),
    ({"search": "x" * 201}, "search", "2 to 200"),
    ({"search": "a\x00b"}, "search", "ull"),
    ({"action": ["a", "b"]}, "action", "once"),
    ({"from": ["2026-01-01T00:00:00Z"] * 2}, "from", "once"),
]


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        *BAD_FILTERS,
        ({"limit": "0"}, "limit", "1 to 200"),
        ({"limit": "201"}, "limit", "1 to 200"),
        ({"limit": "-1"}, "limit", "1 to 200"),
        ({"limit": "1.5"}, "limit", "integer"),
        ({"limit": "abc"}, "limit", "integer"),
        ({"limit": ""}, "limit", "integer"),
        ({"skip": "-1"}, "skip", "integer"),
        ({"skip": str(10**20)}, "skip", "integer"),
        ({"limit": ["1", "2"]}, "limit", "once"),
        ({"skip": ["1", "2"]}, "skip", "once"),
    ],
)
def test_bad_parameter_is_400_and_says_what_is_allowed(api: Api, query: dict[str, Any], field: str, says: str) -> None:
    refused(api.get(PATH, **query), field, says)


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        *BAD_FILTERS,
        ({"format": "xlsx"}, "format", "csv, tsv, jsonl"),
        ({"format": "CSV"}, "format", "csv, tsv, jsonl"),
        ({"format": ["csv", "tsv"]}, "format", "once"),
    ],
)
def test_export_refuses_the_same_and_unknown_formats(api: Api, query: dict[str, Any], field: str, says: str) -> None:
    response = api.get(EXPORT, **query)
    refused(response, field, says)
    assert response.headers["Content-Type"] == "application/json"
    assert "Content-Disposition" not in response.headers


def refused(response: Any, field: str, says: str) -> None:
    assert response.status_code == 400
    body = json_of(response)
    assert body["error"] == "Validation failed"
    assert list(body["details"]) == [field]
    assert says in " ".join(body["details"][field])


@pytest.mark.parametrize("path", [PATH, EXPORT])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_the_log_is_only_read(api: Api, method: str, path: str) -> None:
    response = getattr(api.client, method)(path, headers={"X-API-Key": api.token})
    assert response.status_code == 405


# Which entries


def test_another_accounts_entries_are_not_there(api: Api, acme: Account, other_account: Account) -> None:
    log(other_account, "thing.done", environment=None)
    log(other_account, "thing.done")
    mine = log(acme).pk
    assert ids(api) == [mine]
    assert ids(api, search="thing") == [mine]
    assert ids(api, action="thing.done") == [mine]


def test_live_and_test_never_mix_and_both_see_what_concerns_the_account(api: Api, acme: Account) -> None:
    test_api = Api(acme, "test")
    AuditEvent.objects.all().delete()
    live = log(acme, at="2026-01-01T00:00:00Z").pk
    test = log(acme, environment="test", at="2026-01-02T00:00:00Z").pk
    account = log(acme, environment=None, at="2026-01-03T00:00:00Z").pk
    assert ids(api) == ids(api, search="done") == [account, live]
    assert ids(test_api) == ids(test_api, search="done") == [account, test]


def test_search_by_a_name_of_the_other_environment_finds_nothing(api: Api, acme: Account, alice: User) -> None:
    log(acme, environment="test", by=alice)
    log(acme)
    assert ids(api, search="alice") == []


# Shape


def test_entry_has_exactly_the_documented_fields(api: Api, acme: Account, alice: User) -> None:
    key = api.key
    event = log(
        acme,
        "api_key.revoked",
        by=alice,
        resource=key,
        at="2026-03-12T14:02:11.48Z",
        ip="2001:db8::7",
        metadata={"name": "Täst", "deep": [1, None]},
    )
    body = json_of(api.get(PATH))
    assert body == {
        "data": [
            {
                "_id": event.pk,
                "accountId": acme.pk,
                "actor": {"type": "user", "id": alice.pk, "ip": "2001:db8::7", "displayName": "Alice"},
                "action": "api_key.revoked",
                "resource": {"type": "api_key", "id": key.pk},
                "timestamp": "2026-03-12T14:02:11.480Z",
                "metadata": {"name": "Täst", "deep": [1, None]},
            }
        ],
        "total": 1,
        "skip": 0,
        "limit": 50,
    }
    assert list(body) == ["data", "total", "skip", "limit"]
    assert list(body["data"][0]) == FIELDS
    assert list(body["data"][0]["actor"]) == ["type", "id", "ip", "displayName"]


def test_a_key_is_an_actor_and_shows_no_secret(api: Api, acme: Account) -> None:
    log(acme, by=api.key)
    response = api.get(PATH)
    assert json_of(response)["data"][0]["actor"] == {
        "type": "api_key",
        "id": api.key.pk,
        "ip": None,
        "displayName": f"Test (nl_live_…{api.token[-4:]})",
    }
    assert api.token not in response.content.decode()


def test_system_has_a_name_and_no_id_or_address(api: Api, acme: Account) -> None:
    log(acme)
    [entry] = json_of(api.get(PATH))["data"]
    assert entry["actor"] == {"type": "system", "id": None, "ip": None, "displayName": "System"}
    assert entry["resource"] == {"type": None, "id": None}


def test_changes_made_through_the_api_are_there(api: Api, acme: Account) -> None:
    key, _ = ApiKey.objects.issue(account=acme, name="New", environment="live", scopes=[Scope.AUDIT_VIEW], by=api.key)
    [entry] = json_of(api.get(PATH, action="api_key.created"))["data"]
    assert entry["resource"] == {"type": "api_key", "id": key.pk}
    assert entry["actor"]["id"] == api.key.pk


# Order and pages


def test_newest_comes_first_and_skip_and_limit_cut_a_page(api: Api, acme: Account) -> None:
    moments = ["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]
    events = [log(acme, at=moment).pk for moment in moments]
    newest = [*sorted([events[0], events[2]], reverse=True), events[1]]
    assert ids(api) == newest
    body = json_of(api.get(PATH, skip=1, limit=1))
    assert [entry["_id"] for entry in body["data"]] == newest[1:2]
    assert (body["total"], body["skip"], body["limit"]) == (3, 1, 1)
    body = json_of(api.get(PATH, skip=2**31 - 1, limit=200))
    assert (body["data"], body["total"]) == ([], 3)


def test_page_has_50_entries_unless_asked_for_more(api: Api, acme: Account) -> None:
    for _ in range(51):
        log(acme)
    assert len(json_of(api.get(PATH))["data"]) == 50
    assert len(json_of(api.get(PATH, limit=200))["data"]) == 51


# Filters


def test_filters_narrow(api: Api, acme: Account, alice: User, bob: User) -> None:
    AuditEvent.objects.all().delete()
    by_key = log(acme, "api_key.rotated", by=api.key, resource=api.key, at="2026-01-03T00:00:00Z").pk
    by_bob = log(acme, "member.invited", by=bob, resource=alice, at="2026-01-02T00:00:00Z").pk
    by_nobody = log(acme, "thing.done", at="2026-01-01T00:00:00Z").pk
    everything = [by_key, by_bob, by_nobody]
    assert ids(api, action="api_key.rotated") == [by_key]
    assert ids(api, action="api_key") == []
    assert ids(api, resourceType="user") == [by_bob]
    assert ids(api, actorType="user") == [by_bob]
    assert ids(api, actorType="api_key") == [by_key]
    assert ids(api, actorType="system") == [by_nobody]
    assert ids(api, actorId=bob.pk) == [by_bob]
    assert ids(api, actorId=bob.pk, actorType="api_key") == []
    assert ids(api, **{"from": "2026-01-02T00:00:00Z"}) == [by_key, by_bob]
    assert ids(api, **{"from": "2026-01-02T01:00:00.000+01:00"}) == [by_key, by_bob]
    assert ids(api, to="2026-01-02T00:00:00Z") == [by_nobody]
    assert ids(api, to="2026-01-02T00:00:00.001Z") == [by_bob, by_nobody]
    assert ids(api, action="", actorType="", search="", to="", actorId="", colour="blue") == everything


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("Zoë Ärger", "ÄRGER"),
        ("Иван Петров", "иван"),
        ("Straße", "STRASSE"),
        ("100% sure", "0% S"),
        ("a_b.*", "B.*"),
        ("O'Neil \\ Sons", "l \\ s"),
        ("name", "name"),
    ],
)
def test_search_finds_an_actors_name_caseless_and_literal(
    api: Api, acme: Account, alice: User, bob: User, name: str, query: str
) -> None:
    User.objects.filter(pk=alice.pk).update(name=name)
    alice.refresh_from_db()
    found = log(acme, by=alice).pk
    log(acme, by=bob)
    assert ids(api, search=query) == [found]


def test_search_finds_actions_and_resource_ids(api: Api, acme: Account, alice: User, bob: User) -> None:
    AuditEvent.objects.all().delete()
    first = log(acme, "api_key.rotated", by=alice, resource=api.key, at="2026-01-02T00:00:00Z").pk
    second = log(acme, "thing.done", resource=bob, at="2026-01-01T00:00:00Z").pk
    assert ids(api, search="ROTATED") == [first]
    assert ids(api, search="y.r") == [first]
    assert ids(api, search=api.key.pk) == [first]
    assert ids(api, search=bob.pk.upper()) == [second]
    assert ids(api, search="SYSTEM") == [second]
    assert ids(api, search="alice", action="thing.done") == []
    for query in ("%%", "__", ".*", "y r", "dx", "live", "[a-z]", "x" * 200, "👋👋"):
        assert ids(api, search=query) == [], query


def test_search_finds_what_people_and_keys_were_called(api: Api, acme: Account, alice: User, bob: User) -> None:
    key, _ = acme.api_keys.issue(account=acme, name="Zapier", environment="live", scopes=["team:view"], by=alice)
    key.rename("CRM <b>", by=alice)
    key.revoke(by=alice)
    key.remove(by=alice)
    of_key = [entry.pk for entry in acme.audit_events.filter(resource_id=key.pk).order_by("-timestamp", "-id")]
    assert len(of_key) == 4
    for query in ("zapier", "CRM <B>", key.hint):
        assert ids(api, search=query) == of_key, query
    acme.memberships.get(user=bob).remove(by=alice)
    assert ids(api, search="bob", action="member.removed") == [acme.audit_events.get(action="member.removed").pk]


def test_search_looks_at_no_name_of_a_lead(api: Api, acme: Account, alice: User) -> None:
    log(acme, by=alice, metadata={"name": "Ana Lima"})
    odd: list[Any] = [[], {"name": 5, "before": None}, {"name": {"to": ["x"]}}]
    for metadata in odd:
        log(acme, by=None, resource=alice, metadata=metadata)
    assert ids(api, search="lima") == []


# Export


def test_csv_is_the_default_and_reads_like_the_list(
    api: Api, acme: Account, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.tables.now", lambda: parse_moment("2026-03-12T23:59:00Z"))
    event = log(acme, by=alice, resource=api.key, at="2026-03-12T14:02:11.48Z", metadata={"to": 'ä, "x"'})
    nobodys = log(acme, at="2026-03-11T00:00:00Z")
    response = api.get(EXPORT)
    assert response.streaming
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="audit-log-2026-03-12.csv"'
    assert response.headers["Cache-Control"] == "private, no-store"
    first, second = rows(response)
    assert first == {
        "_id": event.pk,
        "accountId": acme.pk,
        "actorType": "user",
        "actorId": alice.pk,
        "actorIp": "",
        "actorDisplayName": "Alice",
        "action": "thing.done",
        "resourceType": "api_key",
        "resourceId": api.key.pk,
        "timestamp": "2026-03-12T14:02:11.480Z",
        "metadata": '{"to":"ä, \\"x\\""}',
    }
    assert (second["_id"], second["actorId"], second["actorDisplayName"]) == (nobodys.pk, "", "System")


def test_tsv_has_the_same_rows(api: Api, acme: Account) -> None:
    log(acme, metadata={"to": "a\tb"})
    response = api.get(EXPORT, format="tsv")
    assert response.headers["Content-Type"] == "text/tab-separated-values; charset=utf-8"
    assert response.headers["Content-Disposition"].endswith('.tsv"')
    assert rows(response, "\t") == rows(api.get(EXPORT, format="csv"))


def test_jsonl_lines_are_the_lists_entries(api: Api, acme: Account, alice: User) -> None:
    log(acme, by=alice, resource=api.key, metadata={"to": "a\nb"})
    log(acme)
    response = api.get(EXPORT, format="jsonl")
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert response.headers["Content-Disposition"].endswith('.jsonl"')
    lines = response.getvalue().decode().splitlines()
    assert b'"data":[' + ",".join(lines).encode() + b"]" in api.get(PATH).content


def test_nothing_in_the_export_is_a_formula(api: Api, acme: Account, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(name="=cmd|' /C calc'!A0")
    alice.refresh_from_db()
    log(acme, by=alice, metadata={"reason": "=1;=2\n=3"})
    [row] = rows(api.get(EXPORT))
    assert row["actorDisplayName"] == "'=cmd|' /C calc'!A0"
    assert row["metadata"] == '{"reason":"=1;\'=2\\n=3"}'


def test_metadata_too_long_for_a_cell_is_cut_there_and_whole_in_jsonl(api: Api, acme: Account) -> None:
    log(acme, metadata={"summary": "x" * 40_000})
    [row] = rows(api.get(EXPORT))
    assert len(row["metadata"]) == 32_767
    assert row["metadata"].endswith("[cut here: the JSON export has the whole text]")
    assert json.loads(api.get(EXPORT, format="jsonl").getvalue())["metadata"] == {"summary": "x" * 40_000}


def test_limit_and_skip_are_of_pages_and_the_export_is_whole(api: Api, acme: Account) -> None:
    for _ in range(3):
        log(acme)
    assert len(rows(api.get(EXPORT, limit=1, skip=2))) == 3


def test_empty_log_is_a_header_or_nothing(api: Api, acme: Account) -> None:
    assert api.get(EXPORT).getvalue().startswith(b"\xef\xbb\xbf_id,accountId,actorType,")
    assert api.get(EXPORT, format="jsonl").getvalue() == b""


@pytest.mark.parametrize("path", [PATH, EXPORT])
def test_head_answers_without_a_body(api: Api, acme: Account, path: str) -> None:
    log(acme)
    response = api.client.head(path, headers={"X-API-Key": api.token})
    assert response.status_code == 200
    assert response.getvalue() == b""


@pytest.mark.parametrize(("kind", "separator"), [("csv", ","), ("tsv", "\t"), ("jsonl", "")])
def test_export_that_breaks_off_says_so_at_its_end(
    api: Api,
    acme: Account,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    separator: str,
) -> None:
    for _ in range(4):
        log(acme)
    whole = api.get(EXPORT, format=kind).getvalue().splitlines()
    break_off(monkeypatch, after=2)
    response = api.get(EXPORT, format=kind)
    *lines, last = response.getvalue().splitlines()
    assert lines == whole[: 3 if separator else 2]
    request_id = response.headers["X-Request-Id"]
    if separator:
        assert last.decode() == f"ERROR: The export ended early and is incomplete (request {request_id})"
    else:
        assert json.loads(last) == {
            "error": "The export ended early and is incomplete",
            "details": {"requestId": request_id},
        }
    assert [entry.name for entry in caplog.records if entry.levelname == "ERROR"] == ["accounts.tables"]
    assert "+1555" not in caplog.text


# Cost


@pytest.mark.parametrize("number", [1, 30])
def test_list_takes_three_queries_a_search_five_and_an_export_two(api: Api, acme: Account, number: int) -> None:
    api.get(PATH)  # the first use of a key is written down
    for _ in range(number):
        log(acme)
    with statements(3):  # the key, the page, the count
        assert len(json_of(api.get(PATH))["data"]) == number
    with statements(5):  # and the actions and names there are, of actors and of what entries are about
        assert len(json_of(api.get(PATH, search="done"))["data"]) == number
    with statements(2):
        assert len(rows(api.get(EXPORT))) == number


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_export_is_streamed_in_constant_memory(api: Api, acme: Account, kind: str) -> None:
    AuditEvent.objects.bulk_create(
        AuditEvent(
            account=acme, environment="live", actor_type="system", action="thing.done", metadata={"text": "x" * 12_000}
        )
        for _ in range(5_000)
    )
    connection.queries_log.clear()
    response = api.get(EXPORT, format=kind)
    tracemalloc.start()
    size = sum(len(piece) for piece in response.streaming_content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 60_000_000
    assert peak < 12_000_000
