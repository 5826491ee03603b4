"""One request at a time, in each process: Python's threads get in each other's way.

Whenever one of them asks SQLite, another takes the interpreter, and the first waits to have it back: 16 threads that
each write a list take two to three times the processor time of one. But who waits for something else, a slow body, the
disk, a long search, must not hold up the rest. So a request waits for those that came before it, and for none of them
long. Where the store is a server there is something to do meanwhile, and nobody waits.
"""

from collections import deque
from collections.abc import Callable
from threading import Event, Lock, Thread
from time import perf_counter, sleep
from typing import Any

PATIENCE = 0.005
"""Seconds that a request may take before others go on beside it: longer than most do."""

CAME = "parley.came"
"""Of a request's environment: when it came, by ``perf_counter``. What it waits is a part of how long it takes."""


class Turn:
    """Of one request; its lock is held until the turn has come."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.since = 0.0


class InTurn:
    """A WSGI application whose requests take turns, first come, first served. What is streamed is made outside."""

    def __init__(self, application: Callable[..., Any], patience: float = PATIENCE) -> None:
        self.application = application
        self.patience = patience
        self._guard = Lock()
        self._current: Turn | None = None
        self._waiting: deque[Turn] = deque()
        self._is_crowded = Event()
        self._is_watched = False

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        environ[CAME] = perf_counter()
        mine = Turn()
        with self._guard:
            if self._current is None:
                self._begin(mine)
            else:
                mine.lock.acquire()
                self._waiting.append(mine)
                self._watch()
        with mine.lock:
            pass  # it has come
        try:
            return self.application(environ, start_response)
        finally:
            with self._guard:
                if self._current is mine:
                    self._go_on()

    def _begin(self, turn: Turn) -> None:
        turn.since = perf_counter()
        self._current = turn

    def _go_on(self) -> None:
        if not self._waiting:
            self._current = None
            return
        following = self._waiting.popleft()
        self._begin(following)
        following.lock.release()

    def _watch(self) -> None:
        """Not before it is needed: a thread would not follow where a server loads us first and forks then."""
        self._is_crowded.set()
        if not self._is_watched:
            self._is_watched = True
            Thread(target=self._let_others_go_on, name="turns", daemon=True).start()

    def _let_others_go_on(self) -> None:
        """Beside one who takes long. One thread looks, for waits that end by themselves cost each who waits."""
        while self._is_crowded.wait():
            sleep(self.patience)
            with self._guard:
                if not self._waiting:
                    self._is_crowded.clear()
                elif self._current and perf_counter() - self._current.since >= self.patience:
                    self._go_on()
