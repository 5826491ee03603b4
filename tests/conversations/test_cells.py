"""Figures that the database keeps: after whatever happens to conversations, they are what counting them anew finds."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Account
from config.storage.cells import keep_cells
from config.storage.kept import KEPT
from config.storage.moments import now
from config.storage.spans import keep_spans, wrong_spans
from conversations.analytics.started import Started
from conversations.management.commands.check_figures import rebuild
from conversations.models import (
    BulkChange,
    Conversation,
    DayCell,
    HalfHourCell,
    Lead,
    LeadFirstCell,
    LeadLastCell,
    MessageCell,
    PairDayCell,
    PairHalfHourCell,
    Status,
)
from conversations.models.cells import kept
from conversations.models.erasure import erase
from conversations.models.lead import kept_leads
from tests.conversations.test_pages import wire_moment
from tests.factories import message

Record = Callable[..., Conversation]

START = datetime(2026, 3, 1, tzinfo=UTC)
MODELS = (DayCell, HalfHourCell, PairDayCell, PairHalfHourCell, MessageCell, LeadFirstCell, LeadLastCell)
AGENTS = ("a" * 24, "b" * 24)
CAMPAIGNS = (None, "c" * 24, "a" * 24)


def stored() -> list[Counter[tuple[Any, ...]]]:
    """All that the cells add up to, but zeros."""
    found = []
    for cells, model in zip(kept(), MODELS, strict=True):
        assert cells.table == model._meta.db_table
        sums: Counter[tuple[Any, ...]] = Counter()
        names = list(cells.counters)
        for *key, counts in (
            (*row[:5], row[5:]) for row in model._default_manager.values_list(*cells.keys, *names).iterator()
        ):
            for name, number in zip(names, counts, strict=True):
                sums[*key, name] += number
        found.append(Counter({key: number for key, number in sums.items() if number}))
    return found


def recounted() -> list[Counter[tuple[Any, ...]]]:
    rebuild()
    return stored()


def values(chance: random.Random, start: datetime) -> dict[str, Any]:
    qualified = chance.choice((None, True, False))
    return {
        "leadId": chance.choice(("Ana", "Bo", "Cy")),
        "createdAt": wire_moment(start + timedelta(minutes=chance.randrange(5 * 1440))),
        "status": chance.choice(Status.values),
        "channel": chance.choice(("whatsapp", "email")),
        "agentConfigId": chance.choice(AGENTS),
        "campaignId": chance.choice(CAMPAIGNS),
        "currentStageIndex": chance.choice((0, 1, 48, 49, 60)),
        "messages": [message("x", role=chance.choice(("agent", "lead", "human", "system")))] * chance.randrange(2),
        **({} if qualified is None else {"qualificationResult": {"qualified": qualified}}),
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_any_changes_cells_are_what_a_recount_finds(
    acme: Account, other_account: Account, record: Record, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    owner = acme.memberships.get().user
    rows = [record(**values(chance, START)) for _ in range(12)]
    record(account=other_account, **values(chance, START))
    record(environment="test", **values(chance, START))

    def some() -> Conversation:
        return Conversation.objects.get(pk=chance.choice(rows).pk)

    def close(status: str) -> BulkChange:
        mine = acme.conversations.live().filter(pk__in=[row.pk for row in chance.sample(rows, min(5, len(rows)))])
        return BulkChange.objects.change_status(mine, status, account=acme, environment="live", by=owner)

    works: list[Callable[[], object]] = [
        lambda: some().append([message("y", role=chance.choice(("agent", "lead", "human")))], by=None),
        lambda: some().change_status(chance.choice(("completed", "dropped", "handed_off")), by=None),
        lambda: some().update_details({"qualified": chance.choice((None, True, False))}, by=None),
        lambda: some().update_details({"current_stage_index": chance.choice((0, 2, 49, 50))}, by=None),
        lambda: some().update_details({"agent_config_id": chance.choice(AGENTS), "campaign_id": AGENTS[0]}, by=None),
        lambda: rows.append(record(**values(chance, START))),
        lambda: record(id=chance.choice(rows).pk, **values(chance, START)),  # replaced whole, its start too
        lambda: close("dropped"),
        lambda: close("completed").undo(by=owner),
        lambda: rows.pop(0).delete(),
        lambda: Conversation.objects.filter(pk__in=[row.pk for row in rows[:4]]).update(channel="email"),
        lambda: Conversation.objects.filter(pk__in=[row.pk for row in rows[:2]]).update(lead_id="Di"),
        lambda: erase([some().pk], account=acme, environment="live", by=owner),
    ]
    for _ in range(40):
        chance.choice(works)()
    assert sum(stored()[0].values()) > 0
    assert stored() == recounted()
    assert Lead.objects.count() > 3
    assert wrong_spans(kept_leads()) == 0


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"channel": "email"},
        {"campaign": AGENTS[0]},
        {"channel": "email", "agent": AGENTS[1]},
        {"channel": "whatsapp", "campaign": "c" * 24},
        {"agent": AGENTS[0], "campaign": AGENTS[0]},
        {"agent": AGENTS[1], "campaign": "c" * 24, "channel": "email"},
    ],
)
def test_figures_of_any_period_are_those_of_its_rows(
    acme: Account, record: Record, seed: int, filters: dict[str, str]
) -> None:
    chance = random.Random(seed)  # noqa: S311
    for _ in range(40):
        record(**values(chance, START))
    columns = {"channel": "channel", "agent": "agent_config_id", "campaign": "campaign_id"}
    listed = acme.conversations.live().filter(**{columns[name]: value for name, value in filters.items()})
    started = Started((acme.pk, "live"), filters)
    minutes = (0, 30, 60, 61, 1440, 1440 + 45, 3 * 1440, 4 * 1440 + 7)
    for low, high in [(low, high) for low in minutes for high in minutes if low <= high]:
        start, end = (START + timedelta(minutes=at) for at in (low, high))
        rows = list(listed.started_within(start, end))
        groups = started.groups(start, end)
        assert groups.tally.total == len(rows)
        assert groups.tally.finished == sum(row.status != "active" for row in rows)
        assert groups.tally.qualified == sum(bool(row.qualified) and row.status != "active" for row in rows)
        assert {key: tally.total for key, tally in groups.channels.items()} == Counter(row.channel for row in rows)
        assert {key: tally.total for key, tally in groups.agents.items()} == Counter(
            row.agent_config_id for row in rows
        )
        assert groups.stages == Counter(min(row.current_stage_index, 49) for row in rows)
        assert groups.stops == Counter(
            (min(row.current_stage_index, 49), row.last_role or "none") for row in rows if row.status == "dropped"
        )
        assert started.spans([start, end]) == [groups.tally]
    for offset in (0, 120, 330, 345, 765, -210):  # UTC, Cairo, Delhi, Kathmandu, Chatham, St. John's
        edges = [START + timedelta(days=day, minutes=-offset) for day in range(6)]
        edges[-1] -= timedelta(minutes=700, seconds=3)
        for some in (edges, edges[:2], edges[-2:]):
            totals = [listed.started_within(*pair).count() for pair in pairwise(some)]
            assert [tally.total for tally in started.spans(some)] == totals


def test_an_account_goes_with_its_cells(acme: Account, record: Record) -> None:
    record()
    account = Account.objects.create(name="Gone")
    record(account=account)
    pk = account.pk
    assert DayCell.objects.filter(account_id=pk).exists()
    Conversation.objects.filter(account=account).delete()
    account.delete()
    assert not DayCell.objects.filter(account_id=pk).exists()
    assert not HalfHourCell.objects.filter(account_id=pk).exists()
    assert not Lead.objects.filter(account_id=pk).exists()
    assert stored() == recounted()


@pytest.mark.django_db(transaction=True)
def test_who_writes_of_one_lead_at_the_same_moment_leaves_its_first_and_its_last(acme: Account) -> None:
    """Some come, some go: whoever is last sees what the others did."""
    ready = threading.Barrier(4)

    def come_and_go(number: int) -> None:
        chance = random.Random(number)  # noqa: S311
        ready.wait()
        for _ in range(12):
            new = [
                Conversation(
                    account=acme, lead_id=lead, agent_config_id=AGENTS[0], channel="email",
                    created_at=START + timedelta(minutes=chance.randrange(10_000)),
                )
                for lead in chance.sample(["Ana", "Bo", "Cy"], 3)
            ]  # fmt: skip
            with transaction.atomic():
                Conversation.objects.bulk_create(new)
            Conversation.objects.filter(pk=new[0].pk).update(created_at=START - timedelta(days=number))
            with transaction.atomic():
                Conversation.objects.filter(pk__in=[each.pk for each in new[: chance.randrange(4)]]).delete()
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(come_and_go, range(4)))
    assert {lead for (lead,) in Lead.objects.values_list("lead_id")} <= {"Ana", "Bo", "Cy"}
    assert wrong_spans(kept_leads()) == 0


@pytest.fixture
def unkept(acme: Account) -> Iterator[None]:
    """The store as it was before anything of this was kept."""
    leads = kept_leads()
    tables = [(leads.table, leads.source), *((cells.table, cells.source) for cells in kept())]
    if connection.vendor == "mongodb":
        store: Any = connection
        store.ensure_connection()
        store.database["parley_kept"].delete_many({"_id": {"$in": [table for table, _ in tables]}})
        with pytest.MonkeyPatch.context() as before:
            for source in {source for _, source in tables}:
                before.delitem(KEPT, source)
            yield
        return
    with connection.cursor() as cursor:
        for table, source in tables:
            on = "" if connection.vendor == "sqlite" else f" ON {source}"
            for event in ("insert", "update", "delete"):
                cursor.execute(f"DROP TRIGGER {table}_{event}{on}")
    yield


def test_what_was_there_before_is_counted_once(acme: Account, record: Record, unkept: None) -> None:
    record()
    assert not any(stored())
    assert not Lead.objects.exists()
    for _ in range(2):
        keep_spans(kept_leads())
        for cells in kept():
            keep_cells(cells)
        assert all(stored())
        assert stored() == recounted()
        assert wrong_spans(kept_leads()) == 0


@pytest.mark.skipif(connection.vendor == "sqlite", reason="there a cell is one row")
def test_folded_cells_add_up_to_the_same(acme: Account, record: Record) -> None:
    conversation = record()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT setseed(0.5)")  # which of the changes fold, each time the same
    for number in range(400):
        Conversation.objects.filter(pk=conversation.pk).update(current_stage_index=number % 3)
    assert DayCell.objects.filter(account=acme).count() < 2_000  # of 3,600 differences
    assert stored() == recounted()


@pytest.mark.skipif(connection.vendor != "mongodb", reason="the others fold in the database")
def test_a_fold_leaves_one_document_of_each_cell_that_a_change_wrote_to(
    acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    from config.storage.mongodb import cells as mongodb

    monkeypatch.setattr(mongodb, "FOLD_ONE_IN", 10**9)
    record(createdAt=wire_moment(START - timedelta(days=9))).change_status("dropped", by=None)
    untouched = DayCell.objects.count()
    conversation = record(createdAt=wire_moment(START))
    for status in ("dropped", "completed", "handed_off"):
        conversation.change_status(status, by=None)
    before = stored()
    assert DayCell.objects.count() - untouched > len({key[:5] for key in before[0]})
    monkeypatch.setattr(mongodb, "FOLD_ONE_IN", 1)
    conversation.change_status("dropped", by=None)
    after = stored()
    for cells, model, sums in list(zip(kept(), MODELS, after, strict=True))[:4]:
        first = int(START.timestamp()) // cells.seconds
        mine = {key[:5] for key in sums if key[2] >= first}
        assert model._default_manager.filter(bin__gte=first).count() == len(mine) > 0
    assert after == recounted()


def test_the_first_reply_is_kept_as_messages_come(record: Record) -> None:
    """However they are parted, what is kept is what all of them together say."""
    spoken = ["agent", "lead", "system", "lead", "agent", "human"]
    start = now() - timedelta(days=1)
    said = [
        message("x", role=role, timestamp=wire_moment(start + timedelta(seconds=at))) for at, role in enumerate(spoken)
    ]
    for size in (1, 2, 3, 6):
        conversation = record(messages=[])
        for position in range(0, len(said), size):
            conversation.append(said[position : position + size], by=None)
        kept_moments = (conversation.first_lead_at, conversation.first_reply_at)
        assert kept_moments == (start + timedelta(seconds=1), start + timedelta(seconds=4)), size
        conversation.derive()
        assert (conversation.first_lead_at, conversation.first_reply_at) == kept_moments
