"""``python -m tests.trust.mutants``: is each filter by account or environment, and each check, held by a test?

Every mutant takes one of them away. First the tests run as they are, and tell which functions they reach. Then each
mutant is planted into a fork of its own, over a copy of the tests' database, and the tests that reach its function run
until one fails. A mutant that no test kills survives, and ends this with 1.

The source stays as it is. About ten minutes on two cores.
"""

import argparse
import os
import pickle
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.trust.finding import Mutant, mutants
from tests.trust.harmless import is_harmless, stale
from tests.trust.planting import plant, watch

TESTS = [
    *(
        f"tests/accounts/test_{name}.py"
        for name in (
            *(
                "account_page",
                "admin",
                "admin_actions",
                "audit_api",
                "audit_pages",
                "authentication",
                "idempotency",
                "invitation_page",
            ),
            *("keys", "keys_api", "keys_pages", "people_pages", "second_factor", "security", "switch_account", "team"),
        )
    ),
    *(
        f"tests/conversations/test_{name}.py"
        for name in (
            *("analytics_api", "analytics_page", "bulk", "change_status_page", "detail_api", "erasing", "export_api"),
            *("list_api", "list_filters", "masking", "names", "notes", "pages", "recording_api", "retention"),
            *("saved_views", "shared_brief", "tally", "transcript_page"),
        )
    ),
    "tests/test_isolation.py",
    "tests/test_scopes.py",
    "tests/test_access_matrix.py",
]
"""Where a test may be that kills one. Fewer than all, for all of them run once before."""

MATRIX = "tests/test_access_matrix.py"
"""Is not run before, for it takes minutes; its rows of the mutant's own module come last."""

OF_IMPORT = "tests/test_scopes.py"
"""Which tests ask for the scopes of routes, which are read once."""

PATIENCE = 150
"""Seconds for the tests of one mutant. One for which they do not answer counts as a survivor."""

TELLING = re.compile(
    r"another|other|foreign|mix|own|without|scope|refus|nobody|only|not_found|40[134]|reach|hold|gone|may|answer|matrix"
)
"""Words of tests that ask who gets through: these run first."""


@dataclass
class Trial:
    """A fork and what it was given to do."""

    pid: int
    mutant: Mutant | None
    answer: Path
    began: float = field(default_factory=time.monotonic)


