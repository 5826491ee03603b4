"""``manage.py setup_link``"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.setup import is_waiting_for_owner, setup_link


class Command(BaseCommand):
    help = "Print the link with which the first owner sets this server up. It holds for a day, while nobody is there."

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_waiting_for_owner():
            raise CommandError("There are people already. An account for another: create_account NAME --owner EMAIL")
        self.stdout.write(setup_link())
