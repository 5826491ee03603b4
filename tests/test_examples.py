"""The examples of docs/api.md, run as they stand there against a real server."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.factories import WireConversation, message
from tests.serving import Running, serving

pytestmark = pytest.mark.server

TEXT = (settings.BASE_DIR / "docs" / "api.md").read_text()
EXAMPLES = dict(re.findall(r"^## (curl|Python|JavaScript)\n.*?```\w+\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL))
COUNT = 230


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    conversations = [WireConversation(messages=[message("What is the price?")]) for _ in range(COUNT)]
    with serving(tmp_path_factory.mktemp("examples"), conversations=conversations) as running:
        yield running


def program(name: str) -> str:
    if found := shutil.which(name):
        return found
    reason = f"{name} is not installed: apt-get install {name}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def run(command: list[str], server: Running, folder: Path) -> str:
    environment = {**os.environ, "PARLEY_URL": server.address, "PARLEY_KEY": server.token}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def assert_recorded_once_and_closed(server: Running, before: set[str]) -> str:
    """Exactly one conversation is new; it was appended to and closed. Its id."""
    closed = server.call("GET", "/api/conversations?status=completed&leadId=4711")
    [new] = [conversation for conversation in closed if conversation["_id"] not in before]
    assert [message["role"] for message in new["messages"]] == ["agent", "lead"]
    assert new["messages"][1]["content"] == "What is the price?"
    return str(new["_id"])


def ids(server: Running) -> set[str]:
    return {conversation["_id"] for conversation in server.call("GET", "/api/conversations")}


def test_curl_examples_do_what_they_say(server: Running, tmp_path: Path) -> None:
    program("curl")
    before = ids(server)
    run([program("bash"), "-euo", "pipefail", "-c", EXAMPLES["curl"]], server, tmp_path)
    assert_recorded_once_and_closed(server, before)
    walked = re.findall(r'"_id":"([0-9a-f]{24})"', (tmp_path / "pages.json").read_text())
    assert len(walked) == len(set(walked))
    assert set(walked) == ids(server)


def test_python_example_does_what_it_says(server: Running, tmp_path: Path) -> None:
    before = ids(server)
    shown = run([sys.executable, "-W", "error", "-c", EXAMPLES["Python"]], server, tmp_path)
    assert f"{assert_recorded_once_and_closed(server, before)} +1 (555) 010-2233 2" in shown.splitlines()


def test_javascript_example_does_what_it_says(server: Running, tmp_path: Path) -> None:
    (tmp_path / "example.mjs").write_text(EXAMPLES["JavaScript"])
    before = ids(server)
    shown = run([program("node"), "example.mjs"], server, tmp_path)
    assert f"{assert_recorded_once_and_closed(server, before)} +1 (555) 010-2233 2" in shown.splitlines()


def test_python_and_javascript_examples_walk_more_than_one_page(server: Running, tmp_path: Path) -> None:
    """With 50 to a page, as with 100: what the walk yields is what there is."""
    python = EXAMPLES["Python"].replace("'limit': 100", "'limit': 50").replace('walk(status="completed",', "walk(")
    script = (
        EXAMPLES["JavaScript"].replace("limit: 100", "limit: 50").replace('walk({ status: "completed", ', "walk({ ")
    )
    (tmp_path / "example.mjs").write_text(script)
    for command in ([sys.executable, "-c", python], [program("node"), "example.mjs"]):
        walked = [line.split()[0] for line in run(command, server, tmp_path).splitlines()]
        assert len(walked) == len(set(walked))
        assert set(walked) == ids(server)
