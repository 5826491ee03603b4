"""Parley, and the server of its store, killed under load: the small form of ``python -m tests.durability kills``."""

from pathlib import Path

import pytest
from django.db import connection

from tests.durability.shaking import shake

pytestmark = pytest.mark.server


def test_what_was_acknowledged_outlives_kill_9_and_is_there_once(tmp_path: Path) -> None:
    load, kills = shake(connection.vendor, tmp_path, kills=3)
    assert len(kills) == 3
    assert load.acknowledged > 50
    assert load.tally.answers["no answer"] > 0  # the kills hit somebody
