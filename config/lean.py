"""A shorter start: what Django REST framework imports where it happens to be installed, and Parley never asks it for.

PostgreSQL's own fields, with that driver whatever the store is, Markdown and a highlighter for pages that are
switched off, an HTTP client for tests: half a second of each start of ``manage.py`` and of a worker. Who needs them
imports them as ever.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

UNUSED = ("django.contrib.postgres.fields", "markdown", "pygments", "requests")


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Inside, whoever imports one of ``names`` for the first time finds that it is not installed."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: the import fails
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def load_rest_framework() -> None:
    with without(*UNUSED):
        import rest_framework.compat  # noqa: F401
