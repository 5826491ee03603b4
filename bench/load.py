"""Servers under load: started on a port of their own, asked by wrk (or ab), and stopped."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = 16
PATIENCE = 60  # seconds until a server must answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """One that runs."""

    port: int
    process: "subprocess.Popen[bytes]"

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        request = urllib.request.Request(self.url(path), headers=dict(headers))  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310
                return response.status, lower(response.headers), response.read()
        except urllib.error.HTTPError as error:
            return error.code, lower(error.headers), error.read()


def memory_of_worker(server: Server) -> float:
    """The resident memory, in MB, of the largest process that the server has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            text = status.read_text()
            if re.search(rf"^PPid:\s+{server.process.pid}$", text, re.MULTILINE):
                found += [int(size) / 1024 for size in re.findall(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)]
    return max(found, default=0.0)


def processor_of(server: Server) -> float:
    """Seconds of processor time that the server and all that it started have taken so far."""
    parents, taken = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            parents[int(stat.parent.name)], taken[int(stat.parent.name)] = int(fields[1]), sum(map(int, fields[11:13]))
    family = {server.process.pid}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(taken.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], *, port_argument: str = "") -> Iterator[Server]:
    """``command`` with PORT in its environment, or ``{port}`` replaced in its words, until the block ends."""
    port = free_port()
    words = [word.replace("{port}", str(port)) for word in command]
    log = ROOT / "var" / "bench" / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603
            words,
            cwd=ROOT,
            env={**os.environ, **environment, "PORT": str(port)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(port, process, log)
        yield Server(port, process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def repeating(work: Callable[[], object]) -> Iterator[None]:
    """``work`` again and again, in a thread of its own, until the block ends; then what it failed with, if it did."""
    is_over = threading.Event()

    def repeat() -> None:
        while not is_over.is_set():
            work()

    with ThreadPoolExecutor(1) as pool:
        repeated = pool.submit(repeat)
        try:
            yield
        finally:
            is_over.set()
        repeated.result()


def wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.02)
    lines = log.read_text(errors="replace").splitlines()[-5:]
    sys.exit("A server did not start:\n" + "\n".join(lines))


@dataclass(frozen=True)
class Load:
    """What one round of load found."""

    per_second: float
    per_processor_second: float
    """How many the server answers in a second of processor time: other load hardly matters to it."""
    median: float
    p95: float
    failed: int


def generator() -> str:
    """wrk, or ab, or the end with a sentence that says what to install."""
    for name in ("wrk", "ab"):
        if shutil.which(name):
            return name
    sys.exit("Neither wrk nor ab is here to make load with: apt-get install wrk (or apache2-utils).")


def load(
    server: Server,
    path: str,
    headers: Mapping[str, str],
    seconds: float,
    connections: int = CONNECTIONS,
    *,
    each_new: bool = False,
) -> Load:
    """``connections`` clients that ask again as soon as they are answered, for some seconds.

    ``each_new``: at another address each time, so that no answer is ready; ab cannot do that.
    """
    if each_new and generator() != "wrk":
        sys.exit("Addresses that are new each time need wrk: apt-get install wrk.")
    named = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    before = processor_of(server)
    if generator() == "wrk":
        words = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", *named]
        words += ["--timeout", "30s"]  # the slowest rivals take longer than its two seconds
        words += ["-s", str(ROOT / "bench" / "report.lua"), server.url(path)]
        found = run([*words, "--", "each_new"] if each_new else words)
        value = {name: float(number) for name, number in re.findall(r"^bench (\w+) ([\d.]+)$", found, re.MULTILINE)}
        requests, failed = value["requests"], value["failed"]
        rate, median, p95 = requests / value["seconds"], value["median"], value["p95"]
    else:
        words = ["ab", "-q", "-k", f"-c{connections}", f"-t{max(1, round(seconds))}", "-n10000000", *named]
        found = run([*words, server.url(path)])
        median, p95 = (float(re.search(rf"^ +{share}% +(\d+)", found, re.MULTILINE)[1]) for share in (50, 95))  # type: ignore[index]
        rate, requests = (
            float(re.search(rf"{name}: +([\d.]+)", found)[1])  # type: ignore[index]
            for name in ("Requests per second", "Complete requests")
        )
        failed = float((re.search(r"Failed requests: +(\d+)", found) or [0, 0])[1])
    taken = max(processor_of(server) - before, 0.01)
    return Load(rate, requests / taken, median, p95, int(failed))


def run(words: Sequence[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"{words[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
