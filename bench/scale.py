"""``python -m bench.scale [SMALL] [LARGE]``: the same list in a small account and in a large one, in one run.

Over HTTP the list of 50, what each answers in a second of processor time, in turn (10,000 conversations and 1,000,000
unless told otherwise; the files below ``var/bench`` are made once, that of a million takes an hour and 10 GB). Then in
this process, in the large account: page 1 and page 10,000 in each order, and what the numbers on the tabs take beside
the rows of a page. It fails where size shows more than it may.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from bench import data, results
from bench.load import ROOT, generator, load, running
from bench.rivals import PARLEY, PATH

DEFAULTS = ((1, 10_000), (2, 1_000_000))
HEADERS = {"X-API-Key": data.TOKEN}
ROUNDS = 5
SECONDS = 3
REPEATS = 101
PAGE = 50
DEEP = 10_000  # pages
MOST_LARGER = 1.3
MOST_OF_PAGE = 0.5  # counting takes no longer than the rest
MOST_DEEPER = 1.5
"""Pages hold other rows at other places of the disk; what grows with the depth would show as hundreds."""


def main() -> None:
    small, large = (int(sys.argv[each]) if len(sys.argv) > each else default for each, default in DEFAULTS)
    generator()
    if not data.file_of(small).exists():
        making = f"from bench import data; data.setup({small})"
        subprocess.run([sys.executable, "-c", making], cwd=ROOT, check=True)  # noqa: S603
    data.setup(large)
    rows, missed = over_http(small, large)
    inside, more = in_process(min(DEEP, large // PAGE - 2))
    header = ("processor time", f"{small:,} conversations", f"{large:,}", "ratio", "target")
    text = results.table(header, rows) + f"\n\nIn the account of {large:,}, without the network:\n\n"
    results.publish("scale", text + results.table(("", "takes", "beside", "ratio", "target"), inside))
    if missed + more:
        sys.exit(f"Beyond a target: {', '.join(missed + more)}.")


def over_http(small: int, large: int) -> tuple[list[list[str]], list[str]]:
    """Rows, and the names of those beyond their target."""
    spent: dict[tuple[str, int], list[float]] = {}
    files = {number: data.file_of(number) for number in (small, large)}
    with (
        running(PARLEY.command(), PARLEY.environment(files[small], 0)) as of_small,
        running(PARLEY.command(), PARLEY.environment(files[large], 0)) as of_large,
    ):
        servers = {small: of_small, large: of_large}
        unchanged = {number: server.get(PATH, HEADERS)[1]["etag"] for number, server in servers.items()}
        for turn in range(ROUNDS + 1):
            for number, server in servers.items():
                asked: dict[str, tuple[Mapping[str, str], bool]] = {
                    "a list of 50, made": (HEADERS, True),
                    "the same page again": (HEADERS, False),
                    "304": ({**HEADERS, "If-None-Match": unchanged[number]}, False),
                }
                for name, (headers, each_new) in asked.items():
                    found = load(server, PATH, headers, SECONDS if turn else 1, each_new=each_new)
                    if found.failed:
                        sys.exit(f"{name}: {found.failed} requests failed.")
                    if turn:
                        spent.setdefault((name, number), []).append(1000 / found.per_processor_second)
    rows, missed = [], []
    for name in dict.fromkeys(name for name, _ in spent):
        few, many = (statistics.median(spent[name, number]) for number in (small, large))
        rows.append([name, f"{few:.2f} ms", f"{many:.2f} ms", f"{many / few:.2f} ×", f"≤ {MOST_LARGER} ×"])
        if many > MOST_LARGER * few:
            missed.append(name)
    return rows, missed


def in_process(deep: int) -> tuple[list[list[str]], list[str]]:
    """The same, of what the process computes."""
    from django.test import Client

    from accounts.models import Account, User
    from conversations.listing.ordering import FIELDS, Order
    from conversations.listing.rows import ROW_FIELDS
    from conversations.models.tally import kept_counts

    account = Account.objects.get(name="Bench")
    mine = account.conversations.live()
    of_a_channel = mine.filter(channel="email")
    client = Client()
    client.force_login(User.objects.get())

    def rows(conversations: Any) -> Callable[[], Any]:
        return lambda: list(conversations.only(*ROW_FIELDS)[: PAGE + 1])

    compared = {
        "the numbers on the tabs, beside the rows": (
            lambda: kept_counts(account, "live"),
            rows(mine.newest_first()),
            1.0,
        ),
        "those of one channel, beside the page with them": (
            lambda: of_a_channel.glance_by_status(),
            lambda: client.get("/conversations/?channel=email"),
            MOST_OF_PAGE,
        ),
    }
    for name in FIELDS:
        order = Order(name)
        [last] = order.of(mine).only(*ROW_FIELDS)[deep * PAGE : deep * PAGE + 1]
        following = order.after(mine, order.place_of(last))
        label = f"page {deep:,} by {name}, beside page 1"
        compared[label] = (rows(following), rows(order.of(mine)), MOST_DEEPER)
    return judged(compared)


def judged(
    compared: Mapping[str, tuple[Callable[[], Any], Callable[[], Any], float]],
) -> tuple[list[list[str]], list[str]]:
    taken: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in compared}
    for _ in range(REPEATS):
        for name, (work, beside, _) in compared.items():
            for times, each in zip(taken[name], (work, beside), strict=True):
                start = time.process_time()
                each()
                times.append((time.process_time() - start) * 1_000)
    shown, missed = [], []
    for name, (_, _, most) in compared.items():
        took, other = (statistics.median(times) for times in taken[name])
        shown.append([name, f"{took:.2f} ms", f"{other:.2f} ms", f"{took / other:.2f} ×", f"≤ {most} ×"])
        if took > most * other:
            missed.append(name)
    return shown, missed


if __name__ == "__main__":
    main()
