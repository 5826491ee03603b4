"""The indexes of conversations: what each list, count and figure is read from."""

from django.db import models

from config.storage.search import SubstringIndex
from conversations.models.queries import FACETS, FIGURES, FIGURES_OF_AGENT, FIGURES_OF_CAMPAIGN

INDEXES = (
    # The whole ordering, _id included: a page is read from the index, never sorted.
    models.Index(fields=("account", "environment", "-updated_at", "-id"), name="conversation_newest"),
    models.Index(
        fields=("account", "environment", "status", "-updated_at", "-id"), name="conversation_newest_by_status"
    ),
    models.Index(fields=("account", "environment", "lead_id", "-updated_at", "-id"), name="conversation_of_lead"),
    models.Index(fields=("account", "environment", "-created_at", "-id"), name="conversation_started"),
    # Read alone where leads are counted, each with its first conversation and its last
    models.Index(fields=("account", "environment", "lead_id", "created_at"), name="conversation_leads"),
    models.Index(fields=("account", "environment", "-message_count", "-id"), name="conversation_longest"),
    # Read alone where filters are counted; an append changes nothing in it.
    models.Index(fields=("account", "environment", "status", *FACETS), name="conversation_facets"),
    # Read alone where figures are counted (``conversations.analytics``); an append changes nothing in it.
    models.Index(fields=("account", "environment", *FIGURES), name="conversation_figures"),
    # The same of one agent, one campaign, one channel: however rare, its figures are read, and nothing else
    models.Index(fields=("account", "environment", *FIGURES_OF_AGENT), name="conversation_of_agent"),
    models.Index(fields=("account", "environment", *FIGURES_OF_CAMPAIGN), name="conversation_of_campaign"),
    models.Index(fields=("account", "environment", "channel", "created_at", "status"), name="conversation_of_channel"),
    # Not read by Django's own look-ups, but by ``search`` alone
    SubstringIndex(fields=("account", "environment", "search_text"), along="updated_at", name="conversation_search"),
)
