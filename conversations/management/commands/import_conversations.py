"""``manage.py import_conversations SOURCE --account ACCOUNT``"""

import os
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.milestones import remember
from accounts.models import Account, Environment
from conversations.importing import Import, SourceError, Tally, open_source
from conversations.models import Outcome


class Command(BaseCommand):
    help = (
        "Import conversations into an account. SOURCE is a JSON array or JSON Lines, either gzipped; - for standard "
        "input; or the address of another server's /api/conversations. Repeating or interrupting it is safe."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="SOURCE")
        parser.add_argument("--account", required=True, help="the account's name or id")
        parser.add_argument("--environment", choices=Environment.values, default=Environment.LIVE)
        parser.add_argument("--api-key", default=os.environ.get("IMPORT_API_KEY"), help="for another server's API")
        parser.add_argument(
            "--rejects", type=Path, help="where refused records go (default: SOURCE.rejects.jsonl here)"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        settings.DEBUG = False  # where it is on, Django keeps and formats every statement
        account = self._account(options["account"])
        source, rejects = options["source"], options["rejects"] or _default_rejects(options["source"])
        progress = Progress()
        run = Import(
            account,
            environment=options["environment"],
            rejects=rejects,
            dry_run=options["dry_run"],
            on_progress=progress.show,
        )
        trouble = None
        try:
            run.run(open_source(source, api_key=options["api_key"]))
        except SourceError as error:
            trouble = CommandError(f"{error} What was read before that stands below.")
        except KeyboardInterrupt:
            trouble = CommandError("Interrupted. The same command again goes on from there.", returncode=130)
        progress.end()
        if not options["dry_run"]:
            refused = run.tally.outcomes[Outcome.REFUSED]
            remember("import", conversations=run.tally.total - refused, refused=refused)
        self._report(run.tally, progress.seconds, dry_run=options["dry_run"])
        if run.tally.outcomes[Outcome.REFUSED]:
            self.stdout.write(f"Refused records, each with its line and the reason: {rejects}")
        if trouble:
            raise trouble

    def _account(self, name_or_id: str) -> Account:
        try:
            return Account.objects.find(name_or_id)
        except Account.DoesNotExist as error:
            raise CommandError(str(error)) from None

    def _report(self, tally: Tally, seconds: float, *, dry_run: bool) -> None:
        if dry_run:
            self.stdout.write("Nothing was changed. It would be:")
        for outcome in Outcome:
            self.stdout.write(f"  {outcome.label:<10} {tally.outcomes[outcome]:>10,}")
        rate = tally.total / seconds if seconds else 0
        self.stdout.write(f"  {'Total':<10} {tally.total:>10,}   in {seconds:.1f} s, {rate:,.0f} a second")


class Progress:
    """How far the run is, on standard error: a line that renews itself on a terminal, one in ten seconds elsewhere."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.shown = self.began
        self.on_terminal = sys.stderr.isatty()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def show(self, tally: Tally) -> None:
        if time.monotonic() - self.shown < (0.2 if self.on_terminal else 10):
            return
        self.shown = time.monotonic()
        line = f"{tally.total:,} conversations, {tally.messages:,} messages, {tally.total / self.seconds:,.0f} a second"
        print(f"\r{line}\x1b[K" if self.on_terminal else line, end="" if self.on_terminal else "\n", file=sys.stderr)

    def end(self) -> None:
        if self.on_terminal:
            print("\r\x1b[K", end="", file=sys.stderr)


def _default_rejects(source: str) -> Path:
    """In the present folder, named for the source: ``leads.json.rejects.jsonl``."""
    is_file = source != "-" and not source.startswith(("http://", "https://"))
    return Path(f"{Path(source).name if is_file else 'import'}.rejects.jsonl")
