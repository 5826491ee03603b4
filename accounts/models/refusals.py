"""Why something cannot be done with an API key, or given to somebody."""

from collections.abc import Collection, Iterable


class KeyStateConflict(Exception):
    """The key is not in a state in which that could be done to it; the text says why."""


class KeyRevoked(KeyStateConflict):
    """A revoked key stays revoked: it cannot be rotated back to life."""


class KeyExpired(KeyStateConflict):
    """An expired key cannot be rotated: the new key would have the old one's expiry, and be dead from the start."""


class KeyActive(KeyStateConflict):
    """A key that still opens something is revoked before it is removed."""


class ScopeNotHeld(Exception):
    """Nobody gives more than they hold; ``scope`` is the first one that the giver lacks."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"Cannot give {scope} without holding it.")
        self.scope = scope


def check_held(scopes: Iterable[str], held: Collection[str] | None) -> None:
    """Raises ScopeNotHeld for the first of ``scopes`` that is not among ``held``; None bounds nothing."""
    for scope in scopes:
        if held is not None and scope not in held:
            raise ScopeNotHeld(scope)


class LiveNotHeld(Exception):
    """A test key gives no way into live data."""

    def __init__(self) -> None:
        super().__init__("A test key cannot issue or rotate live keys.")
