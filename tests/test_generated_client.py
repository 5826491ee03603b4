"""A client that somebody else's generator makes from the description, against a real server."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings

from tests.factories import AGENT, WireConversation, message
from tests.serving import Running, serving

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    conversations = [
        WireConversation(leadId=str(number), messages=[message(f"Is office {number} free?")]) for number in range(5)
    ]
    with serving(tmp_path_factory.mktemp("generated"), conversations=conversations) as running:
        yield running


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """The generated package: ``api`` and ``models`` as modules by name."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "config.yml").write_text("package_name_override: made_client\n")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    command += ["--path", str(settings.BASE_DIR / "docs" / "openapi.json"), "--config", "config.yml"]
    command += ["--output-path", "made_client"]
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it formats with ruff
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": programs}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    try:
        yield SimpleNamespace(
            module=lambda name: importlib.import_module(f"made_client.{name}"),
            models=importlib.import_module("made_client.models"),
        )
    finally:
        sys.path.remove(str(folder))


@pytest.fixture(params=["X-API-Key", "Authorization"])
def client(request: Any, generated: Any, server: Running) -> Iterator[Any]:
    options = {"auth_header_name": "X-API-Key", "prefix": ""} if request.param == "X-API-Key" else {}
    with generated.module("client").AuthenticatedClient(server.address, server.token, **options) as opened:
        yield opened


def test_generated_client_lists_and_searches(generated: Any, client: Any) -> None:
    listing = generated.module("api.conversations.list_conversations")
    everything = listing.sync(client=client)
    assert {"0", "1", "2", "3", "4"} <= {conversation.lead_id for conversation in everything}
    [found] = listing.sync(client=client, search="OFFICE 3", limit=5)
    assert (found.lead_id, found.messages[0].content) == ("3", "Is office 3 free?")
    active = generated.models.ListConversationsStatus("active")
    answer = listing.sync_detailed(client=client, status=active, limit=2)
    assert len(answer.parsed) == 2
    assert 'rel="next"' in answer.headers["Link"]
    again = listing.sync_detailed(client=client, status=active, limit=2, if_none_match=answer.headers["ETag"])
    assert again.status_code == 304


def test_generated_client_gets_one(generated: Any, client: Any) -> None:
    [first] = generated.module("api.conversations.list_conversations").sync(client=client, lead_id="1")
    getting = generated.module("api.conversations.get_conversation")
    assert getting.sync(first.field_id, client=client) == first
    refused = getting.sync("f" * 24, client=client)
    assert isinstance(refused, generated.models.Error)
    assert refused.error == "Conversation not found"


def test_generated_client_records_appends_and_changes_the_status(generated: Any, client: Any) -> None:
    models = generated.models
    record = models.ConversationRecord(
        lead_id=4711,
        agent_config_id=AGENT,
        channel=models.ConversationRecordChannel("telegram"),
        lead_phone="+15550102233",
        messages=[models.NewMessage(models.NewMessageRole("agent"), "Hello!", agent_config_id=AGENT)],
        qualification_result=models.NewQualificationResult(True, reason="Budget fits."),
    )
    recording = generated.module("api.conversations.record_conversations")
    recorded = recording.sync_detailed(client=client, body=record, idempotency_key=f"made-{id(client)}")
    assert recorded.status_code == 201
    again = recording.sync_detailed(client=client, body=record, idempotency_key=f"made-{id(client)}")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.parsed == recorded.parsed
    assert (recorded.parsed.lead_id, recorded.parsed.qualification_result.reason) == ("4711", "Budget fits.")
    [result] = recording.sync(client=client, body=[record])
    assert result.result.value == "recorded"

    pk = recorded.parsed.field_id
    said = [models.NewMessage(models.NewMessageRole("lead"), "What is the price?")]
    appended = generated.module("api.conversations.append_messages").sync(pk, client=client, body=said)
    assert appended.message_count == 2
    target = models.StatusChange(models.StatusChangeStatus("completed"))
    closed = generated.module("api.conversations.change_conversation_status").sync(pk, client=client, body=target)
    assert closed.status.value == "completed"


def test_generated_client_reads_figures_and_the_audit_log(generated: Any, client: Any) -> None:
    figures = generated.module("api.analytics.get_overview").sync(client=client)
    assert figures.channel_breakdown.whatsapp >= 0
    page = generated.module("api.audit_log.list_audit_logs").sync(client=client, limit=1)
    assert (len(page.data), page.limit) == (1, 1)
