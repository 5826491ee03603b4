"""The counters of the rate limits: the arithmetic of their window, exactness, and what they survive."""

import itertools
import logging
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import Account
from config.storage.counters import Counters, CountersUnavailable, Use, Window, base, counters
from config.storage.transaction import atomic

pytestmark = pytest.mark.django_db

START = 4_102_444_800_123  # a moment to come: MongoDB removes, by its own clock, windows that are long over
MINUTE = 60_000


def take(name: str, limit: int, at: int = 0) -> Use:
    """One request, ``at`` milliseconds after the start."""
    [use] = counters().take([Window(name, limit)], START + at)
    return use


def admitted(name: str, limit: int, at: int = 0, *, tries: int) -> int:
    return sum(take(name, limit, at).admitted for _ in range(tries))


# Refusals


def test_what_exceeds_the_limit_is_refused() -> None:
    assert [take("a", 3, at).admitted for at in (0, 1, 2, 3, 59_999)] == [True, True, True, False, False]


def test_refused_request_is_not_counted() -> None:
    assert admitted("a", 3, tries=100) == 3
    assert take("a", 3, MINUTE).admitted


def test_a_window_may_be_longer() -> None:
    def wait(at: int) -> int | None:
        [use] = counters().take([Window("long", 2, 5 * MINUTE)], START + at)
        return None if use.admitted else use.retry_after

    assert [wait(at) for at in (0, MINUTE, 2 * MINUTE, 5 * MINUTE - 1)] == [None, None, 180, 1]
    assert wait(5 * MINUTE) is None
    assert wait(5 * MINUTE + 1) == 150, "what was counted before still weighs"
    assert wait(8 * MINUTE) is None
    assert wait(20 * MINUTE) is None


def test_what_was_given_back_is_free_again() -> None:
    both = [Window("key", 2), Window("account", 9)]
    uses = counters().take(both, START)
    assert take("key", 2).admitted
    assert not take("key", 2).admitted
    counters().give_back(uses)
    assert take("key", 2).admitted
    assert not take("key", 2).admitted
    assert take("account", 9).counted == 1
    counters().give_back(uses * 5)
    assert take("account", 9).counted == 1, "never below nothing"


def test_each_name_has_its_own_window() -> None:
    assert admitted("a", 3, tries=5) == 3
    assert admitted("b", 3, tries=5) == 3


def test_narrow_window_that_refuses_leaves_the_wide_one_alone() -> None:
    for _ in range(5):
        uses = counters().take([Window("key", 2), Window("account", 9)], START)
    assert [use.window.name for use in uses] == ["key"]
    assert take("account", 9).counted == 3


def test_wide_window_that_refuses_gives_back_the_narrow_one() -> None:
    for _ in range(5):
        uses = counters().take([Window("key", 9), Window("account", 2)], START)
    assert [use.admitted for use in uses] == [True, False]
    assert take("key", 9).counted == 3


@pytest.mark.parametrize(("key", "account", "answered"), [(2, 9, 2), (9, 2, 3)])
def test_what_is_firm_stays_counted_where_a_later_one_refuses(key: int, account: int, answered: int) -> None:
    for _ in range(5):
        uses = counters().take([Window("address", 9), Window("key", key), Window("account", account)], START, 1)
    assert [use.admitted for use in uses] == [*[True] * (answered - 1), False]
    assert [take(name, 9).counted for name in ("address", "key", "account")] == [6, 3, 3]


def test_what_is_firm_and_full_refuses_before_the_others_are_counted() -> None:
    for _ in range(5):
        uses = counters().take([Window("address", 2), Window("key", 9)], START, 1)
    assert [use.admitted for use in uses] == [False]
    assert take("key", 9).counted == 3


# The sliding window


def test_whoever_was_quiet_gets_the_whole_limit_and_no_more_wherever_the_minute_turns() -> None:
    for number in range(60):
        start = number * 1_000
        passed = sum(take(f"client {number}", 10, start + late).admitted for late in range(0, 30_000, 1_000))
        assert passed == 10


