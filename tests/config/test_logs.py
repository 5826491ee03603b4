"""What the log is spared: whoever floods the API must not flood the log too; and how a line is written."""

import json
import logging
import sys
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from config.logs import JsonFormatter, TextFormatter, cleaned, parameter_names, shown_path, told
from tests.conftest import Api


@pytest.mark.parametrize("limit", ["RATE_LIMIT_ADDRESS", "RATE_LIMIT_KEY", "RATE_LIMIT_ACCOUNT"])
def test_request_beyond_a_limit_writes_no_line(
    acme: Account, settings: Any, caplog: pytest.LogCaptureFixture, limit: str
) -> None:
    setattr(settings, limit, 2)
    api = Api(acme)
    with caplog.at_level("INFO"):
        assert [api.get(limit=1).status_code for _ in range(4)] == [200, 200, 429, 429]
    lines = [entry.getMessage() for entry in caplog.records if entry.name != "django.request"]
    assert lines == ["GET /api/conversations 200"] * 2


def test_other_refusals_write_a_line_each(acme: Account, caplog: pytest.LogCaptureFixture) -> None:
    assert Api(acme).get(limit="x").status_code == 400
    [line] = [entry for entry in caplog.records if entry.name != "django.request"]
    assert (line.levelname, line.getMessage()) == ("WARNING", "GET /api/conversations 400")
    assert line.facts["parameters"] == ("limit",)  # type: ignore[attr-defined]
    assert line.facts["account"] == acme.pk  # type: ignore[attr-defined]


def test_what_is_streamed_is_written_down_when_it_has_ended(acme: Account, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        response = Api(acme).get()
        assert response.streaming
        assert caplog.records == []
        assert b"".join(response.streaming_content) == b"[]"
    assert [entry.getMessage() for entry in caplog.records] == ["GET /api/conversations 200"]
    assert caplog.records[0].request_id == response["X-Request-Id"]  # type: ignore[attr-defined]


def test_a_foreign_host_is_a_line_and_no_traceback(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert client.get("/login/", HTTP_HOST="evil.example").status_code == 400
    [record] = [record for record in caplog.records if record.name == "django.security.DisallowedHost"]
    assert "evil.example" in record.getMessage()
    assert record.exc_info is None
    assert "\n" not in logging.Formatter().format(record)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (
            "/api/conversations/65a0b1c2d3e4f5a6b7c8d9e0/messages",
            "/api/conversations/65a0b1c2d3e4f5a6b7c8d9e0/messages",
        ),
        ("/", "/"),
        ("/admin/accounts/user/12/change/", "/admin/accounts/user/12/change/"),
        ("/static/parley.css", "/static/parley.css"),
        ("/api/conversations/+15550104477", "/api/conversations/…"),
        ("/api/conversations/15550104477/x", "/api/conversations/…/x"),
        ("/alice@example.com", "/…"),
        ("/nl_live_0a1b", "/…"),
        ("/invitations/abcdef/", "/invitations/…"),
        ("/login/reset/3-abcdef/", "/login/reset/…"),
        ("/" + 41 * "a", "/…"),
        ("/a b\nc", "/…"),
    ],
)
def test_a_path_is_shown_by_its_words_and_ids(path: str, shown: str) -> None:
    assert shown_path(path) == shown


def test_parameters_are_named_once_and_without_values() -> None:
    assert parameter_names("search=%2B1555&limit=1&&limit=2&a%20b=1&alice@x.example=1&status") == (
        *("search", "limit", "…", "status"),
    )
    assert len(parameter_names("&".join(f"p{number}=1" for number in range(1_000)))) == 20


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Connection to 192.168.100.200:5432 failed at 2026-11-23 04:25", None),
        ("Requests are not counted for the next 10 seconds", None),
        ("key=65a0b1c2d3e4f5a6b7c8d9e0", None),
        ("called +1 (555) 010-4477 at once", "called … at once"),
        ("5550104477", "…"),
        ("Invalid HTTP_HOST header: 'evil.example:8000'. Add it", None),
        ("Invalid HTTP_HOST header: 'ring (555) 01'. Not valid", "Invalid HTTP_HOST header: …"),
        ("from <alice.b@example.com>, again", "from <…>, again"),
        ("Referer http://x.example/a?search=hello - no", "Referer http://x.example/a?… - no"),
        (f"key nl_test_{64 * 'a'}!", "key …!"),
        ("GET /invitations/secret/ failed", "GET /invitations/… failed"),
    ],
)
def test_texts_keep_what_operators_need_and_nothing_of_a_person(text: str, shown: str | None) -> None:
    assert cleaned(text) == (text if shown is None else shown)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (
            ValueError("invalid literal for int() with base 10: 'zelda'"),
            "ValueError: invalid literal for int() with base 10: …",
        ),
        (KeyError("zelda"), "KeyError: …"),
        (
            RuntimeError("no such column 'search_text' of zelda's"),
            "RuntimeError: no such column 'search_text' of zelda…",
        ),
        (RuntimeError("Failing row contains (zelda)\nDETAIL: zelda"), "RuntimeError: Failing row contains …"),
        (RuntimeError(), "RuntimeError: "),
    ],
)
def test_errors_are_told_up_to_what_they_quote(error: Exception, shown: str) -> None:
    assert told(error) == shown


def test_an_error_is_told_with_what_caused_it() -> None:
    def fail() -> None:
        try:
            int("zelda")
        except ValueError as error:
            raise RuntimeError("no use") from error

    try:
        fail()
    except RuntimeError:
        record = logging.LogRecord("config", logging.ERROR, __file__, 1, "Failed: %s", ("x@y.example",), sys.exc_info())
    text = TextFormatter().format(record)
    assert text.index("base 10: …") < text.index("RuntimeError: no use")
    assert 'int("zelda")' in text  # the code's own line; what came from outside never stands there
    line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["error"], line["level"]) == ("Failed: …", "RuntimeError: no use", "ERROR")
    assert line["traceback"].count("Traceback") == 2
