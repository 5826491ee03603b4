from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ConversationsConfig(AppConfig):
    name = "conversations"
    verbose_name = _("Conversations")

    def ready(self) -> None:
        from config.storage.kept import KEPT, Kept
        from conversations.models import Conversation, Lead, Tally
        from conversations.models.cells import kept
        from conversations.models.lead import kept_leads

        mine, leads = Conversation._meta.db_table, Lead._meta.db_table
        of_rows, of_leads = ([cells for cells in kept() if cells.source == source] for source in (mine, leads))
        KEPT[mine] = Kept(Tally._meta.db_table, of_rows, kept_leads())
        KEPT[leads] = Kept(cells=of_leads)
        # Not a migration: SQLite makes a table anew to alter it, and its triggers go with the old one.
        post_migrate.connect(keep_figures, sender=self)


def keep_figures(**kwargs: Any) -> None:
    from config.storage.cells import keep_cells
    from config.storage.kept import KEPT
    from config.storage.spans import keep_spans
    from config.storage.tallies import keep_tally

    for table, kept in KEPT.items():
        if kept.tally:
            keep_tally(table=table, tally=kept.tally)
        if kept.spans:
            keep_spans(kept.spans)
    for kept in KEPT.values():  # some count spans
        for cells in kept.cells:
            keep_cells(cells)
