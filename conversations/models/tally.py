"""How many conversations there are, and how often they changed, without looking at any."""

from typing import Any, NamedTuple

from django.db import models
from django.db.models import Sum

from accounts.models import Account, Owned, OwnedQuerySet
from config.storage.prepared import Prepared
from config.storage.transaction import snapshot_of_all
from conversations.models.queries import Status

COUNTED_WHOLE = 20_000
"""In an account of at most so many conversations each page says how many it lists. In a larger one a search that finds
more than a few (``config.storage.search.FEW``) does not: to count them all would take longer than the page.
"""

COUNTED_AT_ONCE = 2_000
"""The same of the API, whose answers take less."""


class Totals(NamedTuple):
    """No change of any conversation leaves ``changes`` as it was."""

    by_status: dict[str, int]
    changes: int

    @property
    def number(self) -> int:
        return sum(self.by_status.values())

    @classmethod
    def of(cls, account: Account, environment: str) -> "Totals":
        """A read of a few rows, however many conversations there are."""
        found = _tallies(account.pk, environment)
        return cls({status: number for status, number, _ in found}, sum(changes for *_, changes in found))


def kept_counts(account: Account, environment: str) -> dict[str, int]:
    """Status → number of conversations, every status present, in no time."""
    by_status = Totals.of(account, environment).by_status
    return {status: by_status.get(status, 0) for status in Status.values}


def numbers_of_all() -> dict[tuple[str, str], int]:
    """Environment and status → conversations of all accounts."""
    sums = (
        Tally.objects.values_list("environment", "status").annotate(sum=Sum("number")).order_by("environment", "status")
    )
    with snapshot_of_all():  # on MongoDB no statement sees one moment by itself
        return {(environment, status): number for environment, status, number in sums}


class Tally(Owned):
    """Conversations of one status, counted by the database (``config.storage.tallies``). Nothing here writes it."""

    # No constraint: each change of a conversation would look at its account again.
    account: "models.ForeignKey[Any, Account]" = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="tallies", db_index=False, db_constraint=False
    )
    status = models.CharField(max_length=10)
    number = models.BigIntegerField()
    changes = models.BigIntegerField()

    is_derived = True  # no backup holds it: the store that is restored counts for itself

    objects = models.Manager.from_queryset(OwnedQuerySet["Tally"])()

    class Meta:
        indexes = (models.Index(fields=("account", "environment", "status"), name="tally_of_account"),)

    def __str__(self) -> str:
        return f"{self.number} {self.status}"


def _tallies_of(account: str, environment: str) -> Any:
    mine = Tally.objects.filter(account_id=account, environment=environment)
    # Several to a status, where changes are written one beside the other until they are folded.
    return mine.order_by("status").values_list("status").annotate(sum=Sum("number"), all=Sum("changes"))


_tallies = Prepared(_tallies_of, values=2, at_once=True)
