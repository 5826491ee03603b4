"""The data that is measured on: SQLite files below ``var/bench``, made once, the same on every machine.

One account, live: conversations of 20 messages, one changed every three minutes, in several scripts. The two oldest
have 40 and 5,000 messages.
"""

import hashlib
import os
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

FOLDER = Path(__file__).resolve().parent.parent / "var" / "bench"
MADE_ONE_BY_ONE = 100_000
"""Conversations that are made by the models; beyond, SQL makes copies of these, each at a moment of its own."""

TOKEN = f"nl_live_{hashlib.sha256(b'of a benchmark').hexdigest()}"
"""A key of the account, the same in every file."""

WORDS = (
    "price delivery contract office monthly discount invoice refund viewing tomorrow budget team seats plan upgrade",
    "question thanks please meeting call number address parking internet desk room window quiet week month year",
    "naïve größe señor цена договор доставка завтра 价格 合同 明天 👍",
)

END = datetime(2026, 11, 1, tzinfo=UTC)
STEP = timedelta(minutes=3)


def file_of(number: int) -> Path:
    """Of these migrations: whoever changes them measures on new data."""
    migrations = sorted(FOLDER.parent.parent.glob("*/migrations/0*.py"))
    schema = hashlib.sha256(b"".join(each.read_bytes() for each in migrations)).hexdigest()[:8]
    return FOLDER / f"conversations-{number}-{schema}.sqlite3"


def setup(number: int) -> Path:
    """Django on the file of ``number`` conversations, which is made where it is missing or was not finished."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = file_of(number)
    setup_file(file)
    prepare(number)
    return file


def setup_server(url: str, number: int) -> None:
    """The same on a server's empty database."""
    setup_url(url)
    prepare(number)
    from django.db import connection

    know_tables()
    connection.close()


def know_tables() -> None:
    """What PostgreSQL does by itself after a while: until then it knows of no owner how large it is."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def setup_file(file: Path) -> None:
    """Django on this file, as it is."""
    setup_url(f"sqlite:///{file}")


def setup_url(url: str) -> None:
    os.environ["DATABASE_URL"] = url
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["DEBUG"] = "1"  # static files need not be collected
    os.environ["LOG_LEVEL"] = "ERROR"  # a line for each request would stand between the figures
    django.setup()
    from django.conf import settings

    settings.DEBUG = False  # in development Django remembers each statement, and parses templates again
    settings.ALLOWED_HOSTS = ["*"]


def is_made(number: int) -> bool:
    """Whether the file holds its ``number`` conversations; else it is empty now."""
    from django.core.management import call_command

    from conversations.models import Conversation

    call_command("migrate", verbosity=0)
    if Conversation.objects.count() == number:
        return True
    call_command("flush", interactive=False, verbosity=0)
    print(f"Making {number:,} conversations …", flush=True)
    return False


def prepare(number: int) -> None:
    from conversations.models import Conversation

    if is_made(number):
        return
    account = open_account()
    chance = random.Random(1)  # noqa: S311 - the same data each time
    save(conversations(account, min(number, MADE_ONE_BY_ONE), chance))
    copy(number)
    from conversations.models.naming import notice_names

    notice_names(account, "live", list(Conversation.objects.without_messages()[:200]))


def save(made: Iterable[Any]) -> None:
    from config.storage.chunks import chunks_of
    from conversations.models import Conversation

    for batch in chunks_of(made):
        for conversation in batch:
            conversation.derive()
        Conversation.objects.bulk_create(batch)


def open_account() -> Any:
    from accounts.models import Account, ApiKey, User
    from accounts.models.key import digest_of
    from accounts.scopes import Scope

    owner = User.objects.create_user("bench@example.com", "correct horse battery")
    account = Account.objects.open(name="Bench", owner=owner, by=None)
    scopes = [str(scope) for scope in Scope if scope.startswith("conversations:")]
    key, _ = ApiKey.build(account=account, name="Bench", environment="live", scopes=scopes)
    key.digest, key.hint = digest_of(TOKEN), TOKEN[-4:]
    key.save()
    return account


def conversations(account: Any, number: int, chance: random.Random) -> Iterator[Any]:
    from conversations.models import Channel, Conversation, Status

    lengths = {number - 2: 40, number - 1: 5_000}
    for index in range(number):
        updated = END - index * STEP
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
            qualification_reason='Has a "budget"' if index % 3 == 1 else "",
            summary="Wants 40 seats from May on,\nand a quiet room." if index % 2 else "",
            created_at=updated - timedelta(days=1),
            updated_at=updated,
            status_changed_at=updated,
            messages=messages(lengths.get(index, 20), updated, chance),
        )


def messages(number: int, end: datetime, chance: random.Random) -> list[dict[str, str]]:
    from conversations.messages import format_moment

    words = " ".join(WORDS).split()
    return [
        {
            "role": "agent" if index % 2 else "lead",
            "content": " ".join(chance.choices(words, k=chance.randint(4, 18))),
            "timestamp": format_moment(end - timedelta(minutes=(number - index) * 4)),
        }
        for index in range(number)
    ]


def copy(number: int) -> None:
    """Fill the file up to ``number``: the same leads write again, each time earlier."""
    from django.db import connection

    from conversations.models import Conversation

    names = [str(field.column) for field in Conversation._meta.concrete_fields]
    copied = {name: name for name in names} | {"_id": "lower(hex(randomblob(12)))"}
    for done in range(MADE_ONE_BY_ONE, number, MADE_ONE_BY_ONE):
        minutes = int(done * STEP / timedelta(minutes=1))
        for name in ("updated_at", "created_at", "status_changed_at"):
            copied[name] = f"strftime('%Y-%m-%d %H:%M:%S', {name}, '-{minutes} minutes')"
        newest = "ORDER BY updated_at DESC, _id DESC LIMIT %s"
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO conversations_conversation ({', '.join(names)}) SELECT {', '.join(copied.values())} "  # noqa: S608
                f"FROM (SELECT * FROM conversations_conversation {newest})",
                [min(MADE_ONE_BY_ONE, number - done)],
            )
