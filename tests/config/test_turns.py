"""Requests of one process take turns, and none waits long for another."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import perf_counter
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory

from config import wsgi
from config.access import AccessMiddleware
from config.turns import CAME, InTurn

NEVER, SOON = 60.0, 0.01


class Work:
    """An application whose requests last until they are told to end, by name."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._has_begun: dict[str, Event] = {}
        self._may_end: dict[str, Event] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        name = environ["name"]
        self.begun.append(name)
        self.event(self._has_begun, name).set()
        assert self.event(self._may_end, name).wait(30)
        if environ.get("fails"):
            raise RuntimeError(name)
        return [name.encode()]

    def event(self, events: dict[str, Event], name: str) -> Event:
        return events.setdefault(name, Event())

    def has_begun(self, name: str, within: float = 30) -> bool:
        return self.event(self._has_begun, name).wait(within)

    def end(self, *names: str) -> None:
        for name in names:
            self.event(self._may_end, name).set()


Ask = Callable[..., "Future[list[bytes]]"]


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(5) as threads:
        yield threads


def asked_of(application: InTurn, pool: ThreadPoolExecutor) -> Ask:
    """Returns when the request works, or waits."""

    def ask(name: str, **more: Any) -> "Future[list[bytes]]":
        before = len(application._waiting), application._current
        future = pool.submit(application, {"name": name, **more}, lambda *_: None)
        while (len(application._waiting), application._current) == before:
            pass
        return future

    return ask


def test_one_at_a_time_first_come_first_served(work: Work, pool: ThreadPoolExecutor) -> None:
    ask = asked_of(InTurn(work, NEVER), pool)
    names = ["first", "second", "third", "fourth"]
    asked = [ask(name) for name in names]
    for place, (name, future) in enumerate(zip(names, asked, strict=True)):
        assert work.has_begun(name)
        assert work.begun == names[: place + 1]
        work.end(name)
        assert future.result(30) == [name.encode()]


def test_nobody_waits_long_for_one_who_takes_long(work: Work, pool: ThreadPoolExecutor) -> None:
    application = InTurn(work, SOON)
    ask = asked_of(application, pool)
    slow = ask("slow")
    quick = [ask("second"), ask("third")]
    assert work.has_begun("second")
    assert work.has_begun("third")  # for the second one takes long too
    work.end("second", "third")
    assert [future.result(30) for future in quick] == [[b"second"], [b"third"]]
    assert not slow.done()
    work.end("slow")
    assert slow.result(30) == [b"slow"]
    assert application._current is None


def test_one_who_is_late_takes_nobody_s_turn(work: Work, pool: ThreadPoolExecutor) -> None:
    application = InTurn(work, SOON)
    ask = asked_of(application, pool)
    slow, second = ask("slow"), ask("second")
    assert work.has_begun("second")
    application.patience = NEVER
    third = ask("third")
    work.end("slow")
    assert slow.result(30) == [b"slow"]
    assert not work.has_begun("third", within=0.1)  # the turn is the second one's
    work.end("second", "third")
    assert [second.result(30), third.result(30)] == [[b"second"], [b"third"]]


def test_a_failure_passes_the_turn_on(work: Work, pool: ThreadPoolExecutor) -> None:
    ask = asked_of(InTurn(work, NEVER), pool)
    failing, next_ = ask("failing", fails=True), ask("next")
    work.end("failing", "next")
    with pytest.raises(RuntimeError, match="failing"):
        failing.result(30)
    assert next_.result(30) == [b"next"]


def test_turns_are_taken_where_the_store_is_a_file() -> None:
    assert isinstance(wsgi.application, InTurn) == (connection.vendor == "sqlite")


def test_what_a_request_waits_is_a_part_of_how_long_it_takes(work: Work, pool: ThreadPoolExecutor) -> None:
    environs: list[dict[str, Any]] = [{"name": "first"}, {"name": "second"}]
    application = InTurn(work, NEVER)
    asked = [pool.submit(application, each, lambda *_: None) for each in environs]
    while not application._waiting:
        pass
    came = [each[CAME] for each in environs]
    waited_from = perf_counter()
    work.end("first", "second")
    assert [future.result(30) for future in asked] == [[b"first"], [b"second"]]
    assert max(came) < waited_from

    told: list[float] = []
    middleware = AccessMiddleware(lambda _: HttpResponse())
    middleware.observe = lambda request, method, status, seconds: told.append(seconds)
    late, early = (RequestFactory().get("/") for _ in range(2))
    late.META[CAME] = perf_counter() - 60
    for request in (late, early):
        middleware(request)
    assert 60 <= told[0] < 120
    assert told[1] < 60
