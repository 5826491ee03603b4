"""``manage.py restore FILE``"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.storage import backup


class Command(BaseCommand):
    help = "Fill an empty store (after manage.py migrate) with what a backup of any store holds, and compare them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            asked, held = backup.restore(file)
        except backup.NotEmpty as error:
            raise CommandError(f"The store is not empty: it has {error}. Nothing was restored.") from None
        except backup.BadBackup as error:
            raise CommandError(f"{error} Nothing was restored.") from None
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        different = backup.differing(asked, held)
        for table in held:
            sign = "DIFFERS" if table.name in different else "same"
            self.stdout.write(f"{table.rows:>12,}  {table.sha256[:16]}  {sign}  {table.name}")
        if different:
            raise CommandError(f"Restored, but not the same as the backup: {', '.join(different)}.")
        self.stdout.write(f"{sum(table.rows for table in held):,} rows restored, the same as in {file}")
