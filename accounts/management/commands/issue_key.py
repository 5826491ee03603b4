"""``manage.py issue_key ACCOUNT --environment test --scope conversations:view``"""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account, ApiKey, Environment
from accounts.scopes import READ_SCOPES, Scope
from config.storage.moments import now


class Command(BaseCommand):
    help = "Issue an API key. It is printed once, alone on the last line of standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT", help="the account's name or id")
        parser.add_argument("--name", default="Command line", help="what the key is for")
        parser.add_argument("--environment", choices=Environment.values, default=Environment.LIVE)
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            metavar="SCOPE",
            help=f"may be repeated; without it: {', '.join(READ_SCOPES)}. One of: {', '.join(Scope.values)}",
        )
        parser.add_argument(
            "--mask-contacts", action="store_true", help="answer it with phones and e-mail addresses masked"
        )
        parser.add_argument("--expires-in", type=int, metavar="DAYS", help="without it the key does not expire")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["expires_in"]
        try:
            account = Account.objects.find(options["account"])
            key, token = ApiKey.objects.issue(
                account=account,
                name=options["name"],
                environment=options["environment"],
                scopes=options["scope"] or READ_SCOPES,
                contacts_masked=options["mask_contacts"],
                expires_at=None if days is None else now() + timedelta(days=days),
                by=None,
            )
        except Account.DoesNotExist as error:
            raise CommandError(str(error)) from None
        except (ValidationError, OverflowError) as error:
            raise CommandError(" ".join(getattr(error, "messages", ["--expires-in: too many days."]))) from None
        self.stderr.write(f"{key.name}, {key.environment}, of {account.name}; scopes: {', '.join(key.scopes)}.")
        self.stderr.write("Shown only now:")
        self.stdout.write(token)
