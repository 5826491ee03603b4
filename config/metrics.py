"""``/metrics`` for Prometheus, where ``METRICS_TOKEN`` is set: requests of all workers, and how the store is.

Labels are names of routes, methods, status codes and words of ours, so there are some hundreds of series at most,
however many paths are asked for. Nothing in them is of an account or a person.

Each worker counts in a file of its own in ``PROMETHEUS_MULTIPROC_DIR``, which ``config.serve`` makes, and any worker
adds them up. Where another server runs the application without it, a process tells of itself alone.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from accounts.milestones import last
from config import __version__
from config.health import ask_store, has_search_index
from conversations.models.tally import numbers_of_all

disable_created_metrics()

REQUESTS = Counter(
    "parley_requests", "Requests that were answered, by route.", ("route", "method", "status"), registry=None
)
SECONDS = Histogram(
    "parley_request_duration_seconds",
    "From the request's first byte in the application to the answer's last.",
    ("route", "method"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=None,
)


def observe(request: Any, method: str, status: int, seconds: float) -> None:
    requests, durations = _series(_route_of(request), method, status)
    requests.inc()
    durations.observe(seconds)


@cache  # as many as there are series
def _series(route: str, method: str, status: int) -> tuple[Any, Any]:
    return REQUESTS.labels(route, method, status), SECONDS.labels(route, method)


def _route_of(request: Any) -> str:
    match = getattr(request, "resolver_match", None)
    if match is None:
        return "static" if request.path.startswith(settings.STATIC_URL) else "none"
    return str(match.view_name)


def exposition() -> bytes:
    """Everything, in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)
    else:
        for metric in (REQUESTS, SECONDS):
            registry.register(metric)
    registry.register(Installation())
    return generate_latest(registry)


class Installation:
    """What is read at the moment of the scrape. Where the store is away, that is told and the rest is left out."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        about = {"version": __version__, "python": sys.version.split()[0], "store": settings.STORE.name}
        yield gauge("parley_build_info", "What runs.", [(about, 1)])
        try:
            ask_store()
            told = [*conversations(), *search_index(), *milestones()]
        except (DatabaseError, OSError):
            yield gauge("parley_store_up", "Whether the store answers.", [({}, 0)])
        else:
            yield gauge("parley_store_up", "Whether the store answers.", [({}, 1)])
            yield from told


def conversations() -> Iterator[GaugeMetricFamily]:
    numbers = [
        ({"environment": environment, "status": status}, number)
        for (environment, status), number in numbers_of_all().items()
    ]
    yield gauge("parley_conversations", "Conversations that are kept, of all accounts.", numbers)


def search_index() -> Iterator[GaugeMetricFamily]:
    is_there = has_search_index()
    if is_there is not None:
        yield gauge("parley_search_index_up", "Whether the index of the search is there.", [({}, is_there)])


def milestones() -> Iterator[GaugeMetricFamily]:
    for event in ("backup", "import"):
        if done := last(event):
            name = f"parley_last_{event}_timestamp_seconds"
            yield gauge(name, f"When the last {event} was done.", [({}, done[0].timestamp())])


def gauge(name: str, about: str, values: Iterable[tuple[dict[str, str], float]]) -> GaugeMetricFamily:
    rows = list(values)
    family = GaugeMetricFamily(name, about, labels=list(rows[0][0]) if rows else [])
    for labels, value in rows:
        family.add_metric(list(labels.values()), value)
    return family
