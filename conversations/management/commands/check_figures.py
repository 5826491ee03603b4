"""``manage.py check_figures``: whether the totals and figures that the database keeps are true."""

from argparse import ArgumentParser
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from config.storage import cells as kept_cells
from config.storage import spans as kept_spans
from config.storage import tallies
from conversations.models import Conversation, Tally
from conversations.models.cells import kept
from conversations.models.lead import kept_leads

TABLES = {"table": Conversation._meta.db_table, "tally": Tally._meta.db_table}


class Command(BaseCommand):
    help = "Compare the totals and figures that the database keeps with its conversations; fail where they differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--rebuild",
            action="store_true",
            help="count all conversations anew first; writers wait meanwhile, but on MongoDB",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rebuild"]:
            rebuild()
        wrong = {
            "totals by status": tallies.wrong_totals(**TABLES),
            **{f"figures in {cells.table}": kept_cells.wrong_cells(cells) for cells in kept()},
            "first and last of leads": kept_spans.wrong_spans(kept_leads()),
        }
        for name, number in wrong.items():
            self.stdout.write(f"{name:45}{f'{number:,} are wrong' if number else 'as counted'}")
        if any(wrong.values()):
            raise CommandError("Some figures are not those of the conversations: check_figures --rebuild counts anew.")


def rebuild() -> None:
    if connection.vendor == "mongodb":
        from config.storage.mongodb import cells as mongodb_cells
        from config.storage.mongodb import spans as mongodb_spans
        from config.storage.mongodb import tallies as mongodb_tallies

        mongodb_tallies.recount(connection, **TABLES)
        mongodb_spans.recount(connection, kept_leads())  # some cells count those
        for _, several in groupby(kept(), key=attrgetter("source", "moment")):
            mongodb_cells.recount(connection, list(several))
        return
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # else a change that is counted meanwhile would be added to the recount
            cursor.execute(f"LOCK TABLE {TABLES['table']} IN SHARE ROW EXCLUSIVE MODE")
        tallies.recount(cursor, **TABLES)
        kept_spans.recount(kept_leads(), cursor)  # some cells count those
        for cells in kept():
            kept_cells.recount(cells, cursor)
