"""SIGTERM under load: what runs is finished, what was acknowledged is stored, and the server ends with 0."""

import http.client
import json
import signal
import time
from pathlib import Path

import pytest
from django.db import connection

from tests.durability.load import PATH, Load, empty_conversations
from tests.durability.shaking import CONVERSATIONS, check, database, parley_over
from tests.factories import WireConversation, message

pytestmark = pytest.mark.server

LARGE = [WireConversation(leadId="large", messages=[message("before-x" * 1_900)] * 20) for _ in range(40)]


def test_a_stop_under_load_finishes_what_runs_and_loses_nothing(tmp_path: Path) -> None:
    given = [*empty_conversations(CONVERSATIONS), *LARGE]
    with (
        database(connection.vendor, tmp_path) as (url, _),
        parley_over(url, tmp_path, given) as (parley, token),
    ):
        load = Load(parley.address, token, conversations=CONVERSATIONS)
        with load.running():
            time.sleep(1)
            # Twelve megabytes, of which the client has read none when the server is told to stop
            reader = http.client.HTTPConnection("127.0.0.1", parley.port, timeout=30)
            reader.request("GET", PATH, headers={"X-API-Key": token})
            response = reader.getresponse()
            parley.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            whole = json.loads(response.read())
            reader.close()
            assert response.status == 200
            assert len([each for each in whole if each["leadId"] == "large"]) == len(LARGE)
            assert parley.process.wait(20) == 0
            assert "Traceback" not in parley.log.read_text()
            parley.start("/readyz")
        check(load)
