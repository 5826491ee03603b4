"""``python -m bench.startup``: how long Parley takes to be there, and what a worker takes of memory.

Times of processes that start are best of some: whatever else runs can only add to them. ``manage.py check`` is compared
with that of a new Django project by what both compute, in turn. Fails beyond its targets.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import data, results
from bench.load import ROOT, Server, memory_of_worker, running
from bench.rivals import PARLEY, PATH, SETTINGS

HEADERS = {"X-API-Key": data.TOKEN}
STARTS = 3
MOST_CHECK = 2.0  # times that of a new Django project, which takes half a second on a quiet machine
MOST_FIRST = 2.0  # times a warm request
MOST_MEMORY = 120.0  # MB


def main() -> None:
    file = data.setup(10_000)
    environment = {**os.environ, **SETTINGS, "DATABASE_URL": f"sqlite:///{file}"}
    check, empty = checks(environment)
    firsts, warms, memory = [], [], 0.0
    for _ in range(STARTS):
        with running(PARLEY.command(), PARLEY.environment(file, 0)) as server:
            while server.get("/readyz", {})[0] != 200:
                time.sleep(0.01)
            firsts.append(request(server))
            warms.append(statistics.median(request(server) for _ in range(30)))
            memory = max(memory, memory_of_worker(server))
    first, warm = min(firsts), min(warms)
    rows = [
        ["`manage.py check`, of processor", f"{check:.2f} s", ""],
        ["that of a new Django project", f"{empty:.2f} s", ""],
        ["Parley's by a new project's", f"{check / empty:.1f} ×", f"{MOST_CHECK:.0f} ×"],
        ["first request (a list of 50)", f"{first * 1000:.1f} ms", f"{MOST_FIRST:.0f} × a warm one"],
        ["a warm one", f"{warm * 1000:.1f} ms", ""],
        ["the first by a warm one", f"{first / warm:.1f} ×", f"{MOST_FIRST:.0f} ×"],
        ["a worker, resident", f"{memory:.0f} MB", f"{MOST_MEMORY:.0f} MB"],
    ]
    results.publish("startup", results.table(("", "measured", "target"), rows))
    if check > MOST_CHECK * empty or first > MOST_FIRST * warm or memory > MOST_MEMORY:
        sys.exit("Beyond a target.")


def checks(environment: dict[str, str]) -> tuple[float, float]:
    """Seconds of processor of ``manage.py check``: Parley's, and that of a project as Django makes it."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "django", "startproject", "empty", folder], check=True)  # noqa: S603
        # The settings of a new project are its own.
        empty = {name: value for name, value in environment.items() if name != "DJANGO_SETTINGS_MODULE"}
        rounds = [(check_once(ROOT, environment), check_once(Path(folder), empty)) for _ in range(STARTS)]
    parley, new = (min(taken) for taken in zip(*rounds, strict=True))
    return parley, new


def check_once(folder: Path, environment: dict[str, str]) -> float:
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "manage.py", "check"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)  # noqa: S603
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime


def request(server: Server) -> float:
    """Seconds of a list that has to be made: at another address each time."""
    start = time.perf_counter()
    status, _, content = server.get(f"{PATH}&number={start}", HEADERS)
    if status != 200:
        sys.exit(f"{status}: {content[:200]!r}")
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