def test_what_was_counted_before_weighs_less_with_each_second() -> None:
    assert admitted("a", 60, tries=60) == 60
    assert admitted("a", 60, MINUTE, tries=9) == 1
    assert admitted("a", 60, MINUTE + 30_000, tries=99) == 30
    assert admitted("a", 60, MINUTE + 45_000, tries=99) == 15
    assert admitted("a", 60, 2 * MINUTE, tries=99) == 15


def test_steady_client_below_the_limit_is_never_refused() -> None:
    assert all(take("a", 30, at).admitted for at in range(0, 5 * MINUTE, 2_000))


def test_steady_client_gets_its_limit_and_not_more() -> None:
    passed = sum(take("a", 30, at).admitted for at in range(0, 20 * MINUTE, 500))
    assert 20 * 30 <= passed <= 21 * 30


def test_limit_of_one_is_one_a_minute() -> None:
    assert [at for at in range(0, 10 * MINUTE, 1_000) if take("a", 1, at).admitted][:3] == [0, 60_000, 120_000]


def test_pause_of_two_windows_forgets_everything() -> None:
    assert admitted("a", 5, 59_000, tries=9) == 5
    assert admitted("a", 5, 59_000 + 2 * MINUTE, tries=9) == 5


def test_clock_that_is_a_little_behind_counts_in_the_same_window() -> None:
    assert admitted("a", 5, 1_000, tries=3) == 3
    assert admitted("a", 5, 0, tries=9) == 2


def test_clock_that_was_set_back_opens_a_new_window() -> None:
    assert admitted("a", 5, 60 * MINUTE, tries=9) == 5
    assert admitted("a", 5, 0, tries=9) == 5


def test_limit_that_is_lowered_or_raised_holds_at_once() -> None:
    assert admitted("a", 10, tries=10) == 10
    refused = take("a", 5)
    assert not refused.admitted
    assert refused.remaining == 0
    assert 60 < refused.retry_after <= 120
    assert refused.reset == refused.retry_after
    assert admitted("a", 15, tries=9) == 5


def test_figures_count_down() -> None:
    uses = [take("a", 3, at) for at in (0, 10_500, 20_000, 30_000)]
    assert [use.remaining for use in uses] == [2, 1, 0, 0]
    assert [use.reset for use in uses] == [60, 50, 40, 30]
    assert uses[-1].retry_after == 30


gaps = st.lists(st.one_of(st.integers(0, 50), st.integers(0, 3_000), st.integers(0, 130_000)), max_size=40)
names = itertools.count()


@given(gaps=gaps, limit=st.integers(1, 12))
@hypothesis_settings(max_examples=40, deadline=None)
def test_store_counts_as_the_rule_says_and_retry_after_holds(gaps: list[int], limit: int) -> None:
    """The rule in plain Python against the store's statement; after each refusal, a client that does as it is told."""
    name = f"property {next(names)}"
    at = started = counted = before = 0
    opened = False
    for gap in gaps:
        at += gap
        turns = (at - started) // MINUTE
        if not opened or turns >= 2:
            opened, started, counted, before = True, at, 0, 0
        elif turns == 1:
            started, counted, before = started + MINUTE, 0, counted
        fits = before * (MINUTE - 1 - (at - started)) + counted * MINUTE < limit * MINUTE
        counted += fits
        use = take(name, limit, at)
        assert (use.admitted, use.counted, use.before, use.started - START) == (fits, counted, before, started)
        assert use.remaining <= limit
        if not fits:
            after = at + use.retry_after * 1_000
            assert use.retry_after <= 60
            again = Use(use.window, START + after, use.started, use.counted, use.before, admitted=True)
            if after - started < MINUTE:
                assert again.remaining >= 1
            else:
                slid = Use(use.window, START + after, use.started + MINUTE, 0, use.counted, admitted=True)
                assert slid.remaining >= 1


def test_client_that_obeys_retry_after_is_not_refused_again() -> None:
    at = refusals = 0
    for _ in range(400):
        use = take("a", 20, at)
        if not use.admitted:
            refusals += 1
            at += use.retry_after * 1_000
            assert take("a", 20, at).admitted
    assert refusals > 100


# Exactness


def together(number: int, work: Callable[[int], Any]) -> list[Any]:
    """``work(0)`` … ``work(number - 1)``, all at the same moment."""
    results: list[Any] = [None] * number
    start = threading.Barrier(number)

    def run(index: int) -> None:
        start.wait()
        try:
            results[index] = work(index)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_of_64_at_once_exactly_the_limit_passes() -> None:
    assert sum(together(64, lambda _: take("a", 20).admitted)) == 20


