"""The real server on a full disk and in a read-only folder: 503, a line in the log, and nothing lost."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.models.idempotency import LEASE
from config.errors import UNAVAILABLE
from tests.durability.load import PATH, Client, ids
from tests.durability.shaking import UNLIMITED
from tests.factories import WireConversation, message
from tests.serving import Parley

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the others' disks are their servers' business"),
    pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted, which root alone may"),
]

SIZE = 4 << 20


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    mounted = folder / "disk"
    mounted.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", mounted], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"nothing may be mounted here: {made.stderr.decode().strip()}")
    try:
        yield mounted
    finally:
        subprocess.run(["umount", mounted], check=True)


def remount(mounted: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", mounted], check=True)


def test_a_full_disk_and_a_read_only_folder_lose_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        parley = Parley(tmp_path, {"DATABASE_URL": f"sqlite:///{disk}/parley.sqlite3", "WORKERS": "2", **UNLIMITED})
        token = parley.prepare([WireConversation(id=pk, messages=[]) for pk in ids(1)])
        client = Client(parley.address, token)
        path = f"{PATH}/{ids(1)[0]}/messages"

        def append(text: str) -> tuple[int, Any]:
            status, _, body = client.send("POST", path, message(text), **{"Idempotency-Key": text[:20]})
            return status, json.loads(body) if status >= 400 else None

        acknowledged = []
        parley.start("/readyz")
        try:
            filler = disk / "filler"
            free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            filler.write_bytes(bytes(free - 300_000))
            for number in range(100):
                status, body = append(f"{number:<20}" + "x" * 10_000)
                if status != 200:
                    break
                acknowledged.append(number)
            assert (status, body) == (503, {"error": UNAVAILABLE})
            assert client.send("GET", f"{PATH}?limit=1")[0] == 200  # reading goes on
            assert "database or disk is full" in parley.log.read_text()
            filler.unlink()
            assert append("room again")[0] == 200
        finally:
            client.close()
            parley.stop()

        remount(disk, "ro")
        parley.start("/healthz")
        try:
            assert append("read-only") == (503, {"error": UNAVAILABLE})
            assert "The store is unavailable: " in parley.log.read_text()
            assert client.send("GET", f"{PATH}?limit=1")[0] in (200, 503)
        finally:
            client.close()
            parley.stop()

        # What SQLite could only read when it was opened stays so for the process, so here a restart is needed.
        remount(disk, "rw")
        parley.start("/readyz")
        try:
            assert append("writable again")[0] == 200
            # The request that failed had no effect. Its server could not even take back that it had begun, so under
            # the same key it is carried out once that is taken for dead.
            deadline = time.monotonic() + LEASE.total_seconds() + 10
            while (answer := append(f"{number:<20}" + "x" * 10_000))[0] == 409:
                assert time.monotonic() < deadline
                time.sleep(0.5)
            assert answer[0] == 200
            shown = json.loads(client.send("GET", f"{PATH}/{ids(1)[0]}")[2])
        finally:
            client.close()
            parley.stop()
        stored = [said["content"][:20].strip() for said in shown["messages"]]
        assert stored == [*map(str, acknowledged), "room again", "writable again", str(number)]
