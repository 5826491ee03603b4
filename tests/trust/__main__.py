"""``make trust``: what takes too long for every change. One trial after the other; ends with what each one said last.

``python -m tests.trust mutants slow`` runs those alone; ``--list`` names them all.
"""

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


TRIALS = [
    Trial(
        "schemathesis", "10,000 generated requests and more", module("tests.schemathesis_run", "--max-examples", "600")
    ),
]


def run(trial: Trial) -> tuple[int, str, float]:
    """Exit status, last line and seconds of a trial, whose output is passed on as it comes."""
    began, last = time.monotonic(), ""
    with subprocess.Popen(
        trial.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
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
