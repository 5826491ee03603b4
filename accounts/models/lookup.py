"""The key that a request names. Each request of the API asks, so this query is prepared."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from accounts.models.account import Account
from config.storage.prepared import Prepared

if TYPE_CHECKING:
    from accounts.models.key import ApiKey


def key_of_digest(digest: str) -> "ApiKey | None":
    """The key and its account, whatever state the key is in, by the unique index of digests."""
    found = _stored(digest)
    return key_from(found[0]) if found else None


def key_columns() -> list[str]:
    """What ``key_from`` makes a key of."""
    from accounts.models.key import ApiKey

    return [*_names(ApiKey), *(f"account__{name}" for name in _names(Account))]


def key_from(row: Sequence[Any]) -> "ApiKey":
    """The key and its account, of a row that begins with ``key_columns``."""
    from accounts.models.key import ApiKey

    of_key, of_account = _names(ApiKey), _names(Account)
    key = ApiKey.from_db("default", of_key, row[: len(of_key)])
    key.account = Account.from_db("default", of_account, row[len(of_key) : len(of_key) + len(of_account)])
    return key


def _query(digest: str) -> Any:
    from accounts.models.key import ApiKey

    return ApiKey.objects.filter(digest=digest).values_list(*key_columns())


@cache
def _names(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


_stored = Prepared(_query, values=1)
