"""The cache that all processes share: on every store, ``add`` happens once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.db import connection

from accounts.models import Remembered
from config.storage.moments import now


def age(name: str) -> None:
    Remembered.objects.filter(pk__endswith=name).update(expires_at=now() - timedelta(milliseconds=1))


@pytest.mark.django_db
@pytest.mark.parametrize("value", [True, None, 0, "y", [1.5, 2.25], {"a": [None]}])
def test_what_was_set_is_there_until_it_expires(value: Any) -> None:
    assert cache.get("a", "nothing") == "nothing"
    cache.set("a", value, 60)
    assert cache.get("a", "nothing") == value
    cache.set("a", "other", 60)
    assert cache.get("a") == "other"
    age("a")
    assert cache.get("a") is None
    assert "a" not in cache


@pytest.mark.django_db
def test_what_is_there_is_not_added_again() -> None:
    assert cache.add("a", 1, 60)
    assert not cache.add("a", 2, 60)
    assert cache.get("a") == 1
    age("a")
    assert cache.add("a", 3, 60)
    assert cache.get("a") == 3
    assert cache.delete("a")
    assert not cache.delete("a")
    assert cache.add("a", 4, None)
    assert cache.get("a") == 4


@pytest.mark.django_db
def test_what_lives_longer_lives_longer() -> None:
    cache.set("a", 1, 0)
    assert cache.get("a") is None
    cache.set("a", 1, 1)
    assert cache.touch("a", 100)
    assert Remembered.objects.get().expires_at > now() + timedelta(seconds=90)
    assert not cache.touch("b", 100)


@pytest.mark.django_db
def test_what_has_expired_is_removed_in_passing() -> None:
    for name in ("a", "b", "c"):
        cache.set(name, 1, 60)
        age(name)
    backend: Any = caches["default"]
    backend._clean_at = 0
    cache.set("d", 1, 60)
    assert Remembered.objects.count() == 1
    cache.clear()
    assert Remembered.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", ["nothing", "expired"])
def test_of_many_at_once_one_adds(before: str) -> None:
    if before == "expired":
        cache.set("a", 0, 60)
        age("a")

    def add(number: int) -> bool:
        try:
            return cache.add("a", number, 60)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(add, range(40)))
    assert added.count(True) == 1
    assert cache.get("a") == added.index(True)
