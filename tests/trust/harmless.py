"""Mutants that open nothing, each with its reason. What matches nothing any more is an error, and has to go."""

from tests.trust.finding import Mutant

HARMLESS: dict[tuple[str, str, str], str] = {
    ("accounts/key_rows.py", "History.of", "account.audit_events"): (
        "It asks for entries about the account's own keys, by their ids: no other account has any of these."
    ),
}
"""File, function and the beginning of what is taken away → why nothing comes of it."""


def key_of(mutant: Mutant) -> tuple[str, str, str]:
    return mutant.path, mutant.where, mutant.old


def is_harmless(mutant: Mutant) -> bool:
    return any(_matches(mutant, each) for each in HARMLESS)


def stale(mutants: list[Mutant]) -> list[str]:
    return [" ".join(each) for each in HARMLESS if not any(_matches(mutant, each) for mutant in mutants)]


def _matches(mutant: Mutant, each: tuple[str, str, str]) -> bool:
    path, where, old = each
    return mutant.path == path and mutant.where == where and mutant.old.startswith(old)
