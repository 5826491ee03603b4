"""``manage.py backup FILE``"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.milestones import remember
from config.storage import backup


class Command(BaseCommand):
    help = (
        "Write all that the store holds into one file, as it is at one moment, while Parley goes on. "
        "Any store takes it in: manage.py restore FILE."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            written = backup.write(file)
        except FileExistsError:
            raise CommandError(f"{file} exists already. Nothing was written.") from None
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
        remember("backup", rows=sum(table.rows for table in written), bytes=file.stat().st_size)
        for table in written:
            self.stdout.write(f"{table.rows:>12,}  {table.sha256[:16]}  {table.name}")
        self.stdout.write(f"{file}: {sum(table.rows for table in written):,} rows, {file.stat().st_size:,} bytes")
