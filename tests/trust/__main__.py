"""``make trust``: what takes too long for every change. One trial after the other; ends with what each one said last.

``python -m tests.trust mutants slow`` runs those alone; ``--list`` names them all.
"""

import os
import subprocess
import sys
import time
from typing import NamedTuple

from tests.serving import ROOT


class Trial(NamedTuple):
    """A command of its own, which prints its figures and exits with 0 where the target was reached."""

    name: str
    what: str
    command: list[str]


def module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


PYTEST = module("pytest", "-p", "no:cacheprovider", "-s")

TRIALS = [
    Trial("mutants", "each filter and each check taken away in turn", module("tests.trust.mutants")),
    Trial("slow", "1,000 slow clients for 30 seconds", module("tests.trust.slow")),
    *(
        Trial(f"model-{store}", f"100 × 30 steps beside a model, on {store}", [*on, "-q", "tests/test_stateful.py"])
        for store, on in {
            "sqlite": PYTEST,
            "postgresql": [*module("tests.servers", "postgresql", "--"), *PYTEST],
            "mongodb": [*module("tests.servers", "mongodb", "--"), *PYTEST],
        }.items()
    ),
    Trial(
        "schemathesis", "10,000 generated requests and more", module("tests.schemathesis_run", "--max-examples", "600")
    ),
    Trial("kills", "kill -9 of servers and stores under load", module("tests.durability", "kills")),
    Trial("contention", "16 writers, one conversation", module("tests.durability", "contention")),
    Trial("replicas", "the primary of a replica set killed under load", module("tests.durability", "replicas")),
]


def run(trial: Trial) -> tuple[int, str, float]:
    """Exit status, last line and seconds of a trial, whose output is passed on as it comes."""
    began, last = time.monotonic(), ""
    environment = {"DATABASE_URL": "sqlite:///var/parley.sqlite3", "TRUST_EXAMPLES": "100", **os.environ}
    with subprocess.Popen(
        trial.command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            last = line.strip() or last
    return process.returncode, last, time.monotonic() - began


def main(arguments: list[str]) -> int:
    unknown = set(arguments) - {trial.name for trial in TRIALS}
    if unknown:
        for trial in TRIALS:
            print(f"{trial.name:16}{trial.what}")
        return 0 if unknown == {"--list"} else 2
    lines, failed = [], 0
    for trial in TRIALS:
        if not arguments or trial.name in arguments:
            print(f"\n=== {trial.name}: {trial.what}", flush=True)
            status, last, seconds = run(trial)
            failed += bool(status)
            lines.append(f"{'FAILED' if status else 'passed':8}{trial.name:16}{seconds:6.0f} s  {last}")
    print("\n" + "\n".join(lines))
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
