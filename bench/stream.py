"""``python -m bench.stream [CONVERSATIONS]``: a whole account in one answer, and what others notice of it.

As JSON and as NDJSON; beside them the driver alone, which copies the same column. What counts is how much goes through
in a second of processor time, the server's or the driver's. Two workers, so that others may be answered meanwhile.
"""

import http.client
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from bench import data, results
from bench.load import Server, generator, load, memory_of_worker, processor_of, repeating, running
from bench.rivals import PARLEY, PATH

HEADERS = {"X-API-Key": data.TOKEN}
STREAMS = {"JSON": "/api/conversations", "NDJSON": "/api/conversations/export?format=ndjson"}
MOST_FIRST = 0.1  # seconds
MOST_GROWTH = 50.0  # MB
LEAST_SPEED = 60.0  # MB/s, or LEAST_SHARE of what the driver copies
LEAST_SHARE = 0.5
MOST_SLOWER = 3.0


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    generator()
    file = data.setup(number)
    by_clock, raw = copied(file)
    rows = [["the driver alone, the messages column", "", f"{by_clock:.0f} MB/s", f"{raw:.0f} MB/s", ""]]
    missed = []
    with running(PARLEY.command(), {**PARLEY.environment(file, 0), "WORKERS": "2"}) as server:
        for _ in range(20):
            server.get(PATH, HEADERS)
        idle = load(server, PATH, HEADERS, 3, connections=2, each_new=True).p95
        before = memory_of_worker(server)
        for name, path in STREAMS.items():
            first, by_clock, speed = streamed(server, path)
            growth = memory_of_worker(server) - before
            shown = f"{speed:.0f} MB/s, {speed / raw:.2f} ×"
            rows.append([name, f"{first * 1000:.0f} ms", f"{by_clock:.0f} MB/s", shown, f"{growth:.0f} MB"])
            if first > MOST_FIRST or growth > MOST_GROWTH or speed < min(LEAST_SPEED, LEAST_SHARE * raw):
                missed.append(name)
        with repeating(lambda: streamed(server, STREAMS["JSON"])):
            busy = load(server, PATH, HEADERS, 3, connections=2, each_new=True).p95
    text = (
        f"{number:,} conversations. Others' lists of 50 meanwhile, 95 of 100 within: {busy:.1f} ms; else {idle:.1f} ms "
    )
    text += f"({busy / idle:.1f} ×).\n\n"
    header = ("", "first byte", "speed", "in a second of processor", "memory grows by")
    results.publish("stream", text + results.table(header, rows))
    if missed or busy > MOST_SLOWER * idle:
        sys.exit(f"Beyond a target: {', '.join(missed) or 'others wait'}.")


def copied(file: Path) -> tuple[float, float]:
    """MB/s of the driver, which hands out the column as bytes, by the clock and by the processor."""
    start, before, size = time.perf_counter(), time.process_time(), 0
    with closing(sqlite3.connect(file)) as driver:
        sql = "SELECT CAST(messages AS BLOB) FROM conversations_conversation ORDER BY updated_at DESC, _id DESC"
        account = driver.execute("SELECT account_id FROM conversations_conversation LIMIT 1").fetchone()[0]
        mine = sql.replace("ORDER", "WHERE account_id = ? AND environment = 'live' ORDER")
        for (content,) in driver.execute(mine, (account,)):
            size += len(content)
    return size / (time.perf_counter() - start) / 1e6, size / (time.process_time() - before) / 1e6


def streamed(server: Server, path: str) -> tuple[float, float, float]:
    """Seconds until the first byte, and MB/s by the clock and by the processor."""
    before = processor_of(server)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    start = time.perf_counter()
    connection.request("GET", path, headers=HEADERS)
    response = connection.getresponse()
    size = len(response.read(1))
    first = time.perf_counter() - start
    while piece := response.read(1 << 18):
        size += len(piece)
    taken = time.perf_counter() - start
    connection.close()
    if response.status != 200:
        sys.exit(f"{path}: {response.status}")
    return first, size / taken / 1e6, size / max(processor_of(server) - before, 0.01) / 1e6


if __name__ == "__main__":
    main()
