"""``manage.py load_demo``: an account to look around in."""

import secrets
from argparse import ArgumentParser
from collections import defaultdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account, ApiKey, AuditEvent, Environment, User
from accounts.models.audit import actor_fields
from accounts.scopes import Role, Scope
from config.storage.moments import now, to_milliseconds
from config.storage.transaction import atomic
from conversations.demo import AGENT_NAMES, CAMPAIGN_NAMES, STAGE_NAMES, demo_conversations
from conversations.models import Conversation, LastLook, Outcome
from conversations.serializers import ConversationRecordSerializer, record_from

NAME = "Demo"


class Command(BaseCommand):
    help = (
        "Create a demo account: a person of each role and one who is invited, conversations of every kind, one live "
        "and one test key. Prints the sign-in and the keys once. With --into: only the conversations, in an account "
        "that is there."
    )

    stealth_options = ("by",)  # who loads it from a page: the audit log tells

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="only where there is no account yet")
        parser.add_argument("--into", metavar="ACCOUNT", help="the name or id of an account without conversations")

    def handle(self, *args: Any, **options: Any) -> None:
        debug = settings.DEBUG
        settings.DEBUG = False  # where it is on, Django keeps and formats every statement
        try:
            self._load(options)
        finally:
            settings.DEBUG = debug

    def _load(self, options: dict[str, Any]) -> None:
        if options["into"]:
            self._load_into(options["into"], by=options.get("by"))
            return
        if Account.objects.exists():
            if options["if_empty"]:
                return
            raise CommandError("There are accounts already. The demo is for an empty store.")
        password = secrets.token_urlsafe(9)
        account, people, tokens = _create(password)
        count = _record(account, by=None)
        _name(account)
        _look(account)
        base = settings.BASE_URL
        self.stdout.write(
            f"""
Demo account with {count} conversations. Shown only now; keep what you need:

  Sign in   {base}/login/
            {people[Role.OWNER].email}   {password}
            (the same password: {", ".join(person.email for role, person in people.items() if role != Role.OWNER)})
  Live key  {tokens[Environment.LIVE]}
  Test key  {tokens[Environment.TEST]}

  Try       curl -H 'X-API-Key: {tokens[Environment.LIVE]}' '{base}/api/conversations?status=active&limit=2'
"""
        )

    def _load_into(self, name_or_id: str, *, by: User | None) -> None:
        try:
            account = Account.objects.find(name_or_id)
        except Account.DoesNotExist as error:
            raise CommandError(str(error)) from None
        if account.conversations.exists():
            raise CommandError(f"{account} has conversations already. The demo is for an empty account.")
        count = _record(account, by=by)
        _name(account, by=by)
        _look(account)
        self.stdout.write(f"{count} conversations are in {account} now.")


@atomic
def _create(password: str) -> tuple[Account, dict[Role, User], dict[Environment, str]]:
    """The account, its people by role and its keys by environment. The owner may use the Django admin too."""
    people = {}
    for role in Role:
        is_owner = role == Role.OWNER
        people[role] = User.objects.create_user(
            f"{role.replace('_', '-')}@demo.example",
            name=f"Demo {role.label}",
            is_staff=is_owner,
            is_superuser=is_owner,
        )
    owner = people[Role.OWNER]
    # One hash for all of them: it is slow on purpose.
    User.objects.filter(pk__in=[person.pk for person in people.values()]).update(password=make_password(password))
    account = Account.objects.open(name=NAME, owner=owner, by=None)
    for role, person in people.items():
        if person != owner:
            account.memberships.create(user=person, roles=[role])
    # Somebody who has not come yet. No mail is sent: the page of people offers to.
    account.invitations.invite(account=account, email="new-colleague@demo.example", roles=[Role.ANALYST], by=owner)
    tokens = {
        environment: ApiKey.objects.issue(
            account=account, name=f"Demo {environment}", environment=environment, scopes=tuple(Scope), by=owner
        )[1]
        for environment in Environment
    }
    return account, people, tokens


@atomic
def _record(account: Account, *, by: User | None) -> int:
    """Record the demo's conversations through the same door as everybody's, and tell what happened to them.

    Under ids of the account's own: several accounts of a store can have the demo.
    """
    serializer = ConversationRecordSerializer()
    records = defaultdict(list)
    events = []
    actors: dict[str, Any] = {environment: actor_fields(None) for environment in Environment}
    actors |= {key.environment: actor_fields(key) for key in account.api_keys.all()}
    for environment, conversation, history in demo_conversations(now=now(), namespace=account.pk):
        records[environment].append(record_from(serializer, conversation))
        events += [
            AuditEvent(
                account=account,
                environment=environment,
                action=action,
                resource_type="conversation",
                resource_id=conversation["_id"],
                timestamp=to_milliseconds(moment),
                metadata=metadata,
                **actors[environment],
            )
            for moment, action, metadata in history
        ]
    count = 0
    for environment, values in records.items():
        results = Conversation.objects.record(account, values, environment=environment, by=by)
        count += sum(result.outcome == Outcome.RECORDED for result in results)
    AuditEvent.objects.bulk_create(events, batch_size=500)
    return count


@atomic
def _name(account: Account, *, by: User | None = None) -> None:
    """Name the demo's agents and campaigns. A name that somebody gave is kept."""
    for agent in account.agents.all():
        if not agent.name and agent.agent_config_id in AGENT_NAMES:
            agent.rename(
                by=by, name=AGENT_NAMES[agent.agent_config_id], stages=list(STAGE_NAMES[agent.agent_config_id])
            )
    for campaign in account.campaigns.all():
        if not campaign.name and campaign.campaign_id in CAMPAIGN_NAMES:
            campaign.rename(by=by, name=CAMPAIGN_NAMES[campaign.campaign_id])


@atomic
def _look(account: Account) -> None:
    """Everybody last looked a day ago, so that there is news to tell."""
    day_ago = now() - timedelta(days=1)
    for membership in account.memberships.select_related("account", "user"):
        for environment in Environment:
            LastLook.objects.mark_seen(membership, environment, until=day_ago)
