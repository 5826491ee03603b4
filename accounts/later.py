"""Work that an answer must not wait for, because how long it takes would tell something: threads of this process do it.

It is lost where the process is killed meanwhile, and whoever waits for its result asks again.
"""

import contextvars
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.db import connections
from django.utils.translation import get_language, override

log = logging.getLogger(__name__)

THREADS = 2

_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="later")


def do(work: Callable[..., Any], *args: Any) -> "Future[None] | None":
    """Call ``work`` soon, with the present request's id and language."""
    if not settings.DOES_LATER:  # tests, which see the outcome of what they ask for at once
        work(*args)
        return None
    context = contextvars.copy_context()
    return _pool.submit(context.run, _run, get_language(), work, args)


def _run(language: str | None, work: Callable[..., Any], args: Any) -> None:
    try:
        with override(language):
            work(*args)
    except Exception:
        log.exception("What was to be done later failed")
    finally:
        connections.close_all()
