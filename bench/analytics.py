"""``python -m bench.analytics [CONVERSATIONS] [STORE]``: analytics, its files and its API, beside an empty page.

On a SQLite file of its own (1,000,000 conversations unless told otherwise; made once), or on a server (``postgresql``,
``mongodb``) that is made, filled and thrown away. Figures are the subject, so each conversation has one or two
messages. All started within the last 90 days, so that each period holds many; half of the leads wrote more than once.
What the process computed, which other load disturbs least, or the clock's where a server does the work; it fails where
anything takes more than ``MOST`` empty pages, or a figure is not what counting the conversations finds.
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from operator import gt
from typing import Any

from bench import data, results, stores, turns

ROUNDS = 9
MOST = 10.0
DAYS = 90
MADE = 20_000
"""By the models; the store makes copies of them, each a little earlier."""

RARE = "e" * 24
FEW = 20
"""An agent, and how many conversations it has among the many."""

ZONES = ("UTC", "America/Sao_Paulo", "Asia/Kolkata")


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    os.environ.update(dict.fromkeys((f"RATE_LIMIT_{name}" for name in ("ADDRESS", "KEY", "ACCOUNT")), "0"))
    file = data.file_of(number)
    stores.on(
        sys.argv[2] if len(sys.argv) > 2 else "sqlite", file.with_name(f"figures-{file.name}"), partial(run, number)
    )


def run(number: int, url: str) -> None:
    data.setup_url(url)
    prepare(number)
    medians = measure()
    publish(number, medians)
    empty = medians[turns.EMPTY]
    slow = [name for name, found in medians.items() if any(map(gt, found, (MOST * each for each in empty)))]
    if slow:
        sys.exit(f"Slower than it may be: {', '.join(slow)}")


def prepare(number: int) -> None:
    if data.is_made(number):
        return
    from bench import copies

    made = min(MADE, number)
    data.save(short_ones(made))
    copies.fill(number, made)
    copies.give(RARE, FEW)


def short_ones(number: int) -> Iterator[Any]:
    from config.storage.moments import now

    end, step = now(), timedelta(days=DAYS) / number
    chance = random.Random(1)  # noqa: S311 - the same data each time
    for index, one in enumerate(data.conversations(data.open_account(), number, chance)):
        one.messages = one.messages[: 2 - index % 2]
        one.created_at = end - step * index
        one.updated_at = one.status_changed_at = one.created_at + timedelta(hours=3)
        yield one


def addresses() -> dict[str, str]:
    from conversations.analytics.sheets import SHEETS
    from conversations.models import Conversation

    agent, campaign = (
        Conversation.objects.exclude(**{name: None}).values_list(name, flat=True)[:1].get()
        for name in ("agent_config_id", "campaign_id")
    )
    page = "/analytics/"
    return {
        turns.EMPTY: turns.EMPTY_PAGE,
        "30 days": page,
        "7 days": f"{page}?range=7d",
        "90 days": f"{page}?range=90d",
        # Up to yesterday: where today has begun already it would be a day too many.
        "366 days": f"{page}?from={time_of(-366):%Y-%m-%d}&to={time_of(-1):%Y-%m-%d}",
        "90 days, a channel": f"{page}?range=90d&channel=email",
        "90 days, an agent": f"{page}?range=90d&agentConfigId={agent}",
        "90 days, an agent of few conversations": f"{page}?range=90d&agentConfigId={RARE}",
        "90 days, a campaign": f"{page}?range=90d&campaignId={campaign}",
        "30 days, an agent and a channel": f"{page}?channel=email&agentConfigId={agent}",
        **last_words(agent),
        **{f"file of 30 days: {name}": f"{page}?csv={name}" for name in SHEETS},
        **{f"API, {days} days": f"/api/analytics/overview?range={days}d" for days in (7, 30, 90)},
    }


def last_words(agent: str) -> dict[str, str]:
    """Of few dropped and of many, and their file."""
    page = "/analytics/last-words/"
    return {
        "last words, 7 days": f"{page}?range=7d",
        "last words, 90 days": f"{page}?range=90d",
        "last words, 90 days, an agent": f"{page}?range=90d&agentConfigId={agent}",
        "last words, 90 days, an agent of 20": f"{page}?range=90d&agentConfigId={RARE}",
        "last words, 90 days, a channel": f"{page}?range=90d&channel=email",
        "last words, file of 30 days": f"{page}?csv=last-words",
    }


def time_of(days: int) -> Any:
    from config.storage.moments import now

    return now() + timedelta(days=days)


def measure() -> dict[str, list[float]]:
    """The median of each in milliseconds, for a reader in each of ``ZONES``."""
    from django.db import connection
    from django.test import Client

    from accounts.models import Account, ApiKey, User
    from accounts.scopes import Scope

    person = User.objects.get()
    key = {"name": "Figures", "environment": "live", "scopes": [str(Scope.DASHBOARD_VIEW)]}
    _, secret = ApiKey.objects.issue(account=Account.objects.get(), by=person, **key)  # type: ignore[arg-type]
    client = Client(headers={"X-API-Key": secret})
    client.force_login(person)
    clock = time.process_time if connection.vendor == "sqlite" else time.perf_counter
    found: dict[str, list[float]] = {}
    for zone in ZONES:
        User.objects.update(time_zone=zone)
        for name, median in turns.medians_of(addresses(), client, ROUNDS, clock).items():
            found.setdefault(name, []).append(median)
            print(f"{zone:20}{name:40}{median:8.1f} ms", flush=True)
    return found


def publish(number: int, medians: dict[str, list[float]]) -> None:
    from django.db import connection

    empty = medians[turns.EMPTY]
    rows = [
        [name, f"{found[0]:.1f} ms", *(f"{each / base:.1f} ×" for each, base in zip(found, empty, strict=True))]
        for name, found in medians.items()
    ]
    text = f"{number:,} conversations, beside an empty page; at most {MOST:.0f} ×. Medians of {ROUNDS}.\n\n"
    results.publish(f"analytics-{connection.vendor}", text + results.table(("", "takes", *ZONES), rows))


if __name__ == "__main__":
    main()
