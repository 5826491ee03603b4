"""The small form of ``python -m tests.durability contention``."""

from pathlib import Path

import pytest
from django.db import connection

from tests.durability.contention import contend

pytestmark = pytest.mark.server


def test_many_writers_fill_a_conversation_to_its_limit_and_lose_nothing(tmp_path: Path) -> None:
    found = contend(connection.vendor, tmp_path, writers=16, each=20, before=4_800, workers=2)
    assert (found.sent, found.accepted, found.refused) == (320, 200, 120)
