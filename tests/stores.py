"""Which tests run again on PostgreSQL and MongoDB: all that could tell one store from another.

Left out there, and counted, is what does not reach the store: a test that asks for no database, from which
pytest-django then keeps it, in a module that nowhere asks which store it is. The real servers that many of these start
lie over a SQLite file of their own anyway (``tests.serving``). ``every_store`` marks what shall run there nevertheless.
"""

import inspect
import re
from functools import cache
from types import ModuleType
from typing import Any

import pytest
from django.db import connection

DATABASES = {"db", "transactional_db", "live_server"}
MARKS = ("django_db", "every_store")
ASKS = re.compile(r"""\bvendor\b|\bSTORE\b|\bDATABASES\b|DATABASE_URL(?!["=: f]+sqlite)""")


@cache
def asks_which_store_it_is(module: ModuleType) -> bool:
    return bool(ASKS.search(inspect.getsource(module)))


def differs_by_store(item: Any) -> bool:
    return (
        not DATABASES.isdisjoint(item.fixturenames)
        or any(map(item.get_closest_marker, MARKS))
        or asks_which_store_it_is(item.module)
    )


class OtherStores:
    """Under xdist each worker selects the same, and tells the process that reports."""

    left_out = 0

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if connection.vendor == "sqlite":
            return
        found = len(items)
        items[:] = filter(differs_by_store, items)
        self.left_out = found - len(items)

    def pytest_sessionfinish(self, session: Any) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["left_out"] = self.left_out

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.left_out = getattr(node, "workeroutput", {}).get("left_out", 0)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.left_out:
            terminalreporter.write_line(f"{self.left_out} tests that no store can change ran on SQLite alone")