@pytest.mark.django_db(transaction=True)
def test_of_64_at_once_exactly_the_limits_of_keys_and_their_account_pass() -> None:
    def request(index: int) -> bool:
        key = Window(f"key {index % 2}", 15 if index % 2 else 40)
        return counters().take([key, Window("account", 30)], START)[-1].admitted

    passed = together(64, request)
    assert sum(passed) == 30
    assert sum(passed[1::2]) <= 15
    assert take("key 0", 100).counted + take("key 1", 100).counted == 30 + 2


WORKER = """
import sys, threading, django
django.setup()
from config.storage.counters import Window, counters
from django.db import connection
print("ready", flush=True)
sys.stdin.readline()
passed = []
def run():
    for _ in range(4):
        windows = [Window("address", 500), Window("key", 500), Window("account", 20)]
        passed.append(counters().take(windows, int(sys.argv[1]), 1)[-1].admitted)
    connection.close()
threads = [threading.Thread(target=run) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(passed), len(passed))
"""


@pytest.mark.django_db(transaction=True)
def test_of_64_from_4_processes_exactly_the_limit_passes() -> None:
    name = connection.settings_dict["NAME"]
    given = os.environ.get("DATABASE_URL", "")
    url = f"sqlite:///{name}" if connection.vendor == "sqlite" else urlsplit(given)._replace(path=f"/{name}").geturl()
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(START)],
            cwd=settings.BASE_DIR,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("\n")
        worker.stdin.flush()
    answers = [worker.communicate(timeout=60)[0].split() for worker in workers]
    assert [sum(int(answer[index]) for answer in answers) for index in (0, 1)] == [20, 64]
    assert take("address", 500).counted == 65
    assert take("key", 500).counted == 21
    assert take("account", 20).counted == 20


def test_request_that_takes_back_its_changes_was_made_all_the_same(acme: Account) -> None:
    @atomic
    def half() -> None:
        Account.objects.filter(pk=acme.pk).update(name="Other")
        assert take("a", 2).admitted
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        half()
    acme.refresh_from_db()
    assert acme.name == "Acme"
    assert take("a", 2).counted == 2


# What they survive


@pytest.fixture
def store() -> Iterator[Any]:
    """The counters, already in use."""
    assert take("a", 3).admitted
    yield counters()
    counters().clear()


def only_on(vendor: str) -> None:
    if connection.vendor != vendor:
        pytest.skip(f"about {vendor}")


