"""``python -m bench.analytics [CONVERSATIONS]``: analytics and its files, beside an empty page in the same run.

On a SQLite file of its own (1,000,000 conversations unless told otherwise; made once). Figures are the subject, so
each has one or two messages. All started within the last 90 days, so that each period holds many. What the
process computed, which other load disturbs least; it fails where a page or a file takes more than ``MOST`` empty pages.
"""

import random
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bench import data, turns

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
    medians = measure()
    turns.report(number, medians, dict.fromkeys(medians, MOST), rounds=ROUNDS)


def prepare(number: int) -> None:
    if data.is_made(number):
        return
    made = min(MADE, number)
    data.save(short_ones(made))
    copy(number, made)


def short_ones(number: int) -> Iterator[Any]:
    from config.storage.moments import now

    end, step = now(), timedelta(days=DAYS) / number
    chance = random.Random(1)  # noqa: S311 - the same data each time
    for index, one in enumerate(data.conversations(data.open_account(), number, chance)):
        one.messages = one.messages[: 2 - index % 2]
        one.created_at = end - step * index
        one.updated_at = one.status_changed_at = one.created_at + timedelta(hours=3)
        yield one


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
        turns.EMPTY: turns.EMPTY_PAGE,
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
    """The median of each in milliseconds, in UTC and in São Paulo."""
    from django.test import Client

    from accounts.models import User

    client, person = Client(), User.objects.get()
    client.force_login(person)
    found: dict[str, float] = {}
    for zone in ("UTC", "America/Sao_Paulo"):
        User.objects.update(time_zone=zone)
        medians = turns.medians_of(addresses(), client, ROUNDS)
        found |= medians if zone == "UTC" else {f"{name}, {zone}": median for name, median in medians.items()}
    return found


if __name__ == "__main__":
    main()
