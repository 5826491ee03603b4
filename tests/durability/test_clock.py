"""A clock that is set back or forward, by hand or by the network: nothing is lost, doubled, or valid again."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import throttling
from accounts.models import Account, ApiKey
from conversations.models import Conversation
from tests.conftest import Api, json_of
from tests.factories import WireConversation, message

Record = Callable[..., Conversation]
PATH = "/api/conversations"
HOUR = timedelta(hours=1)


class Clock:
    """Stands still where nobody sets it; everything of ours asks it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 10, 25, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def milliseconds(self) -> int:
        return int(self.moment.timestamp() * 1_000)

    def turn(self, by: timedelta) -> None:
        self.moment += by


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock.now)
    monkeypatch.setattr(throttling, "milliseconds", clock.milliseconds)
    return clock


@pytest.fixture
def acme(clock: Clock, acme: Account) -> Account:
    return acme


def test_a_change_after_the_clock_was_set_back_is_still_the_newest(clock: Clock, api: Api, record: Record) -> None:
    older, newer = record().pk, record().pk
    clock.turn(timedelta(minutes=1))
    api.post(f"{PATH}/{newer}/messages", message("One"))
    before = api.get(f"{PATH}/{newer}")
    clock.turn(-HOUR)
    changed = json_of(api.post(f"{PATH}/{newer}/messages", message("Two")))
    assert changed["updatedAt"] == json_of(before)["updatedAt"]  # it does not go back
    assert api.ids(limit=2) == [newer, older]
    # The moment is the same, and the ETag is another one: nobody is told that nothing has changed.
    again = api.get(f"{PATH}/{newer}", headers={"If-None-Match": before.headers["ETag"]})
    assert again.status_code == 200
    assert json_of(again)["messageCount"] == 4


def test_a_list_tells_of_a_change_whatever_the_clock_says(clock: Clock, api: Api, record: Record) -> None:
    pk = record().pk
    for turn in (-HOUR, HOUR, timedelta(0), -timedelta(days=400)):
        etag = api.get(limit=5).headers["ETag"]
        assert api.get(limit=5, headers={"If-None-Match": etag}).status_code == 304
        clock.turn(turn)
        api.post(f"{PATH}/{pk}/messages", message("More"))
        assert api.get(limit=5, headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("turn", [-HOUR, HOUR, -timedelta(days=400), timedelta(days=400)])
def test_pages_show_each_conversation_once_while_the_clock_is_set(
    clock: Clock, api: Api, record: Record, turn: timedelta
) -> None:
    """Those that were there from the first page on; what is recorded meanwhile comes once or not at all."""
    there = [record().pk for _ in range(7)]
    seen: list[str] = []
    path: str | None = f"{PATH}?limit=2"
    while path:
        response = api.client.get(path, headers={"X-API-Key": api.token})
        seen += [each["_id"] for each in json_of(response)]
        clock.turn(turn / 7)
        api.post(PATH, WireConversation())
        link = re.search(r"<http://testserver(.+?)>", response.headers.get("Link", ""))
        path = link[1] if link else None
    assert len(seen) == len(set(seen))
    assert set(there) <= set(seen)
    assert Conversation.objects.count() == len(set(api.ids()))


@pytest.mark.parametrize("turn", [-HOUR, -timedelta(days=400), HOUR, timedelta(hours=23)])
def test_a_named_request_is_not_carried_out_again(clock: Clock, api: Api, turn: timedelta) -> None:
    body, name = WireConversation(), {"Idempotency-Key": "a"}
    first = api.post(PATH, body, headers=name)
    clock.turn(turn)
    again = api.post(PATH, body, headers=name)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    clock.turn(-turn)
    assert api.post(PATH, body, headers=name).headers["Idempotency-Replayed"] == "true"
    assert Conversation.objects.count() == 1


def test_what_was_revoked_stays_so_before_its_moment(clock: Clock, api: Api, acme: Account) -> None:
    other = Api(acme)
    other.key.revoke(by=None)
    for turn in (-HOUR, -timedelta(days=400), timedelta(days=800)):
        clock.turn(turn)
        assert other.get(limit=1).status_code == 401
        assert api.get(limit=1).status_code == 200


def test_a_key_ends_at_its_moment_whichever_way_the_clock_comes_there(clock: Clock, acme: Account) -> None:
    api = Api(acme)
    ApiKey.objects.filter(pk=api.key.pk).update(expires_at=clock.moment + HOUR)
    for turn, status in ((HOUR, 401), (-timedelta(seconds=1), 200), (timedelta(days=9), 401)):
        clock.turn(turn)
        assert api.get(limit=1).status_code == status


def test_the_limiter_locks_nobody_out_and_lets_no_more_through(clock: Clock, acme: Account, settings: Any) -> None:
    settings.RATE_LIMIT_KEY = 3
    api = Api(acme)

    def passed() -> int:
        return [api.get(limit=1).status_code for _ in range(5)].count(200)

    assert passed() == 3
    for turn in (-HOUR, HOUR, -timedelta(days=400), timedelta(days=400)):
        clock.turn(turn)
        assert passed() == 3
        assert passed() == 0
