"""When an account's leads first came and last came, kept up to date by the database. Nothing here writes it."""

from typing import Any

from django.db import models

from accounts.models import Account, Owned, OwnedQuerySet
from config.storage.spans import Spans
from conversations.models.conversation import Conversation


class Lead(Owned):
    """A caller's id of one, and from when to when their conversations began (``config.storage.spans``)."""

    is_derived = True  # a backup leaves it out: the database makes it anew

    # No constraint: each change of a conversation would look at its account again.
    account: "models.ForeignKey[Any, Account]" = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="leads", db_index=False, db_constraint=False
    )
    lead_id = models.CharField(max_length=64)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    objects = models.Manager.from_queryset(OwnedQuerySet["Lead"])()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "environment", "lead_id"), name="lead_once"),)
        indexes = (
            models.Index(fields=("account", "environment", "first_at"), name="lead_first"),
            models.Index(fields=("account", "environment", "last_at"), name="lead_last"),
        )

    def __str__(self) -> str:
        return self.lead_id


def kept_leads() -> Spans:
    return Spans(Conversation._meta.db_table, Lead._meta.db_table, "lead_id")
