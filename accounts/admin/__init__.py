"""The operators' admin of accounts, people, keys and the audit log. Secrets never show; records are never edited."""

from accounts.admin import accounts, keys, people, records  # noqa: F401  they register their models
from accounts.admin.base import AccountFilter, AtScale, ReadOnlyAdmin

__all__ = ["AccountFilter", "AtScale", "ReadOnlyAdmin"]
