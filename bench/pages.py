"""``python -m bench.pages [CONVERSATIONS]``: server time of the pages, beside that of an empty page in the same run.

On a SQLite file of its own under ``var/bench`` (100,000 conversations of 20 messages unless told otherwise; made once),
in this process, without a network: what the process computed, which other load disturbs least. The empty page is an
error page for somebody who is signed in: the session, the person, the header, and nothing else. It fails where the list
or a transcript of 40 messages takes more of it than it may.
"""

import os
import platform
import statistics
import sys
import time

import django

from bench import data

ROUNDS = 21
TARGETS = {"list": 10.0, "transcript of 40": 6.25}
"""Times an empty page, which takes 4 ms on a quiet machine of two cores: 40 ms and 25 ms there."""


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    data.setup(number)
    report(number, measure(pages()))


def pages() -> dict[str, str]:
    from conversations.models import Conversation

    ids = Conversation.objects.newest_first().values_list("pk", flat=True)
    of_length = {length: ids.filter(message_count=length)[:1].get() for length in (20, 40, 5_000)}
    return {
        "empty page": "/settings/nothing-here/",
        "list": "/conversations/",
        "list, one status": "/conversations/?status=active",
        "list, page 2": "",
        "list, one channel": "/conversations/?channel=email",
        "list, by start": "/conversations/?sort=-createdAt",
        "list, a search": "/conversations/?search=discount",
        "transcript of 40": f"/conversations/{of_length[40]}/",
        "transcript of 20": f"/conversations/{of_length[20]}/",
        "transcript of 5,000": f"/conversations/{of_length[5_000]}/",
    }


def measure(addresses: dict[str, str]) -> dict[str, float]:
    """The median of each in milliseconds. They run in turn: all see the same machine."""
    from django.test import Client

    from accounts.models import User

    client = Client()
    client.force_login(User.objects.get())
    first = client.get("/conversations/").content.decode()
    addresses["list, page 2"] = first.partition('rel="next" href="')[2].partition('"')[0]
    taken: dict[str, list[float]] = {name: [] for name in addresses}
    for turn in range(ROUNDS + 1):
        for name, address in addresses.items():
            start = time.process_time()
            response = client.get(address)
            length = len(response.content)
            if turn:  # the first is a warm-up
                taken[name].append((time.process_time() - start) * 1_000)
            expected = 404 if name == "empty page" else 200
            if response.status_code != expected or not length:
                sys.exit(f"{name}: {response.status_code}")
    return {name: statistics.median(times) for name, times in taken.items()}


def report(number: int, medians: dict[str, float]) -> None:
    print(f"SQLite, {number:,} conversations, Python {platform.python_version()}, Django {django.get_version()}")
    print(f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}, medians of {ROUNDS}")
    empty = medians["empty page"]
    for name, median in medians.items():
        print(f"{name:22}{median:8.1f} ms {median / empty:6.1f} × an empty page")
    slow = [name for name, most in TARGETS.items() if medians[name] > most * empty]
    if slow:
        sys.exit(f"Slower than it may be: {', '.join(slow)}")


if __name__ == "__main__":
    main()
