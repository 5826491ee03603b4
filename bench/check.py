"""``python -m bench.check``: the small form for every change, in seconds. Ratios with wide margins, and query plans.

It compares what the process computes, in one process and in turn, so other load hardly matters: the list of 50 beside
the same rows read by the driver, what has not changed beside the list, a small account beside one ten times its size,
a transcript of 5,000 messages beside one of 40.
"""

import itertools
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from bench import data, turns
from bench.rivals import PATH

SMALL, LARGE = 200, 2_000
ROUNDS = 60
MOST_BY_DRIVER = 8.0
"""A list through the whole product takes about 3 times what the driver takes for its rows."""

MOST_UNCHANGED = MOST_AGAIN = 0.7  # of a list
MOST_LARGER = 1.5
MOST_LONGER = 20.0
"""A transcript of 5,000 messages, of which it shows 500, and finds a word in all."""


def main() -> None:
    os.environ.update(dict.fromkeys((f"RATE_LIMIT_{name}" for name in ("ADDRESS", "KEY", "ACCOUNT")), "0"))
    data.setup(LARGE)
    from django.db import connection
    from django.test import Client

    from accounts.models import Account, ApiKey

    large = Account.objects.get(name="Bench")
    small, small_key = small_account(large)
    client = Client()
    sql, parameters = page_of(large)

    def ask(key: str, **headers: str) -> Callable[[], Any]:
        return lambda: client.get(PATH, headers={"X-API-Key": key, **headers})

    def made(key: str) -> Callable[[], Any]:
        """At another address each time, so that no answer is ready."""
        numbers = itertools.count()
        return lambda: client.get(f"{PATH}&number={next(numbers)}", headers={"X-API-Key": key})

    def driver() -> Any:
        with connection.cursor() as cursor:
            return cursor.execute(sql, parameters).fetchall()

    etag = ask(data.TOKEN)()["ETag"]
    unchanged = ask(data.TOKEN, **{"If-None-Match": etag})
    if unchanged().status_code != 304:
        sys.exit("What has not changed is answered again.")
    works = {"driver": driver, "list": made(data.TOKEN), "small": made(small_key), "unchanged": unchanged}
    works["again"] = ask(data.TOKEN)
    taken = measured(works)
    ApiKey.objects.filter(account=small).delete()
    short, long = transcripts()
    found = {
        "a list by the driver's rows": (taken["list"] / taken["driver"], MOST_BY_DRIVER),
        "unchanged by a list": (taken["unchanged"] / taken["list"], MOST_UNCHANGED),
        "the same page again by a list": (taken["again"] / taken["list"], MOST_AGAIN),
        f"{LARGE:,} by {SMALL:,} conversations": (taken["list"] / taken["small"], MOST_LARGER),
        "a find in 5,000 messages by one of 40": (long / short, MOST_LONGER),
    }
    for name, (ratio, most) in found.items():
        print(f"{name:38}{ratio:6.2f} × (at most {most})")
    plan = planned(sql, parameters)
    print(plan)
    if "USING INDEX conversation_newest" not in plan or "TEMP B-TREE" in plan:
        sys.exit("A page is sorted, where it has to be read from its index.")
    if slow := [name for name, (ratio, most) in found.items() if ratio > most]:
        sys.exit(f"Slower than it may be: {', '.join(slow)}")


def small_account(large: Any) -> tuple[Any, str]:
    """Another account in the same file, with a key made now."""
    from accounts.models import Account, ApiKey

    small = Account.objects.filter(name="Small").first() or Account.objects.create(name="Small")
    key, token = ApiKey.build(account=small, name="Small", environment="live", scopes=["conversations:view"])
    key.save()
    known = small.conversations.count()
    batch = list(large.conversations.newest_first()[known:SMALL])
    from config.storage.fields import new_object_id

    for conversation in batch:
        conversation.pk, conversation.account = new_object_id(), small
    small.conversations.bulk_create(batch)
    return small, token


def transcripts() -> tuple[float, float]:
    """What a transcript of 40 messages takes, and one of 5,000 where a word is looked for."""
    from django.test import Client

    from accounts.models import User
    from conversations.models import Conversation

    client = Client()
    client.force_login(User.objects.get())
    ids = Conversation.objects.newest_first().values_list("pk", flat=True)
    of_length = {length: ids.filter(message_count=length)[:1].get() for length in (40, 5_000)}
    addresses = {str(length): f"/conversations/{pk}/?find=price" for length, pk in of_length.items()}
    medians = turns.medians_of(addresses, client, 11)
    return medians["40"], medians["5000"]


def page_of(account: Any) -> tuple[str, Any]:
    from conversations import wire

    page = wire.written(account.conversations.live().newest_first())[:51]
    return page.query.sql_with_params()


def planned(sql: str, parameters: Any) -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        return "; ".join(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall())


def measured(works: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The median of each, in seconds of computing."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(ROUNDS + 5):
        for name, work in works.items():
            start = time.process_time()
            work()
            if turn >= 5:
                taken[name].append(time.process_time() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


if __name__ == "__main__":
    main()
