"""The API's description: complete, valid, in step with the code and with the committed copy."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator, FormatChecker

from accounts.models import Account
from accounts.scopes import Scope
from config.docs import description
from conversations.models import Conversation
from tests.config.test_conventions import OPEN, routes
from tests.conftest import Api, json_of

pytestmark = pytest.mark.every_store  # ids and limits are the models', which differ

COMMITTED = settings.BASE_DIR / "docs" / "openapi.json"
SCHEMA: dict[str, Any] = json.loads(description("json"))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in SCHEMA["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """What a $ref stands for; anything else is itself."""
    if "$ref" in part:
        _, _, kind, name = part["$ref"].split("/")
        found: dict[str, Any] = SCHEMA["components"][kind][name]
        return found
    return part


def assert_as_described(response: Any, path: str, method: str = "get") -> Any:
    """The answer's status, headers and body are what is said of the operation."""
    said = SCHEMA["paths"][path][method]["responses"]
    assert str(response.status_code) in said, (path, response.status_code, response.getvalue()[:300])
    answer = resolved(said[str(response.status_code)])
    for name, header in answer.get("headers", {}).items():
        header = resolved(header)
        assert not header.get("required") or name in response.headers, (path, name)
        if name in response.headers and header["schema"]["type"] == "string":
            Draft202012Validator(header["schema"]).validate(response.headers[name])
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    if "content" not in answer:
        assert response.getvalue() == b""
        return None
    schema = {**answer["content"][kind]["schema"], "components": SCHEMA["components"]}
    shown = json_of(response) if kind == "application/json" else response.getvalue().decode()
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(shown)
    return shown


def test_committed_description_is_that_of_the_code() -> None:
    committed = json.loads(COMMITTED.read_text())
    assert json.dumps(committed) == json.dumps(SCHEMA), "docs/openapi.json is out of date: make schema renews it"


def test_description_is_valid_and_made_without_warnings(tmp_path: Any) -> None:
    for kind in ("openapi", "openapi-json"):
        call_command("spectacular", validate=True, fail_on_warn=True, format=kind, file=str(tmp_path / kind))
    assert SCHEMA["openapi"].startswith("3.1")


def test_every_route_is_described() -> None:
    described = {path.replace("{id}", "<str:pk>").removeprefix("/") for path in SCHEMA["paths"]}
    assert {path for path, _ in routes() if path.startswith("api/")} - OPEN == described - OPEN


def test_every_operation_says_what_a_client_must_know() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids)
    for path, method, operation in operations():
        assert operation["summary"], path
        assert operation["description"], path
        assert {"429", "500", "503"} < operation["responses"].keys(), (path, method)
        for said in operation["responses"].values():
            assert "X-Request-Id" in resolved(said)["headers"], (path, method)
            assert resolved(said)["description"], (path, method)
        for parameter in map(resolved, operation.get("parameters", [])):
            assert parameter.get("description") or parameter["in"] == "path", (path, parameter)
        if "requestBody" in operation:
            assert operation["requestBody"]["content"]["application/json"]["examples"], path
            assert {"400", "413", "415"} < operation["responses"].keys(), (path, method)


def test_scopes_are_those_of_the_viewsets() -> None:
    scopes = {}
    for route, view in routes():
        if route.startswith("api/") and route not in OPEN:
            for method, action in view.actions.items():
                if method != "head":  # as GET, without the body
                    scopes["/" + route.replace("<str:pk>", "{id}"), method] = view.cls.scopes[action]
    described = {(path, method): each for path, method, each in operations() if path.removeprefix("/") not in OPEN}
    assert {key: operation["x-required-scope"] for key, operation in described.items()} == scopes
    for operation in described.values():
        assert operation["security"] == [{"apiKey": []}, {"bearer": []}]
        assert operation["x-required-scope"] in Scope.values
        assert f"`{operation['x-required-scope']}`" in operation["description"]
        assert {"401", "403"} < operation["responses"].keys()


def test_examples_of_the_description_fit_it() -> None:
    checked = 0
    for path, _, operation in operations():
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for part in (*bodies, *map(resolved, operation["responses"].values())):
            for media in part.get("content", {}).values():
                validator = Draft202012Validator({**media["schema"], "components": SCHEMA["components"]})
                for example in media.get("examples", {}).values():
                    assert validator.is_valid(example["value"]), (path, example)
                    checked += 1
    assert checked > 40


@pytest.fixture
def full(record: Callable[..., Conversation]) -> Conversation:
    """A conversation with every optional field."""
    return record(
        campaignId="c" * 24,
        leadEmail="ann@example.com",
        currentStageName="Offer",
        summary="Wants a small office.",
        qualificationResult={"qualified": True, "reason": "Budget fits."},
    )


def test_conversation_is_shown_in_the_described_order(api: Api, full: Conversation) -> None:
    [shown] = api.listed()
    schema = SCHEMA["components"]["schemas"]["Conversation"]
    assert list(shown) == list(schema["properties"])
    assert set(schema["properties"]) - set(schema["required"]) == {
        "campaignId",
        "leadEmail",
        "currentStageName",
        "summary",
        "qualificationResult",
    }


