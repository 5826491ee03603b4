"""Who: tenants, people, keys, and the record of what they did."""

from accounts.models.account import Account, Environment, Owned, OwnedQuerySet
from accounts.models.audit import Actor, AuditEvent
from accounts.models.idempotency import IdempotentRequest
from accounts.models.invitation import Invitation
from accounts.models.key import ApiKey
from accounts.models.person import Membership, User
from accounts.models.remembered import Remembered

__all__ = [
    "Account",
    "Actor",
    "ApiKey",
    "AuditEvent",
    "Environment",
    "IdempotentRequest",
    "Invitation",
    "Membership",
    "Owned",
    "OwnedQuerySet",
    "Remembered",
    "User",
]
