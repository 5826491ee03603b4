"""``/metrics``: who may read it, what it counts over all workers, and what never stands in it."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError, connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from accounts.milestones import remember
from config import metrics
from config.serve import BASE_DIR
from tests.factories import WireConversation, message
from tests.serving import Running, serving

TOKEN = "a-token-for-the-tests-alone"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def scraped(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(text: str, name: str, **labels: str) -> float | None:
    return samples(text).get((name, frozenset(labels.items())))


def test_without_a_token_there_is_no_such_page(client: Client) -> None:
    given = client.get("/metrics", headers=BEARER)
    assert given.status_code == 404
    assert b"There is nothing here" in given.content


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "é"]
)
def test_another_token_is_refused(client: Client, scraped: None, header: str | None) -> None:
    answer = client.get("/metrics", headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert b"parley_" not in answer.content


def test_it_is_only_read(client: Client, scraped: None) -> None:
    assert client.post("/metrics", headers=BEARER).status_code == 405


def test_it_tells_of_the_installation(client: Client, scraped: None, record: Any) -> None:
    record(status="active")
    record(status="active")
    record(status="completed", environment="test")
    remember("backup", rows=3)
    text = client.get("/metrics", headers=BEARER).content.decode()
    assert "parley_build_info{" in text
    assert of(text, "parley_store_up") == 1
    assert of(text, "parley_conversations", environment="live", status="active") == 2
    assert of(text, "parley_conversations", environment="test", status="completed") == 1
    if connection.vendor != "mongodb":
        assert of(text, "parley_search_index_up") == 1
    assert time.time() - (of(text, "parley_last_backup_timestamp_seconds") or 0) < 60


def test_a_store_that_is_away_is_told(client: Client, db: None, scraped: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("away")

    monkeypatch.setattr(metrics, "ask_store", fail)
    text = client.get("/metrics", headers=BEARER).content.decode()
    assert of(text, "parley_store_up") == 0
    assert "parley_conversations{" not in text


@pytest.mark.parametrize("token", ["short", "fifteen-letters", "sixteen-lettersé", "with-a-new\nline-in-it"])
def test_a_token_that_is_none_is_named(token: str) -> None:
    environment = {**os.environ, "METRICS_TOKEN": token, "DATABASE_URL": "sqlite:///:memory:"}
    command = [sys.executable, "-c", "import config.settings"]
    done = subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "METRICS_TOKEN must have 16 characters or more" in done.stderr


# The real server, with two workers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    said = [WireConversation(leadPhone="+15550104477", leadEmail="zelda@lead.example", messages=[message("xylophone")])]
    variables = {"METRICS_TOKEN": TOKEN, "WORKERS": "2", "RATE_LIMIT_ADDRESS": "150", "LOG_LEVEL": "ERROR"}
    folder = tmp_path_factory.mktemp("metrics")
    with serving(folder, conversations=said, static=True, **variables) as running:
        yield running


def ask(server: Running, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    parts = urlsplit(server.address)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)) as client:
        client.request(method, path, headers=headers)
        response = client.getresponse()
        return response.status, response.read().decode()


def scrape(server: Running) -> str:
    status, text = ask(server, "/metrics", **BEARER)
    assert status == 200
    return text


@pytest.mark.server
def test_counts_are_exact_over_all_workers_and_outlive_one(server: Running) -> None:
    key = {"X-API-Key": server.token}
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: ask(server, "/api/conversations?limit=1&search=xylophone", **key), range(120))
        )
    assert {status for status, _ in answers} == {200}
    for path in ("/nothing-%2B15550104477", "/also/nothing?zelda@lead.example", "/static/parley.css", "/login/"):
        ask(server, path)
    ask(server, "/login/", "BREW")
    refused = [ask(server, "/api/conversations", **key)[0] for _ in range(60)].count(429)
    assert refused >= 20
    listed = {"route": "conversations", "method": "GET"}
    before = scrape(server)
    [name] = {
        dict(labels)["route"] for (_, labels) in samples(before) if "conversation" in dict(labels).get("route", "")
    }
    listed["route"] = name
    for _ in range(6):  # whichever worker answers
        text = scrape(server)
        assert of(text, "parley_requests_total", **listed, status="200") == 120 + 60 - refused
        # A worker that does not know yet that the address has used up its limit finds it where it knows the key.
        late = of(text, "parley_requests_total", **listed, status="429") or 0
        assert of(text, "parley_request_duration_seconds_bucket", **listed, le="+Inf") == 180 - refused + late
        assert of(text, "parley_requests_total", route="none", method="GET", status="429") == refused - late
        assert of(text, "parley_requests_total", route="none", method="GET", status="404") == 2
        assert of(text, "parley_requests_total", route="static", method="GET", status="200") == 1
        assert 'method="other",' in text
        for hidden in ("5550104477", "zelda", "xylophone", "nothing", "BREW", TOKEN, server.token[8:], "Acme"):
            assert hidden not in text
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)  # granian starts another one
    time.sleep(3)
    assert of(scrape(server), "parley_requests_total", **listed, status="200") == 120 + 60 - refused


def test_series_are_bounded(client: Client, scraped: None, db: None) -> None:
    for number in range(50):
        client.get(f"/nothing/{number}/")
        client.generic(f"WORD{number}", "/login/")
        client.get("/login/", {f"p{number}": "x"})
    text = metrics.exposition().decode()
    routes = set(re.findall(r'parley_requests_total\{[^}]*route="([^"]+)"', text))
    assert routes <= {"none", "account_login", "metrics"} | {route for route in routes if not re.search(r"\d", route)}
    assert len([line for line in text.splitlines() if line.startswith("parley_requests_total{")]) < 40