def test_reading_answers_as_described(api: Api, full: Conversation, record: Callable[..., Conversation]) -> None:
    record(channel="email", leadPhone="", messages=[])
    for path in SCHEMA["paths"]:
        if "get" in SCHEMA["paths"][path]:
            address = path.replace("{id}", full.pk)
            response = api.get(address)
            assert response.status_code == 200, address
            assert_as_described(response, path)
            if "304" in SCHEMA["paths"][path]["get"]["responses"]:
                again = api.get(address, headers={"If-None-Match": response.headers["ETag"]})
                assert again.status_code == 304
                assert_as_described(again, path)
    for parameters in ({"limit": 1}, {"format": "csv"}, {"format": "messages_csv"}, {"format": "jsonl"}):
        for path in ("/api/conversations", "/api/conversations/export", "/api/audit-logs/export"):
            assert_as_described(api.get(path, **parameters), path)


def test_every_example_of_a_request_is_accepted(api: Api, full: Conversation) -> None:
    for path, method, operation in operations():
        if "requestBody" in operation:
            for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
                response = api.send(method.upper(), path.replace("{id}", full.pk), example["value"])
                assert response.status_code in (200, 201), (path, response.content)
                assert_as_described(response, path, method)


def test_integers_are_what_json_means_by_them(api: Api, full: Conversation) -> None:
    example = SCHEMA["paths"]["/api/conversations"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    record = {key: value for key, value in example["one"]["value"].items() if key != "_id"}
    for given, stored in ((7, "7"), (7.0, "7"), (-(2**63), str(-(2**63)))):
        assert json_of(api.post("/api/conversations", {**record, "leadId": given}))["leadId"] == stored
    for refused in (True, 7.5, None):
        assert api.post("/api/conversations", {**record, "leadId": refused}).status_code == 400
    changes: list[tuple[Any, int]] = [(3, 200), (3.0, 200), ("3", 400), (True, 400), (3.5, 400)]
    for index, status in changes:
        assert api.patch(f"/api/conversations/{full.pk}", {"currentStageIndex": index}).status_code == status, index


def test_keys_are_managed_as_described(api: Api) -> None:
    issued = api.post("/api/api-keys", {"name": "CRM", "scopes": ["audit:view"], "environment": "test"})
    address = f"/api/api-keys/{assert_as_described(issued, '/api/api-keys', 'post')['apiKey']['_id']}"
    for suffix, send in (("", api.delete), ("/rotate", api.post), ("/rotate", api.post), ("/revoke", api.patch)):
        method = send.__name__
        assert_as_described(send(f"{address}{suffix}"), f"/api/api-keys/{{id}}{suffix}", method)
    deleted = api.delete(address)
    assert deleted.status_code == 204
    assert_as_described(deleted, "/api/api-keys/{id}", "delete")


def test_refusals_are_as_described(api: Api, acme: Account, full: Conversation) -> None:
    nothing = Api(acme, scopes=[Scope.TEAM_VIEW])
    for path, method, operation in operations():
        address, verb = path.replace("{id}", full.pk), method.upper()
        if "401" in operation["responses"]:
            for token in ("", "nl_live_wrong"):
                refused = Client().generic(verb, address, headers={"X-API-Key": token} if token else {})
                assert refused.status_code == 401, path
                assert_as_described(refused, path, method)
            refused = nothing.send(verb, address)
            assert refused.status_code == 403, path
            assert_as_described(refused, path, method)
        if "{id}" in path:
            refused = api.send(verb, path.replace("{id}", "f" * 24))
            assert refused.status_code == 404, path
            assert_as_described(refused, path, method)
        if "requestBody" in operation:
            for body, status in ((b"{", 400), (b"[[]]", 400), (b" " * (11 << 20), 413)):
                refused = api.send(verb, address, body)
                assert refused.status_code == status or body == b"[[]]", (path, refused.content)
                assert_as_described(refused, path, method)


def test_description_is_open_to_everybody_in_json_and_yaml(client: Client, db: None) -> None:
    response = client.get("/api/schema")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    assert response.json() == SCHEMA
    again = client.get("/api/schema", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    response = client.get("/api/schema?format=yaml")
    assert response.headers["Content-Type"] == "application/yaml"
    assert response.content.startswith(b"openapi: 3.1")
    response = client.get("/api/schema?format=xml")
    assert (response.status_code, response.json()["details"]) == (400, {"format": ["Must be one of json, yaml."]})


def test_docs_page_names_the_description_and_keeps_the_policy(client: Client, db: None) -> None:
    response = client.get("/api/docs")
    assert response.status_code == 200
    assert 'data-schema="/api/schema"' in response.content.decode()
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert client.post("/api/docs").json() == {"error": 'Method "POST" not allowed.'}
    assert client.get("/api/docs/nothing").json() == {"error": "Not found"}
