"""``manage.py check_search``: whether lists and searches are answered from their indexes on the configured store."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from accounts.models import Environment
from config.storage.fields import new_object_id
from config.storage.search import engine_of, index_of
from config.storage.search.plans import faults_of
from conversations.models import Conversation, ConversationQuerySet, Status

PAGE = 51


class Command(BaseCommand):
    help = "Explain the queries of lists and searches on the configured store; fail where one reads what it should not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="make the index of the search anew first")

    def handle(self, *args: Any, **options: Any) -> None:
        index, engine = index_of(Conversation, "search_text"), engine_of(connection)
        if options["rebuild"]:
            with connection.schema_editor() as editor:
                editor.remove_index(Conversation, index)
            with connection.schema_editor() as editor:
                editor.add_index(Conversation, index)
        faults = []
        for name, rows, may_sort in lists():
            found = faults_of(rows[:PAGE], may_sort=may_sort)
            self.stdout.write(f"{name:45}{', '.join(found) or 'from its index'}")
            faults += [f"{name}: {fault}" for fault in found]
        found = engine.faults(index, Conversation) if engine else []
        words = "none here: searches walk along the list" if engine is None else "made and complete"
        self.stdout.write(f"{'index of the search':45}{' '.join(found) or words}")
        if faults + found:
            raise CommandError("\n".join(faults + found))


def lists() -> list[tuple[str, ConversationQuerySet, bool]]:
    """The queries of the list page and of the API, as they are asked; whether they may sort the few that they find."""
    owner = Conversation.objects.values_list("account_id", "environment").first()
    account, environment = owner or (new_object_id(), Environment.LIVE)
    mine = Conversation.objects.filter(account=account).within(environment)
    newest = mine.newest_first()
    active = newest.filter(status=Status.ACTIVE)
    asked = [
        ("list", newest, False),
        ("list of one status", active, False),
        ("list by start", mine.order_by("-created_at", "-id"), False),
        ("list by length", mine.order_by("-message_count", "-id"), False),
        ("search for common words", mine.look_for("words").walk(newest), False),
        ("search for common words in one status", mine.look_for("words").walk(active), False),
    ]
    rare = mine.look_for("words")
    if rare.engine:
        asked.append(("search for rare words", rare.among(newest, [new_object_id()]), True))
    return asked
