"""What the log is spared: whoever floods the API must not flood the log too."""

import logging
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from tests.conftest import Api


@pytest.mark.parametrize("limit", ["RATE_LIMIT_ADDRESS", "RATE_LIMIT_KEY", "RATE_LIMIT_ACCOUNT"])
def test_request_beyond_a_limit_writes_no_line(
    acme: Account, settings: Any, caplog: pytest.LogCaptureFixture, limit: str
) -> None:
    setattr(settings, limit, 2)
    api = Api(acme)
    with caplog.at_level("DEBUG", logger="django.request"):
        assert [api.get(limit=1).status_code for _ in range(4)] == [200, 200, 429, 429]
    assert [entry.getMessage() for entry in caplog.records if entry.name == "django.request"] == []


def test_other_refusals_write_a_line_each(acme: Account, caplog: pytest.LogCaptureFixture) -> None:
    assert Api(acme).get(limit="x").status_code == 400
    assert [entry.getMessage() for entry in caplog.records] == ["Bad Request: /api/conversations"]


def test_a_foreign_host_is_a_line_and_no_traceback(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert client.get("/login/", HTTP_HOST="evil.example").status_code == 400
    [record] = [record for record in caplog.records if record.name == "django.security.DisallowedHost"]
    assert "evil.example" in record.getMessage()
    assert record.exc_info is None
    assert "\n" not in logging.Formatter().format(record)
