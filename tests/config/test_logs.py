"""What the log is spared: whoever floods the API must not flood the log too."""

from typing import Any

import pytest

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
