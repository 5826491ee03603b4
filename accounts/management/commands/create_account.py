"""``manage.py create_account NAME --owner EMAIL``"""

import getpass
import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account, ApiKey, Environment, User
from accounts.models.person import normalize_email
from accounts.scopes import Scope
from config.storage.transaction import atomic


class Command(BaseCommand):
    help = (
        "Create an account and its owner, and issue its first API key. The key is printed once, alone on the last line "
        "of standard output. A new owner's password is asked for, or made and printed where nobody can be asked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--owner", metavar="EMAIL", required=True)
        parser.add_argument("--environment", choices=Environment.values, default=Environment.LIVE, help="of the key")

    def handle(self, *args: Any, **options: Any) -> None:
        known = User.objects.filter(email=normalize_email(options["owner"])).first()
        password = None if known else self._password()
        try:
            account, token = _open(options, known, password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stderr.write(f"Account {account.name} ({account.pk}), owned by {options['owner']}.")
        self.stderr.write("Its first key, with every scope, shown only now:")
        self.stdout.write(token)

    def _password(self) -> str:
        if not sys.stdin.isatty():
            password = secrets.token_urlsafe(12)
            self.stderr.write(f"The owner's password, shown only now: {password}")
            return password
        password = getpass.getpass("The owner's password: ")
        if password != getpass.getpass("Once more: "):
            raise CommandError("The two passwords differ. Nothing was created.")
        return password


@atomic
def _open(options: dict[str, Any], owner: User | None, password: str | None) -> tuple[Account, str]:
    if owner is None:
        validate_password(password or "")
        owner = User.objects.create_user(options["owner"], password)
    account = Account.objects.open(name=options["name"], owner=owner, by=None)
    _, token = ApiKey.objects.issue(
        account=account, name="First key", environment=options["environment"], scopes=tuple(Scope), by=None
    )
    return account, token
