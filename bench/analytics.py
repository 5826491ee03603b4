"""``python -m bench.analytics [CONVERSATIONS]``: analytics, its files and its API, beside an empty page in one run.

On a SQLite file of its own (1,000,000 conversations unless told otherwise; made once). Figures are the subject, so
each has one or two messages. All started within the last 90 days, so that each period holds many; half of the leads
wrote more than once. What the process computed, which other load disturbs least; it fails where anything takes more
than ``MOST`` empty pages, or a figure is not what counting the conversations finds.
"""

import os
import random
import sys
from collections.abc import Iterator
from datetime import timedelta
from operator import gt
from typing import Any

from bench import data, results, turns

ROUNDS = 9
MOST = 10.0
DAYS = 90
MADE = 20_000
"""By the models; SQL makes copies of them, each a little earlier."""

RARE = "e" * 24
"""An agent of a few conversations among the many."""

ZONES = ("UTC", "America/Sao_Paulo", "Asia/Kolkata")


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    data.FOLDER.mkdir(parents=True, exist_ok=True)
    os.environ.update(dict.fromkeys((f"RATE_LIMIT_{name}" for name in ("ADDRESS", "KEY", "ACCOUNT")), "0"))
    data.setup_file(data.file_of(number).with_name(f"figures-{data.file_of(number).name}"))
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
    """Indexes and triggers come afterwards: so it takes minutes, and what is kept is counted as the product does it."""
    from django.core.management import call_command
    from django.db import connection

    from conversations.models import Conversation

    table = Conversation._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL AND type <> 'table'",
            [table],
        )
        parts = cursor.fetchall()
        for kind, name, _ in parts:
            cursor.execute(f"DROP {kind} {name}")
        names = [str(field.column) for field in Conversation._meta.concrete_fields]
        for done in range(made, number, made):
            values = ", ".join(copied(names, done // made).values())
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} ORDER BY rowid LIMIT %s",  # noqa: S608
                [min(made, number - done)],
            )
        cursor.execute(f"UPDATE {table} SET agent_config_id = %s WHERE rowid %% %s = 0", [RARE, number // 20])  # noqa: S608
        for _, _, sql in parts:
            cursor.execute(sql)
    call_command("check_figures", rebuild=True)


def copied(names: list[str], turn: int) -> dict[str, str]:
    values = {name: name for name in names} | {"_id": "lower(hex(randomblob(12)))"}
    if turn % 2:
        values["lead_id"] = f"lead_id || '-{turn}'"
    moments = ("updated_at", "created_at", "status_changed_at")
    return values | {name: f"strftime('%Y-%m-%d %H:%M:%f', {name}, '-{turn} seconds')" for name in moments}


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
        "90 days, an agent of 20 conversations": f"{page}?range=90d&agentConfigId={RARE}",
        "90 days, a campaign": f"{page}?range=90d&campaignId={campaign}",
        "30 days, an agent and a channel": f"{page}?channel=email&agentConfigId={agent}",
        **{f"file of 30 days: {name}": f"{page}?csv={name}" for name in SHEETS},
        **{f"API, {days} days": f"/api/analytics/overview?range={days}d" for days in (7, 30, 90)},
    }


def time_of(days: int) -> Any:
    from config.storage.moments import now

    return now() + timedelta(days=days)


def measure() -> dict[str, list[float]]:
    """The median of each in milliseconds, for a reader in each of ``ZONES``."""
    from django.test import Client

    from accounts.models import Account, ApiKey, User
    from accounts.scopes import Scope

    person = User.objects.get()
    key = {"name": "Figures", "environment": "live", "scopes": [str(Scope.DASHBOARD_VIEW)]}
    _, secret = ApiKey.objects.issue(account=Account.objects.get(), by=person, **key)  # type: ignore[arg-type]
    client = Client(headers={"X-API-Key": secret})
    client.force_login(person)
    found: dict[str, list[float]] = {}
    for zone in ZONES:
        User.objects.update(time_zone=zone)
        for name, median in turns.medians_of(addresses(), client, ROUNDS).items():
            found.setdefault(name, []).append(median)
            print(f"{zone:20}{name:40}{median:8.1f} ms", flush=True)
    return found


def publish(number: int, medians: dict[str, list[float]]) -> None:
    empty = medians[turns.EMPTY]
    rows = [
        [name, f"{found[0]:.1f} ms", *(f"{each / base:.1f} ×" for each, base in zip(found, empty, strict=True))]
        for name, found in medians.items()
    ]
    text = f"{number:,} conversations on SQLite, beside an empty page; at most {MOST:.0f} ×. Medians of {ROUNDS}.\n\n"
    results.publish("analytics", text + results.table(("", "takes", *ZONES), rows))


if __name__ == "__main__":
    main()
