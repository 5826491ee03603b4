"""Pages that are asked in turn, in this process: all see the same machine."""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import django

ROUNDS = 21
EMPTY = "empty page"
EMPTY_PAGE = "/settings/nothing-here/"
"""An error page for somebody who is signed in: the session, the person, the header, and nothing else."""


def medians_of(
    addresses: Mapping[str, str], client: Any, rounds: int = ROUNDS, clock: Callable[[], float] = time.process_time
) -> dict[str, float]:
    """Name → the median of what ``clock`` says it took, in milliseconds. Of what the process computed, unless told
    otherwise, which other load disturbs least.
    """
    taken: dict[str, list[float]] = {name: [] for name in addresses}
    for turn in range(rounds + 1):
        for name, address in addresses.items():
            start = clock()
            response = client.get(address)
            length = len(b"".join(response))
            if turn:  # the first is a warm-up
                taken[name].append((clock() - start) * 1_000)
            if response.status_code != (404 if address == EMPTY_PAGE else 200) or not length:
                sys.exit(f"{name}: {response.status_code}")
    return {name: statistics.median(times) for name, times in taken.items()}


def report(number: int, medians: Mapping[str, float], most: Mapping[str, float], *, rounds: int = ROUNDS) -> None:
    """Each beside the first, which is the empty one; fails where one takes more of it than ``most`` has for it."""
    print(f"SQLite, {number:,} conversations, Python {platform.python_version()}, Django {django.get_version()}")
    print(f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}, medians of {rounds}")
    empty = next(iter(medians))
    for name, median in medians.items():
        bound = f" (at most {most[name]})" if name in most else ""
        print(f"{name:34}{median:8.1f} ms {median / medians[empty]:6.1f} × an {empty}{bound}")
    slow = [name for name, bound in most.items() if medians[name] > bound * medians[empty]]
    if slow:
        sys.exit(f"Slower than it may be: {', '.join(slow)}")
