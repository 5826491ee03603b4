"""Recording and changing conversations over the API (contract, section 2)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Account, AuditEvent
from accounts.scopes import Scope
from conversations.models import Conversation
from tests.conftest import Api, json_of
from tests.factories import AGENT, CAMPAIGN, WireConversation, message

Record = Callable[..., Conversation]
PATH = "/api/conversations"
ID = "1" * 24


def wire(**fields: Any) -> dict[str, Any]:
    return WireConversation(**fields)


# Refusals


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", PATH), ("POST", f"{PATH}/{ID}/messages"), ("PATCH", f"{PATH}/{ID}"), ("PATCH", f"{PATH}/{ID}/status")],
)
def test_key_without_the_scope_is_403_and_without_a_key_401(acme: Account, method: str, path: str) -> None:
    needed = "conversations:change_status" if path.endswith("status") else "conversations:edit"
    api = Api(acme, scopes=[scope for scope in Scope if scope != needed])
    response = api.send(method, path, {})
    assert response.status_code == 403
    assert json_of(response)["message"] == f"API key does not have the required scope (requires: {needed})."
    assert api.send(method, path, {}, headers={"X-API-Key": ""}).status_code == 401


@pytest.mark.parametrize(
    ("method", "end"),
    [("POST", "/messages"), ("PATCH", ""), ("PATCH", "/status")],
    ids=["messages", "details", "status"],
)
def test_foreign_other_environment_unknown_and_malformed_ids_are_one_404(
    api: Api, record: Record, other_account: Account, method: str, end: str
) -> None:
    ids = [record(account=other_account).pk, record(environment="test").pk, "0" * 24, "nonsense", "A" * 24]
    answers = [api.send(method, f"{PATH}/{pk}{end}", {"status": "dropped"}) for pk in ids]
    assert {response.status_code for response in answers} == {404}
    assert {response.content for response in answers} == {b'{"error":"Conversation not found"}'}


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "This field is required"),
        (b"null", 400, "Must be an object"),
        (b'"x"', 400, "Must be an object"),
        (b"5", 400, "Must be an object"),
        (b"{", 400, "not valid JSON"),
        (b'{"a": NaN}', 400, "NaN is not JSON"),
        (b'{"a": -Infinity}', 400, "not JSON"),
        (b'{"a": 1e999}', 400, "too large"),
        (b'{"a": ' + b"1" * 4301 + b"}", 400, "64 bits"),
        (b'{"a": 9223372036854775808}', 400, "64 bits"),
        (b'{"leadId": "1", "leadId": "2"}', 400, "repeated"),
        (b"[" * 100_000, 400, "nested too deeply"),
        (b"[" * 33 + b"]" * 33, 400, "nested too deeply"),
        (b'{"a":' * 100_000, 400, "nested too deeply"),
        (b"\xff\xfe{\x00}\x00", 400, "not UTF-8"),
        (b"\xef\xbb\xbf{}", 400, "not valid JSON"),
        (b'{"leadId": "\xff"}', 400, "not UTF-8"),
        (b" " * ((10 << 20) + 1), 413, "at most 10 MB"),
    ],
)
def test_bad_body_is_refused_in_words(api: Api, body: bytes, status: int, says: str) -> None:
    response = api.post(PATH, body)
    assert response.status_code == status
    assert says in response.content.decode()
    assert json_of(response)["error"]


def test_body_of_a_change_is_smaller(api: Api, record: Record) -> None:
    response = api.post(f"{PATH}/{record().pk}/messages", b" " * ((1 << 20) + 1))
    assert response.status_code == 413
    assert json_of(response) == {"error": "Request body is too large: at most 1 MB"}


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("text/plain", {}),
        ("application/xml", {}),
        ("multipart/form-data; boundary=x", {}),
        ("application/x-www-form-urlencoded", {}),
        ("application/json; charset=rot13", {}),
        ("application/json; charset=utf-16", {}),
        ("application/json", {"Content-Encoding": "gzip"}),
    ],
)
def test_body_that_is_not_plain_json_is_415(api: Api, content_type: str, headers: dict[str, str]) -> None:
    response = api.client.generic(
        "POST", PATH, b'{"a": 1}', content_type=content_type, headers={"X-API-Key": api.token, **headers}
    )
    assert response.status_code == 415
    assert json_of(response)["error"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"leadId": ""}, "leadId"),
        ({"leadId": "x" * 65}, "leadId"),
        ({"agentConfigId": "x"}, "agentConfigId"),
        ({"channel": "sms"}, "channel"),
        ({"leadPhone": ""}, "leadPhone"),
        ({"leadPhone": "\ud800"}, "leadPhone"),
        ({"leadEmail": "a\x00b"}, "leadEmail"),
        ({"status": "open"}, "status"),
        ({"currentStageIndex": -1}, "currentStageIndex"),
        ({"currentStageIndex": 2**53 + 1}, "currentStageIndex"),
        ({"messages": [message("x" * 16_001)]}, "messages"),
        ({"messages": [message("x")] * 5_001}, "messages"),
        ({"summary": "x" * 20_001}, "summary"),
        ({"createdAt": "9999-12-31T23:59:59-01:00"}, "createdAt"),
    ],
)
def test_field_out_of_bounds_is_400_under_its_wire_name(api: Api, fields: dict[str, Any], field: str) -> None:
    response = api.post(PATH, wire(**fields))
    assert response.status_code == 400
    body = json_of(response)
    assert body["error"] == "Validation failed"
    assert list(body["details"]) == [field]
    assert not api.account.conversations.exists()


def test_1001_conversations_are_too_many(api: Api) -> None:
    assert api.post(PATH, [{}] * 1_001).status_code == 400


# Recording one


def test_conversation_is_recorded_and_shown(api: Api) -> None:
    given = wire(id=ID, leadId=17, summary="S", messages=[message("Hi")], createdAt="2026-01-01T00:00:00Z")
    response = api.post(PATH, given)
    assert response.status_code == 201
    shown = json_of(response)
    assert (shown["_id"], shown["leadId"], shown["messageCount"]) == (ID, "17", 1)
    assert shown["createdAt"] == "2026-01-01T00:00:00.000Z"
    assert api.listed() == [shown]


def test_id_is_made_where_none_is_given(api: Api) -> None:
    first, second = (json_of(api.post(PATH, wire())) for _ in range(2))
    assert first["_id"] != second["_id"]


def test_known_id_is_replaced_whole(api: Api) -> None:
    moments = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
    api.post(PATH, wire(id=ID, summary="Old", **moments))
    response = api.post(PATH, wire(id=ID, messages=[message("Zebra")], **moments))
    assert response.status_code == 200
    assert "summary" not in json_of(response)
    assert api.ids(search="zebra") == [ID]
    assert api.post(PATH, json_of(response)).status_code == 200


def test_id_of_another_account_or_environment_is_409(
    api: Api, record: Record, other_account: Account, acme: Account
) -> None:
    foreign = record(account=other_account).pk
    live = record().pk
    assert api.post(PATH, wire(id=foreign)).status_code == 409
    response = Api(acme, "test").post(PATH, wire(id=live))
    assert response.status_code == 409
    assert "already" in json_of(response)["error"]
    assert other_account.conversations.get().pk == foreign


def test_account_environment_and_counts_are_not_the_callers_to_choose(api: Api, other_account: Account) -> None:
    hostile = {
        "accountId": other_account.pk, "account": other_account.pk, "account_id": other_account.pk, "pk": ID, "id": ID,
        "environment": "test", "messageCount": 99, "message_count": 99, "search_text": "x", "revision": 99,
    }  # fmt: skip
    shown = json_of(api.post(PATH, json.dumps({**wire(), **hostile}).encode()))
    assert shown["accountId"] == api.account.pk
    assert shown["messageCount"] == 2
    stored = api.account.conversations.live().get()
    assert (stored.revision, stored.pk == ID) == (1, False)


# Recording many


def test_each_of_many_has_its_outcome_in_order(api: Api, record: Record, other_account: Account) -> None:
    foreign = record(account=other_account).pk
    moments = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
    known = wire(id=ID, leadId="1", leadPhone="+1", **moments)
    api.post(PATH, known)
    given = [wire(id="2" * 24), 5, known, {**known, "summary": "New"}, wire(leadId=""), wire(id=foreign), wire()]
    response = api.post(PATH, given)
    assert response.status_code == 200
    results = json_of(response)
    assert [result["result"] for result in results] == [
        "recorded", "refused", "unchanged", "replaced", "refused", "refused", "recorded",
    ]  # fmt: skip
    assert [result["_id"] for result in results[:4]] == ["2" * 24, None, ID, ID]
    assert list(results[4]["details"]) == ["leadId"]
    assert list(results[5]["details"]) == ["_id"]
    assert api.account.conversations.live().count() == 3


def test_nothing_is_recorded_of_an_empty_array(api: Api) -> None:
    response = api.post(PATH, [])
    assert (response.status_code, json_of(response)) == (200, [])


def test_what_get_returned_can_be_posted_elsewhere_byte_for_byte(
    api: Api, record: Record, other_account: Account
) -> None:
    record(
        campaignId=CAMPAIGN,
        leadEmail="a@example.com",
        currentStageName="Pricing",
        summary='"S" \u2028',
        qualificationResult={"qualified": False, "reason": ""},
        messages=[message("ä\n👋"), message("x", role="agent"), message("y", role="human")],
    )
    record(channel="email", leadPhone="", leadEmail="b@example.com", messages=[])
    before = api.get().getvalue()
    Conversation.objects.all().delete()
    there = Api(other_account)
    results = json_of(there.post(PATH, before))
    assert [result["result"] for result in results] == ["recorded", "recorded"]
    assert there.get().getvalue() == before.replace(api.account.pk.encode(), other_account.pk.encode())


# Messages


@pytest.mark.parametrize(
    "body",
    [[], {}, "x", [5], {"role": "bot", "content": "x"}, [{"role": "lead"}], {"role": "lead", "content": "a\x00"}],
)
def test_bad_messages_are_400_and_none_is_added(api: Api, record: Record, body: Any) -> None:
    conversation = record()
    response = api.post(f"{PATH}/{conversation.pk}/messages", body)
    assert response.status_code == 400
    assert json_of(response)["details"]["messages"]
    conversation.refresh_from_db()
    assert conversation.message_count == 2


def test_full_conversation_is_400_and_says_so(api: Api, record: Record) -> None:
    conversation = record(messages=[message("x")] * 5_000)
    response = api.post(f"{PATH}/{conversation.pk}/messages", message("one more"))
    assert response.status_code == 400
    assert "5,000 messages" in response.content.decode()


def test_one_or_many_messages_are_appended(api: Api, record: Record) -> None:
    pk = record().pk
    api.post(f"{PATH}/{pk}/messages", {"role": "lead", "content": "One"})
    response = api.post(f"{PATH}/{pk}/messages", [message("Two"), message("Three", role="human")])
    assert response.status_code == 200
    shown = json_of(response)
    assert [said["content"] for said in shown["messages"][2:]] == ["One", "Two", "Three"]
    assert shown["messageCount"] == 5
    assert api.listed() == [shown]


# Details and status


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"currentStageIndex": -1}, "currentStageIndex"),
        ({"currentStageIndex": None}, "currentStageIndex"),
        ({"agentConfigId": None}, "agentConfigId"),
        ({"campaignId": "x"}, "campaignId"),
        ({"leadEmail": 5}, "leadEmail"),
        ({"summary": "x" * 20_001}, "summary"),
        ({"qualificationResult": {"reason": "x"}}, "qualificationResult"),
    ],
)
def test_bad_detail_is_400_and_changes_nothing(api: Api, record: Record, body: dict[str, Any], field: str) -> None:
    conversation = record(summary="S")
    response = api.patch(f"{PATH}/{conversation.pk}", {"currentStageName": "New", **body})
    assert response.status_code == 400
    assert list(json_of(response)["details"]) == [field]
    conversation.refresh_from_db()
    assert conversation.current_stage_name == ""


def test_details_change_and_null_takes_away(api: Api, record: Record) -> None:
    pk = record(summary="S", leadEmail="a@example.com", campaignId=CAMPAIGN, currentStageName="A").pk
    body = {
        "summary": None, "leadEmail": None, "campaignId": None, "currentStageName": "Pricing", "currentStageIndex": 3,
        "qualificationResult": {"qualified": True, "reason": "Budget"}, "agentConfigId": "b" * 24,
        "status": "dropped", "leadPhone": "+9", "accountId": "0" * 24,
    }  # fmt: skip
    response = api.patch(f"{PATH}/{pk}", body)
    assert response.status_code == 200
    shown = json_of(response)
    assert not {"summary", "leadEmail", "campaignId"} & shown.keys()
    assert (shown["currentStageName"], shown["currentStageIndex"], shown["agentConfigId"]) == ("Pricing", 3, "b" * 24)
    assert shown["qualificationResult"] == {"qualified": True, "reason": "Budget"}
    assert shown["status"] == "active"
    assert shown["leadPhone"] != "+9"
    response = api.patch(f"{PATH}/{pk}", {"qualificationResult": None})
    assert "qualificationResult" not in json_of(response)


@pytest.mark.parametrize("status", ["active", "open", "", None, 5, ["dropped"]])
def test_status_other_than_the_three_is_400_and_names_them(api: Api, record: Record, status: Any) -> None:
    response = api.patch(f"{PATH}/{record().pk}/status", {"status": status})
    assert response.status_code == 400
    if status is not None:
        assert "completed, handed_off, dropped" in " ".join(json_of(response)["details"]["status"])


def test_status_changes_by_the_key_and_is_audited(api: Api, record: Record) -> None:
    pk = record().pk
    response = api.patch(f"{PATH}/{pk}/status", {"status": "handed_off"})
    assert response.status_code == 200
    assert json_of(response)["status"] == "handed_off"
    assert json_of(api.patch(f"{PATH}/{pk}/status", {"status": "handed_off"})) == json_of(response)
    entry = AuditEvent.objects.get(action="conversation.status_changed")
    assert (entry.actor_type, entry.actor_id, entry.actor_ip) == ("api_key", api.key.pk, "127.0.0.1")
    assert entry.metadata == {"from": "active", "to": "handed_off"}


# Conditional requests


def test_what_has_not_changed_is_304_without_reading_messages(api: Api, record: Record) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    pk = record().pk
    for path in (PATH, f"{PATH}?limit=5", f"{PATH}/{pk}"):
        etag = api.get(path).headers["ETag"]
        with CaptureQueriesContext(connection) as captured:
            response = api.get(path, headers={"If-None-Match": f'"other", W/{etag}'})
        assert (response.status_code, response.getvalue(), response.headers["ETag"]) == (304, b"", etag)
        if connection.vendor != "mongodb":
            assert not any('"messages"' in query["sql"] for query in captured)
        assert api.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
        assert api.get(path, headers={"If-None-Match": "*"}).status_code == 304


def test_tag_changes_with_every_change(api: Api, record: Record, other_account: Account) -> None:
    pk = record(id=ID).pk
    old = {"id": ID, "createdAt": "2020-01-01T00:00:00Z", "updatedAt": "2020-01-01T00:00:00Z"}
    changes: list[Callable[[], Any]] = [
        lambda: api.post(f"{PATH}/{pk}/messages", message("Hi")),
        lambda: api.patch(f"{PATH}/{pk}/status", {"status": "dropped"}),
        lambda: api.patch(f"{PATH}/{pk}", {"summary": "S"}),
        lambda: api.post(PATH, wire(**old)),
        lambda: api.post(PATH, wire(**old, summary="Again")),
    ]
    seen = [(api.get().headers["ETag"], api.get(f"{PATH}/{pk}").headers["ETag"])]
    for change in changes:
        assert change().status_code == 200
        seen.append((api.get().headers["ETag"], api.get(f"{PATH}/{pk}").headers["ETag"]))
    assert len({tag for tag, _ in seen}) == len({tag for _, tag in seen}) == len(changes) + 1
    listed = api.get().headers["ETag"]
    record(account=other_account)
    record(environment="test")
    assert api.get().headers["ETag"] == listed
    record()
    assert api.get().headers["ETag"] != listed


def test_agent_of_a_message_is_kept(api: Api) -> None:
    shown = json_of(api.post(PATH, wire(messages=[message("Hi", role="agent"), message("Yo")])))
    assert shown["messages"][0]["agentConfigId"] == AGENT
    assert "agentConfigId" not in shown["messages"][1]
