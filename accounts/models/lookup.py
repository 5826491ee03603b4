"""The key that a request names. Each request of the API asks, so this query is prepared."""

from functools import cache
from typing import TYPE_CHECKING, Any

from accounts.models.account import Account
from config.storage.prepared import Prepared

if TYPE_CHECKING:
    from accounts.models.key import ApiKey


def key_of_digest(digest: str) -> "ApiKey | None":
    """The key and its account, whatever state the key is in, by the unique index of digests."""
    from accounts.models.key import ApiKey

    found = _stored(digest)
    if not found:
        return None
    of_key = _names(ApiKey)
    key = ApiKey.from_db("default", of_key, found[0][: len(of_key)])
    key.account = Account.from_db("default", _names(Account), found[0][len(of_key) :])
    return key


def _query(digest: str) -> Any:
    from accounts.models.key import ApiKey

    of_account = (f"account__{name}" for name in _names(Account))
    return ApiKey.objects.filter(digest=digest).values_list(*_names(ApiKey), *of_account)


@cache
def _names(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


_stored = Prepared(_query, values=1)
