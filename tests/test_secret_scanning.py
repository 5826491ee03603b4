"""SECURITY.md gives secret scanners a pattern: it finds every key that is made, and nothing that is not one."""

import re

import pytest
from django.conf import settings

from accounts.models import Account, ApiKey, Environment
from accounts.models.key import TOKEN


@pytest.fixture
def pattern() -> re.Pattern[str]:
    [found] = re.findall(r"`(nl_[^`]+)`", (settings.BASE_DIR / "SECURITY.md").read_text())
    return re.compile(found)


@pytest.mark.parametrize("environment", Environment.values)
def test_the_pattern_finds_every_key_that_is_made(pattern: re.Pattern[str], acme: Account, environment: str) -> None:
    _key, issued = ApiKey.objects.issue(
        account=acme, name="CRM", environment=environment, scopes=["conversations:view"], by=None
    )
    made = [ApiKey.build(account=acme, name="x", environment=environment, scopes=[])[1] for _ in range(100)]
    for token in [issued, *made]:
        assert TOKEN.fullmatch(token)
        assert pattern.findall(f'curl -H "X-API-Key: {token}" # {token}') == [environment, environment]
        assert pattern.search(f"KEY={token}\n")[0] == token  # type: ignore[index]


@pytest.mark.parametrize("text", ["nl_live_…9f3a", "nl_prod_" + 64 * "a", "nl_live_" + 63 * "a", "nl_test_" + 64 * "g"])
def test_the_pattern_leaves_alone_what_is_no_key(pattern: re.Pattern[str], text: str) -> None:
    assert not pattern.search(text)
