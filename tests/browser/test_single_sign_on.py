"""Single sign-on in a browser that holds the pages to their policy."""

from pathlib import Path
from typing import Any

import pytest

from tests.provider import CLIENT, SECRET, provider
from tests.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.server]


def test_a_browser_goes_there_and_back(chromium: Any, tmp_path: Path) -> None:
    """The policy lets the form through to the provider, and nothing else."""
    with provider() as there:
        there.person = {"sub": "1", "email": "alice@example.com", "email_verified": True}
        variables = {"OIDC_ISSUER": there.address, "OIDC_CLIENT_ID": CLIENT, "OIDC_CLIENT_SECRET": SECRET}
        with serving(tmp_path, conversations=[], static=True, **variables) as server:
            context = chromium.new_context(base_url=server.address)
            page = context.new_page()
            faults: list[str] = []
            page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
            page.goto("/login/?next=/settings/security/")
            page.click("text=Sign in with single sign-on")
            page.wait_for_url(f"{server.address}/settings/security/")
            assert "/authorize" in there.asked
            assert faults == []
            context.close()