def test_counters_that_fail_are_said_so_once_and_left_alone(
    store: Counters, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls = []

    def fail(*args: object) -> None:
        calls.append(args)
        raise store.errors[0]("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(store, "_take", fail)
        broken.setattr(store, "_mend", lambda error: False)
        with caplog.at_level(logging.ERROR):
            for _ in range(10):
                with pytest.raises(CountersUnavailable):
                    take("a", 3)
    assert len(calls) == 1
    assert [record.message for record in caplog.records] == [
        "Requests are not counted for the next 5 seconds: power cut"
    ]
    with pytest.raises(CountersUnavailable):
        take("a", 3)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + base.REST + 1)
    assert take("a", 3).counted == 2


def file_of(store: Any) -> Path:
    only_on("sqlite")
    return Path(store._file)


def test_file_stands_beside_the_main_one_and_is_all_there_is(store: Any) -> None:
    main, file = Path(connection.settings_dict["NAME"]), file_of(store)
    assert (file.parent, file.name) == (main.parent, f"{main.stem}.limits{main.suffix}")
    assert [found.name for found in main.parent.glob(f"{file.name}*")] == [file.name]
    store.clear()
    assert not file.exists()


def test_file_may_be_deleted_while_in_use(store: Any) -> None:
    file_of(store).unlink()
    assert [take("a", 3).counted for _ in range(3)] == [1, 2, 3]
    assert file_of(store).exists()


@pytest.mark.parametrize("damage", ["noise", "empty", "header", "middle", "page", "other table"])
def test_damaged_file_is_replaced(store: Any, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    file = file_of(store)
    for number in range(500):
        take(f"client {number}", 3)
    content = file.read_bytes()
    if damage == "other table":
        with sqlite3.connect(file) as other:
            other.execute("DROP TABLE rate_limit_counters")
            other.execute("CREATE TABLE rate_limit_counters (x)")
        other.close()
    else:
        with file.open("r+b") as opened:
            if damage == "noise":
                opened.write(os.urandom(len(content)))
            elif damage == "empty":
                opened.truncate(0)
            elif damage == "header":
                opened.write(b"SQLite format 4\x00")
            elif damage == "middle":
                opened.truncate(len(content) // 2 + 100)
            else:
                opened.seek(4096)
                opened.write(os.urandom(len(content) - 4096))
    for number in range(500):
        assert take(f"client {number}", 3).admitted
    store._close()  # what SQLite still held in memory
    assert all(take(f"client {number}", 5).admitted for number in range(500))
    assert not caplog.records


def test_file_that_cannot_be_written_is_an_error_of_its_own(store: Any, caplog: pytest.LogCaptureFixture) -> None:
    file = file_of(store)
    file.unlink()
    file.mkdir()
    try:
        with pytest.raises(CountersUnavailable):
            take("a", 3)
    finally:
        file.rmdir()
    assert "Requests are not counted" in caplog.text
    store.clear()
    assert take("a", 3).admitted


def test_file_that_somebody_locks_is_not_waited_for_long(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = file_of(store)
    monkeypatch.setattr("config.storage.counters.sqlite.PATIENCE", 0.1)
    store._close()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(CountersUnavailable):
        take("a", 3)
    other.close()
    assert file.exists()


def test_store_in_memory_has_counters_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    only_on("sqlite")
    monkeypatch.setitem(connection.settings_dict, "NAME", ":memory:")
    assert [take("a", 2).admitted for _ in range(3)] == [True, True, False]
    counters().clear()


def test_rows_that_weigh_nothing_any_more_go(store: Any) -> None:
    for number in range(50):
        take(f"client {number}", 3)
    take("a", 3, 11 * MINUTE)
    count = "SELECT count(*) FROM rate_limit_counters"
    if connection.vendor == "mongodb":
        index = store._collection().index_information()["expiry"]
        assert (index["key"], index["expireAfterSeconds"]) == ([("started", 1)], 600)
    else:
        assert store._open().execute(count).fetchone() == (1,)


def test_postgresql_table_waits_for_no_disk(store: Any) -> None:
    only_on("postgresql")
    question = "SELECT relpersistence FROM pg_class WHERE relname = 'rate_limit_counters'"
    assert store._open().execute(question).fetchone()[0] in ("u", b"u")


def test_postgresql_connection_that_was_cut_is_made_anew(store: Any) -> None:
    only_on("postgresql")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [store._open().info.backend_pid])
    assert take("a", 3).counted == 2


def test_postgresql_table_that_was_dropped_is_made_anew(store: Any) -> None:
    only_on("postgresql")
    store._open().execute("DROP TABLE rate_limit_counters")
    assert take("a", 3).counted == 1


def test_postgresql_pooler_that_forgets_prepared_statements_is_borne(store: Any) -> None:
    only_on("postgresql")
    for _ in range(10):
        take("a", 100)
    store._open().execute("DEALLOCATE ALL")
    for _ in range(10):
        take("a", 100)
    assert take("a", 100).counted == 22


def test_mongodb_collection_waits_for_no_journal_and_may_be_dropped(store: Any) -> None:
    only_on("mongodb")
    collection = store._collection()
    assert collection.write_concern.document == {"w": 1, "j": False}
    collection.drop()
    assert take("a", 3).counted == 1


def test_limiter_reaches_no_statement_of_the_main_store() -> None:
    from tests.conftest import statements

    with statements(0):
        take("a", 3)


def test_log_of_failure_names_no_client(store: Any, caplog: pytest.LogCaptureFixture) -> None:
    file = file_of(store)
    file.unlink()
    file.mkdir()
    try:
        with pytest.raises(CountersUnavailable):
            take("address:203.0.113.7", 3)
    finally:
        file.rmdir()
    assert not re.search(r"203\.0\.113\.7", caplog.text)
