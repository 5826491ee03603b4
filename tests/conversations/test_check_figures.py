"""``manage.py check_figures``: silent where what the database keeps is true, loud where somebody changed it."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import F

from accounts.models import Account
from config.storage.moments import now
from conversations.models import Conversation, DayCell, HalfHourCell, Lead, PairDayCell, PairHalfHourCell, Tally, Totals
from conversations.models.cells import kept
from tests.conftest import Api

Record = Callable[..., Conversation]

KEPT = 2 + len(kept())
"""How many things are compared: totals, each table of cells, and leads."""


def check(**options: Any) -> str:
    output = io.StringIO()
    call_command("check_figures", stdout=output, **options)
    return output.getvalue()


@pytest.mark.django_db
def test_an_empty_store_has_no_wrong_figures() -> None:
    assert check().count("as counted") == KEPT


def test_after_changes_all_is_as_counted(record: Record) -> None:
    first, gone = record(), record(environment="test", campaignId="c" * 24)
    first.change_status("dropped", by=None)
    gone.delete()
    assert check().count("as counted") == KEPT


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(lambda: Tally.objects.update(number=F("number") + 1), "totals by status", id="total"),
        pytest.param(lambda: Tally.objects.all().delete(), "totals by status", id="no totals"),
        pytest.param(lambda: DayCell.objects.filter(narrowed="").update(active=7), "daycell", id="days"),
        pytest.param(lambda: HalfHourCell.objects.all().delete(), "halfhourcell", id="no half hours"),
        pytest.param(lambda: PairDayCell.objects.all().delete(), "pairdaycell", id="no days of pairs"),
        pytest.param(
            lambda: PairHalfHourCell.objects.update(active=F("active") + 1),
            "pairhalfhourcell",
            id="half hours of pairs",
        ),
        pytest.param(lambda: Lead.objects.all().delete(), "leads", id="no leads"),
        pytest.param(lambda: Lead.objects.update(last_at=now()), "leads", id="a lead's last"),
        pytest.param(
            lambda: HalfHourCell.objects.update(account="f" * 24),
            "halfhourcell",
            id="somebody else's half hours",
        ),
    ],
)
def test_what_was_spoilt_is_told_and_rebuilt(
    acme: Account, record: Record, spoil: Callable[[], object], said: str
) -> None:
    record()
    record(status="dropped")
    before = Totals.of(acme, "live")
    spoil()
    output = io.StringIO()
    with pytest.raises(CommandError, match="--rebuild"):
        call_command("check_figures", stdout=output)
    [wrong] = [line for line in output.getvalue().splitlines() if line.endswith("are wrong")]
    assert said in wrong
    assert check(rebuild=True).count("as counted") == KEPT
    after = Totals.of(acme, "live")
    assert after.by_status == before.by_status
    record()
    assert check().count("as counted") == KEPT


def test_no_etag_stands_for_two_states_after_an_emptied_account_was_rebuilt(api: Api, record: Record) -> None:
    seen = set[str]()
    for _ in range(3):
        conversation = record()
        etag = api.get()["ETag"]
        assert etag not in seen
        seen.add(etag)
        conversation.delete()
        check(rebuild=True)