class Loop:
    """A plugin of pytest that takes the place of its loop over the tests."""

    def __init__(self, chosen: list[Mutant], workers: int) -> None:
        self.chosen = chosen
        self.workers = workers
        self.folder = Path(tempfile.mkdtemp(prefix="parley-mutants-"))
        self.seconds: dict[int, float] = {}
        self.reached: dict[int, set[tuple[str, str]]] = {}
        self.killers: dict[str, list[int]] = {}
        self.failing: set[int] = set()
        self.survivors: list[Mutant] = []
        self.killed = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        self.session, self.items = session, session.items
        try:
            self._prepare()
            self._measure()
            self._try_all()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
        return True

    def _prepare(self) -> None:
        """The database, which the first test that wants one makes."""
        from _pytest.runner import runtestprotocol
        from django.db import connections

        first = next(item for item in self.items if "db" in item.fixturenames)
        reports = runtestprotocol(first, nextitem=self.items[-1], log=False)
        if any(report.failed for report in reports):
            pytest.exit(f"{first.nodeid} fails as it is", returncode=2)
        connections.close_all()  # the last connection leaves a single file behind

    def _measure(self) -> None:
        """All tests, as they are: what each takes, and which functions it reaches."""
        began = time.monotonic()
        measured = [number for number, item in enumerate(self.items) if not item.nodeid.startswith(MATRIX)]
        parts = [measured[start :: self.workers] for start in range(self.workers)]
        trials = [self._fork(None, lambda part=part: self._all_of(part)) for part in parts]  # type: ignore[misc]
        for trial in trials:
            os.waitpid(trial.pid, 0)
            if not trial.answer.exists():
                pytest.exit(f"The tests broke off as they are: {self._fault(trial)}", returncode=2)
            for number, seconds, is_failed, reached in pickle.loads(trial.answer.read_bytes()):  # noqa: S301
                self.seconds[number], self.reached[number] = seconds, reached
                if is_failed:
                    self.failing.add(number)
        for number in self.failing:  # proves nothing
            print(f"Left out, for it fails as it is: {self.items[number].nodeid}", flush=True)
            self.reached[number] = set()
        print(f"{len(measured)} tests as they are: {time.monotonic() - began:.0f} s", flush=True)
        if len(self.failing) > len(self.items) / 100:
            pytest.exit("Too many tests fail as they are", returncode=2)

    def _begin(self, number: int) -> None:
        """Ends what the process of before had begun for other tests."""
        self.session._setupstate.teardown_exact(self.items[number])

    def _all_of(self, part: list[int]) -> list[Any]:
        reached: set[tuple[str, str]] = set()
        watch(self.chosen, reached)
        found = []
        self._begin(part[0])
        for place, number in enumerate(part):
            reached.clear()
            began = time.monotonic()
            is_failed = self._run(number, part[(place + 1) % len(part)])
            found.append((number, time.monotonic() - began, is_failed, set(reached)))
        return found

    def _try_all(self) -> None:
        began, waiting, running = time.monotonic(), self.chosen[::-1], dict[int, Trial]()
        while waiting or running:
            while waiting and len(running) < self.workers:
                mutant = waiting.pop()
                numbers = self._tests_for(mutant)
                trial = self._fork(mutant, lambda m=mutant, n=numbers: self._kill(m, n))  # type: ignore[misc]
                running[trial.pid] = trial
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid:
                self._tell(running.pop(pid))
                continue
            for trial in running.values():
                if time.monotonic() - trial.began > PATIENCE:
                    os.kill(trial.pid, signal.SIGKILL)
            time.sleep(0.02)
        for mutant in self.survivors:
            print(f"SURVIVED {mutant}")
        print(
            f"{self.killed} of {len(self.chosen)} mutants killed by {len(self.items)} tests"
            f" in {time.monotonic() - began:.0f} s",
            flush=True,
        )

    def _tests_for(self, mutant: Mutant) -> list[int]:
        """Those that reach it: which killed its neighbours first, then which ask who gets through, the quick ones."""
        if mutant.is_of_import:
            asking = (number for number, item in enumerate(self.items) if item.nodeid.startswith(OF_IMPORT))
            return [number for number in asking if number not in self.failing]
        reaching = [number for number, reached in self.reached.items() if (mutant.path, mutant.where) in reached]
        known = self.killers.get(mutant.path, [])
        return self._ordered(reaching, known) + self._rows_of(mutant)

    def _rows_of(self, mutant: Mutant) -> list[int]:
        """The rows of the access matrix for the routes of the mutant's module."""
        module = mutant.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        rows = []
        for number, item in enumerate(self.items):
            view = getattr(item, "callspec", None) and item.callspec.params.get("view")
            if view and item.nodeid.startswith(MATRIX) and module == getattr(view, "cls", view).__module__:
                rows.append(number)
        return rows

    def _ordered(self, reaching: list[int], known: list[int]) -> list[int]:
        return sorted(
            reaching,
            key=lambda number: (
                number not in known,
                not TELLING.search(self.items[number].name),
                self.seconds[number],
            ),
        )

    def _kill(self, mutant: Mutant, numbers: list[int]) -> int | None:
        """The first test that fails with the mutant."""
        plant(mutant)
        if numbers:
            self._begin(numbers[0])
        for place, number in enumerate(numbers):
            if self._run(number, numbers[(place + 1) % len(numbers)]):
                return number
        return None

    def _run(self, number: int, following: int) -> bool:
        """Whether the test fails."""
        from _pytest.runner import runtestprotocol

        reports = runtestprotocol(self.items[number], nextitem=self.items[following], log=False)
        return any(report.failed for report in reports)

    def _fork(self, mutant: Mutant | None, work: Callable[[], Any]) -> Trial:
        sys.stdout.flush()
        answer = self.folder / f"{time.monotonic_ns()}"
        if pid := os.fork():
            return Trial(pid, mutant, answer)
        status = 1
        try:
            self._be_alone(answer)
            done = pickle.dumps(work())
            answer.with_suffix(".part").write_bytes(done)
            answer.with_suffix(".part").rename(answer)
            status = 0
        except BaseException as error:
            answer.with_suffix(".fault").write_text("".join(traceback.format_exception(error)[-4:]))
        finally:
            os._exit(status)

    def _be_alone(self, answer: Path) -> None:
        """A database and an output of this process's own."""
        from django.db import connections

        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        settings = connections["default"].settings_dict
        own = answer.with_suffix(".sqlite3")
        shutil.copyfile(settings["NAME"], own)
        settings["NAME"] = str(own)

    def _fault(self, trial: Trial) -> str:
        file = trial.answer.with_suffix(".fault")
        return file.read_text() if file.exists() else ""

    def _tell(self, trial: Trial) -> None:
        assert trial.mutant is not None
        took = time.monotonic() - trial.began
        if fault := self._fault(trial):
            pytest.exit(f"{trial.mutant}: {fault}", returncode=2)
        killer = pickle.loads(trial.answer.read_bytes()) if trial.answer.exists() else -1  # noqa: S301
        for file in self.folder.glob(f"{trial.answer.name}*"):
            file.unlink()
        if killer in (None, -1):  # tests that did not answer in time have shown nothing
            self.survivors.append(trial.mutant)
            print(f"{'SURVIVED' if killer is None else 'NO ANSWER'} {took:5.1f} s  {trial.mutant}", flush=True)
            return
        self.killed += 1
        by = self.items[killer].nodeid
        self.killers.setdefault(trial.mutant.path, []).insert(0, killer)
        print(f"killed   {took:5.1f} s  {trial.mutant}\n                    by {by}", flush=True)


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trust.mutants", description=__doc__)
    parser.add_argument("--list", action="store_true", help="only name the mutants")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="those whose line has TEXT in it (a regular expression)"
    )
    parser.add_argument("--workers", type=int, default=2, help="forks at once (2)")
    parser.add_argument(
        "--tests", nargs="+", default=TESTS, metavar="PATH", help="other tests than all that may kill one"
    )
    options = parser.parse_args(None if arguments is None else list(arguments))
    every = mutants()
    if old := stale(every):
        print("Harmless mutants that are not there any more:", *old, sep="\n  ")
        return 2
    chosen = [mutant for mutant in every if not is_harmless(mutant) and re.search(options.only, str(mutant))]
    if options.list:
        print(*chosen, f"{len(chosen)} mutants", sep="\n")
        return 0
    os.environ["DATABASE_URL"] = "sqlite:///var/parley.sqlite3"
    loop = Loop(chosen, options.workers)
    quiet = ["-q", "-s", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::DeprecationWarning"]
    status = pytest.main([*quiet, "-m", "not browser and not server and not real_data", *options.tests], plugins=[loop])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return int(status)
    return 1 if loop.survivors or loop.killed < len(chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
