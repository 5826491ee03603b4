"""``python -m bench.pages [CONVERSATIONS]``: server time of the pages, beside that of an empty page in the same run.

On a SQLite file of its own under ``var/bench`` (100,000 conversations of 20 messages unless told otherwise; made once),
in this process, without a network: what the process computed, which other load disturbs least. The empty page is an
error page for somebody who is signed in: the session, the person, the header, and nothing else. It fails where the list
or a transcript of 40 messages takes more of it than it may.
"""

import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

FOLDER = Path(__file__).resolve().parent.parent / "var" / "bench"
ROUNDS = 21
TARGETS = {"list": 10.0, "transcript of 40": 6.25}
"""Times an empty page, which takes 4 ms on a quiet machine of two cores: 40 ms and 25 ms there."""

WORDS = [
    "price",
    "delivery",
    "contract",
    "office",
    "monthly",
    "discount",
    "invoice",
    "refund",
    "viewing",
    "tomorrow",
    "budget",
    "team",
    "seats",
    "plan",
    "upgrade",
    "question",
    "thanks",
    "please",
    "meeting",
    "call",
    "number",
    "address",
    "parking",
    "internet",
    "desk",
    "room",
    "window",
    "quiet",
    "week",
    "month",
    "year",
]


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    FOLDER.mkdir(parents=True, exist_ok=True)
    os.environ["DATABASE_URL"] = f"sqlite:///{FOLDER / f'pages-{number}.sqlite3'}"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["DEBUG"] = "1"  # static files need not be collected
    django.setup()
    from django.conf import settings

    settings.DEBUG = False  # in development Django remembers each statement, and parses templates again
    settings.ALLOWED_HOSTS = ["*"]
    prepare(number)
    report(number, measure(pages()))


def prepare(number: int) -> None:
    """The store, made in one go and only once: a file that was not finished is made again."""
    from django.core.management import call_command

    from conversations.models import Conversation

    call_command("migrate", verbosity=0)
    if Conversation.objects.count() >= number:
        return
    call_command("flush", interactive=False, verbosity=0)
    print(f"Making {number:,} conversations …", flush=True)
    from accounts.models import Account, User

    owner = User.objects.create_user("bench@example.com", "correct horse battery")
    account = Account.objects.open(name="Bench", owner=owner, by=None)
    chance = random.Random(1)  # noqa: S311 - the same data each time
    batch: list[Any] = []
    for conversation in conversations(account, number, chance):
        conversation.derive()
        batch.append(conversation)
        if len(batch) == 500:
            Conversation.objects.bulk_create(batch)
            batch.clear()
    Conversation.objects.bulk_create(batch)
    from conversations.models.naming import notice_names

    notice_names(account, "live", list(Conversation.objects.without_messages()[:200]))


def conversations(account: Any, number: int, chance: random.Random) -> Iterator[Any]:
    from conversations.models import Channel, Conversation, Status

    end = datetime(2026, 11, 1, tzinfo=UTC)
    for index in range(number):
        updated = end - timedelta(minutes=index * 3)
        yield Conversation(
            account=account,
            lead_id=str(index % (number // 2 + 1)),
            agent_config_id=f"{index % 7:024x}",
            campaign_id=f"{index % 5 + 100:024x}" if index % 3 else None,
            channel=chance.choice(Channel.values),
            lead_phone=f"+1 555 {index // 10_000:03} {index % 10_000:04}",
            lead_email=f"lead{index}@example.com" if index % 4 == 0 else "",
            status=chance.choices(Status.values, (20, 45, 10, 25))[0],
            current_stage_index=index % 5,
            current_stage_name=("Greeting", "Needs", "Pricing", "Closing", "Contract")[index % 5],
            qualified=(None, True, False)[index % 3],
            created_at=updated - timedelta(days=1),
            updated_at=updated,
            status_changed_at=updated,
            messages=messages(40 if index == 0 else 5_000 if index == 1 else 20, updated, chance),
        )


def messages(number: int, end: datetime, chance: random.Random) -> list[dict[str, str]]:
    from conversations.messages import format_moment

    return [
        {
            "role": "agent" if index % 2 else "lead",
            "content": " ".join(chance.choices(WORDS, k=chance.randint(4, 18))),
            "timestamp": format_moment(end - timedelta(minutes=(number - index) * 4)),
        }
        for index in range(number)
    ]


def pages() -> dict[str, str]:
    from conversations.models import Conversation

    newest = Conversation.objects.newest_first().values_list("pk", flat=True)
    return {
        "empty page": "/settings/nothing-here/",
        "list": "/conversations/",
        "list, one status": "/conversations/?status=active",
        "list, page 2": "",
        "list, one channel": "/conversations/?channel=email",
        "list, by start": "/conversations/?sort=-createdAt",
        "list, a search": "/conversations/?search=discount",
        "transcript of 40": f"/conversations/{newest[0]}/",
        "transcript of 20": f"/conversations/{newest[2]}/",
        "transcript of 5,000": f"/conversations/{newest[1]}/",
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
