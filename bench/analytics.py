"""``python -m bench.analytics [CONVERSATIONS]``: analytics and its files, beside an empty page in the same run.

On a SQLite file of its own (1,000,000 conversations unless told otherwise; made once). Figures are the subject, so
each has one or two messages. All started within the last 90 days, so that each period holds many. What the
process computed, which other load disturbs least; it fails where a page or a file takes more than ``MOST`` empty pages.
"""

import os
import platform
import statistics
import sys
import time
from datetime import timedelta
from typing import Any

import django

from bench import data

ROUNDS = 15
MOST = 10.0
DAYS = 90
MADE = 20_000
"""By the models; SQL makes copies of them, each a little earlier."""


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    data.FOLDER.mkdir(parents=True, exist_ok=True)
    data.setup_file(data.file_of(number).with_name(f"figures-{data.file_of(number).name}"))
    prepare(number)
    report(number, measure())


def prepare(number: int) -> None:
    from django.core.management import call_command

    from config.storage.moments import now
    from conversations.models import Conversation

    call_command("migrate", verbosity=0)
    if Conversation.objects.count() == number:
        return
    call_command("flush", interactive=False, verbosity=0)
    print(f"Making {number:,} conversations …", flush=True)
    import random

    account = data.open_account()
    made, end = min(MADE, number), now()
    step = timedelta(days=DAYS) / made
    batch: list[Any] = []
    for index, one in enumerate(data.conversations(account, made, random.Random(1))):  # noqa: S311
        one.messages = one.messages[: 2 - index % 2]
        one.derive()
        one.created_at = end - step * index
        one.updated_at = one.status_changed_at = one.created_at + timedelta(hours=3)
        batch.append(one)
        if len(batch) == 500:
            Conversation.objects.bulk_create(batch)
            batch.clear()
    Conversation.objects.bulk_create(batch)
    copy(number, made)


def copy(number: int, made: int) -> None:
    from django.db import connection

    from conversations.models import Conversation

    names = [str(field.column) for field in Conversation._meta.concrete_fields]
    moments = ("updated_at", "created_at", "status_changed_at")
    for done in range(made, number, made):
        copied = {name: name for name in names} | {"_id": "lower(hex(randomblob(12)))"}
        copied |= {name: f"strftime('%Y-%m-%d %H:%M:%f', {name}, '-{done // made} seconds')" for name in moments}
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO conversations_conversation ({', '.join(names)}) SELECT {', '.join(copied.values())} "  # noqa: S608
                "FROM conversations_conversation ORDER BY rowid LIMIT %s",
                [min(made, number - done)],
            )


def addresses() -> dict[str, str]:
    from conversations.analytics.sheets import SHEETS
    from conversations.models import Conversation

    agent = Conversation.objects.values_list("agent_config_id", flat=True)[:1].get()
    page = "/analytics/"
    return {
        "empty page": "/settings/nothing-here/",
        "30 days": page,
        "7 days": f"{page}?range=7d",
        "90 days": f"{page}?range=90d",
        "366 days": f"{page}?from={(time_of(-365)):%Y-%m-%d}",
        "a channel": f"{page}?channel=email",
        "an agent": f"{page}?agentConfigId={agent}",
        **{f"file: {name}": f"{page}?csv={name}" for name in SHEETS},
    }


def time_of(days: int) -> Any:
    from config.storage.moments import now

    return now() + timedelta(days=days)


def measure() -> dict[str, float]:
    """The median of each in milliseconds, in UTC and in São Paulo. They run in turn: all see the same machine."""
    from django.test import Client

    from accounts.models import User

    client, person = Client(), User.objects.get()
    client.force_login(person)
    taken: dict[str, list[float]] = {}
    for zone in ("UTC", "America/Sao_Paulo"):
        User.objects.update(time_zone=zone)
        for turn in range(ROUNDS + 1):
            for name, address in addresses().items():
                start = time.process_time()
                response = client.get(address)
                length = len(b"".join(response))
                spent = (time.process_time() - start) * 1_000
                if turn:  # the first is a warm-up
                    taken.setdefault(name if zone == "UTC" else f"{name}, {zone}", []).append(spent)
                if response.status_code != (404 if name == "empty page" else 200) or not length:
                    sys.exit(f"{name}: {response.status_code}")
    return {name: statistics.median(times) for name, times in taken.items()}


def report(number: int, medians: dict[str, float]) -> None:
    print(f"SQLite, {number:,} conversations, Python {platform.python_version()}, Django {django.get_version()}")
    print(f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}, medians of {ROUNDS}")
    empty = medians["empty page"]
    for name, median in medians.items():
        print(f"{name:34}{median:8.1f} ms {median / empty:6.1f} × an empty page")
    if slow := [name for name, median in medians.items() if median > MOST * empty]:
        sys.exit(f"More than {MOST} empty pages: {', '.join(slow)}")


if __name__ == "__main__":
    main()
