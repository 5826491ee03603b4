"""The request of a person who is signed in and in an account: what ``scope_required`` lets through."""

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from accounts.models import Account, Membership, User


class AccountRequest(HttpRequest):
    """Set by ``AccountMiddleware``; for annotations only, nobody makes one."""

    user: User
    session: SessionBase
    account: Account
    membership: Membership
    memberships: list[Membership]
    environment: str
