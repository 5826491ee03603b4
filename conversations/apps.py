from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ConversationsConfig(AppConfig):
    name = "conversations"
    verbose_name = _("Conversations")

    def ready(self) -> None:
        from config.storage.tallies import KEPT
        from conversations.models import Conversation, Tally

        KEPT[Conversation._meta.db_table] = Tally._meta.db_table
        # Not a migration: SQLite makes a table anew to alter it, and its triggers go with the old one.
        post_migrate.connect(keep_tally, sender=self)


def keep_tally(**kwargs: Any) -> None:
    from config.storage.cells import keep_cells
    from config.storage.spans import keep_spans
    from config.storage.tallies import keep_tally
    from conversations.models import Conversation, Tally
    from conversations.models.cells import kept
    from conversations.models.lead import kept_leads

    keep_tally(table=Conversation._meta.db_table, tally=Tally._meta.db_table)
    keep_spans(kept_leads())  # some cells count those
    for cells in kept():
        keep_cells(cells)
