"""The first run: nobody is there yet, and whoever has the link becomes the first owner.

On a developer's machine (DEBUG) everybody who reaches the server has it. Elsewhere a stranger must not be faster than
the operator: the page wants a link that ``manage.py setup_link`` prints. It is signed, holds for a day, and needs to
be stored nowhere.
"""

from typing import Any

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.urls import reverse

from accounts.models import Account, User
from config.storage.transaction import atomic

SALT, DAY = "accounts.setup", 24 * 3600
LOCK, PATIENCE = "setup", 60  # seconds that one setup may take


class AlreadySetUp(Exception):
    """There is somebody, or will be in a moment."""


def is_waiting_for_owner() -> bool:
    return not User.objects.exists()


def setup_link() -> str:
    """The address at which the first owner signs up, for a day."""
    return f"{settings.BASE_URL}{reverse('setup')}?token={signing.dumps('owner', salt=SALT)}"


def may_set_up(token: str) -> bool:
    if settings.DEBUG:
        return True
    try:
        signing.loads(token, salt=SALT, max_age=DAY)
    except signing.BadSignature:
        return False
    return True


def set_up(*, account: str, **person: Any) -> tuple[User, Account]:
    """The first owner, who may use the admin too, and their account. Raises AlreadySetUp and ValidationError."""
    if not cache.add(LOCK, 1, PATIENCE):  # of several at once, one goes on
        raise AlreadySetUp
    try:
        if not is_waiting_for_owner():
            raise AlreadySetUp
        return _make(account, person)
    finally:
        cache.delete(LOCK)


@atomic
def _make(account: str, person: dict[str, Any]) -> tuple[User, Account]:
    owner = User.objects.create_superuser(**person)
    return owner, Account.objects.open(name=account, owner=owner, by=owner)
