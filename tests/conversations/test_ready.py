"""Answers that are kept ready: given again exactly while they are true, to the key that they were made for."""

import gzip
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.urls import reverse

from accounts.models import Account, ApiKey
from accounts.scopes import Scope
from config.storage.moments import now
from conversations import ready
from conversations.models import Conversation
from conversations.ready import OVERHEAD, PATH, Ready, ReadyAnswers, Shelf
from tests.conftest import Api, json_of, statements
from tests.factories import WireConversation
from tests.serving import serving

Record = Callable[..., Conversation]

PAGE: dict[str, Any] = {"limit": "5"}


@pytest.fixture
def used(api: Api) -> Api:
    """A key that is marked as used within this minute."""
    api.get(**PAGE)
    return api


def elsewhere(change: Callable[[], Any]) -> None:
    """``change`` on another connection, as another process would make it."""

    def run() -> None:
        try:
            change()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result()


def test_it_stands_before_the_list() -> None:
    assert reverse("api-conversations") == PATH
    places = [settings.MIDDLEWARE.index(f"{name}") for name in (
        "accounts.throttling.ThrottlingMiddleware", "conversations.ready.ReadyAnswers")]  # fmt: skip
    assert places == sorted(places)


def test_the_same_page_again_is_the_same_and_takes_one_statement(
    used: Api, record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    record()
    made = used.get(**PAGE)
    with statements(1), caplog.at_level("INFO", "config.access"):
        again = used.get(**PAGE)
    assert caplog.records[-1].__dict__["facts"]["key"] == used.key.pk
    assert again.content == made.content
    own = {"X-Request-Id", "RateLimit-Remaining", "RateLimit-Reset"}
    shown = [{name: value for name, value in each.items() if name not in own} for each in (made, again)]
    assert shown[0] == shown[1]
    assert int(again["RateLimit-Remaining"]) == int(made["RateLimit-Remaining"]) - 1


def test_unchanged_is_told_in_one_statement_whether_or_not_the_page_was_sent_before(used: Api, record: Record) -> None:
    record()
    etag = used.get(**PAGE)["ETag"]
    held = {"If-None-Match": etag}
    with statements(1):
        assert used.get(headers=held, **PAGE).status_code == 304
    fresh = Api.__new__(Api)
    fresh.__dict__ = {**used.__dict__, "client": type(used.client)()}  # another process, which has nothing ready
    assert fresh.get(headers=held, **PAGE).status_code == 304
    with statements(1):
        again = fresh.get(headers=held, **PAGE)
    assert (again.status_code, again["ETag"], again.content) == (304, etag, b"")
    assert len(json_of(fresh.get(**PAGE))) == 1


def test_gzip_of_what_is_ready_is_made_once(used: Api, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(9):
        record()
    plain = used.get(limit=9).content
    packed = used.get(limit=9, headers={"Accept-Encoding": "gzip"})
    monkeypatch.setattr("config.compression.compressed", None)
    again = used.get(limit=9, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.content) == gzip.decompress(again.content) == plain
    assert again["Content-Encoding"] == "gzip"
    assert again["ETag"] == packed["ETag"]
    assert again["Content-Length"] == str(len(again.content))
    assert used.get(limit=9).content == plain


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.append([{"role": "lead", "content": "Friday?"}], by=None),
        lambda one: one.change_status("completed", by=None),
        lambda one: one.update_details({"summary": "Wants a window."}, by=None),
        lambda one: Conversation.objects.filter(pk=one.pk).update(lead_phone="+1 555 010 2233"),
        lambda one: Conversation.objects.filter(pk=one.pk).delete(),
    ],
)
def test_what_another_connection_changes_is_seen_by_the_next_request(used: Api, record: Record, change: Any) -> None:
    conversation = record()
    before = used.get(**PAGE)
    assert used.get(**PAGE).content == before.content
    elsewhere(lambda: change(Conversation.objects.get(pk=conversation.pk)))
    after = used.get(headers={"If-None-Match": before["ETag"]}, **PAGE)
    assert after.status_code == 200
    assert json_of(after) != json_of(before)
    assert json_of(after) == json_of(Api(used.account).get(**PAGE))


def test_a_revoked_key_is_refused_at_once(used: Api, record: Record) -> None:
    record()
    assert used.get(**PAGE).status_code == used.get(**PAGE).status_code == 200
    used.key.revoke(by=None)
    refused = used.get(**PAGE)
    assert refused.status_code == 401
    assert refused.json() == {"error": "Invalid or expired API key"}


def test_a_key_that_expires_is_refused_at_once(used: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = now() + timedelta(seconds=30)
    ApiKey.objects.filter(pk=used.key.pk).update(expires_at=ends)
    assert used.get(**PAGE).status_code == used.get(**PAGE).status_code == 200
    monkeypatch.setattr("accounts.models.key.now", lambda: ends)
    monkeypatch.setattr("conversations.ready.time.time", lambda: ends.timestamp())
    assert used.get(**PAGE).status_code == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda api: ApiKey.objects.filter(pk=api.key.pk).update(scopes=["audit:view"]), 403),
        (lambda api: Account.objects.filter(pk=api.account.pk).update(suspended_at=now()), 403),
        (lambda api: ApiKey.objects.filter(pk=api.key.pk).delete(), 401),
    ],
)
def test_who_may_not_any_more_is_refused_at_once(used: Api, record: Record, change: Any, status: int) -> None:
    record()
    assert used.get(**PAGE).status_code == used.get(**PAGE).status_code == 200
    change(used)
    assert used.get(**PAGE).status_code == status


def test_keys_never_share_what_is_ready(api: Api, acme: Account, other_account: Account, record: Record) -> None:
    record(leadPhone="+1 555 010 2233")
    record(leadPhone="+1 555 010 4455", account=other_account)
    masked, token = ApiKey.objects.issue(
        account=acme, name="Masked", environment="live", scopes=tuple(Scope), by=None, contacts_masked=True
    )
    others = {name: Api(account, environment) for name, account, environment in (
        ("other", other_account, "live"), ("test", acme, "test"), ("masked", acme, "live"))}  # fmt: skip
    others["masked"].key, others["masked"].token = masked, token
    for each in others.values():
        each.client = api.client  # one process for all
    for _ in range(3):
        assert [one["leadPhone"] for one in api.listed(**PAGE)] == ["+1 555 010 2233"]
        assert [one["leadPhone"] for one in others["other"].listed(**PAGE)] == ["+1 555 010 4455"]
        assert others["test"].listed(**PAGE) == []
        [hidden] = others["masked"].listed(**PAGE)
        assert "010" not in hidden["leadPhone"]


def test_addresses_do_not_share_what_is_ready(used: Api, record: Record) -> None:
    for status in ("active", "completed", "completed"):
        record(status=status)
    for _ in range(2):
        assert len(used.listed(limit=2)) == 2
        assert len(used.listed(limit=3)) == 3
        assert len(used.listed(limit=3, status="completed")) == 2
        link = used.client.get(PATH, {"limit": 1}, headers={"X-API-Key": used.token, "Host": "localhost"})["Link"]
        assert link.startswith("<http://localhost/")
        link = used.client.get(PATH, {"limit": 1}, headers={"X-API-Key": used.token, "Host": "127.0.0.1"})["Link"]
        assert link.startswith("<http://127.0.0.1/")


def test_what_is_ready_is_counted_on_its_key(used: Api, record: Record) -> None:
    record()
    ApiKey.objects.filter(pk=used.key.pk).update(rate_limit=4)
    found = [used.get(**PAGE) for _ in range(5)]
    # One was counted before the limit was set.
    assert [each.status_code for each in found] == [200, 200, 200, 429, 429]
    assert found[-1].json() == {"error": "API key rate limit exceeded, please try again later"}
    assert found[-1]["Retry-After"]


def test_a_stage_that_is_renamed_is_looked_for_by_its_new_name(used: Api, acme: Account, record: Record) -> None:
    conversation = record(currentStageIndex=0, currentStageName="")
    [agent] = acme.agents.within("live")
    assert agent.agent_config_id == conversation.agent_config_id
    assert used.ids(stage="Hello", **PAGE) == used.ids(stage="Hello", **PAGE) == []
    type(agent).objects.filter(pk=agent.pk).update(stages=["Hello"])
    assert used.ids(stage="Hello", **PAGE) == [conversation.pk]


def test_use_is_still_marked_every_minute(used: Api, record: Record) -> None:
    record()
    used.get(**PAGE)
    long_ago = now() - timedelta(minutes=2)
    ApiKey.objects.filter(pk=used.key.pk).update(last_used_at=long_ago)
    used.get(**PAGE)
    used.key.refresh_from_db()
    assert used.key.last_used_at
    assert used.key.last_used_at > long_ago + timedelta(minutes=1)


def of_size(content: bytes, etag: str = '"x"') -> Ready:
    return Ready((), 0, ApiKey(), etag, {}, content, None)


def test_a_process_keeps_no_more_than_there_is_room_for() -> None:
    shelf = Shelf(room=10 * (2_000 + OVERHEAD))
    for number in range(100):
        shelf.put(number, of_size(b"x" * 1_000))
        shelf.get(0)  # asked for all the time
    assert len(shelf) == 10
    assert shelf.used <= shelf.room
    assert shelf.get(0)
    assert not shelf.get(50)
    assert shelf.get(99)
    shelf.put(99, of_size(b"y" * 10))
    left = [found for number in range(100) if (found := shelf.get(number))]
    assert shelf.used == sum(each.size for each in left)


def test_an_answer_that_is_too_large_is_not_kept(used: Api, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    record()
    monkeypatch.setattr(ready, "LARGEST", 10)
    used.get(**PAGE)
    with statements(3):
        assert len(used.listed(**PAGE)) == 1


def test_a_change_while_an_answer_is_made_leaves_nothing_false(used: Api, record: Record) -> None:
    conversation = record()

    def make(request: Any) -> HttpResponse:
        """What the view read before somebody changed it."""
        answer = HttpResponse(b"old", headers={"ETag": '"old"'})
        ready.keep(answer, ApiKey.objects.get(pk=used.key.pk))
        conversation.append([{"role": "lead", "content": "Meanwhile"}], by=None)
        return answer

    from django.test import RequestFactory

    middleware = ReadyAnswers(make)
    made = []
    for _ in range(2):
        request = RequestFactory().get(PATH, headers={"X-API-Key": used.token})
        request.uses = []  # type: ignore[attr-defined]
        made.append(middleware(request))
    assert conversation.message_count == 4  # the second was made too: what the first had kept was old by then


def test_whole_accounts_are_streamed_and_not_kept(used: Api, record: Record) -> None:
    record()
    assert used.get().streaming
    assert used.get().streaming


def test_two_workers_never_answer_what_was_before(tmp_path: Path) -> None:
    """Whatever process changes a conversation and whatever process is asked: who was told of a change sees it."""
    with serving(tmp_path, conversations=[WireConversation() for _ in range(3)], WORKERS="2") as server:
        first = server.call("GET", f"{PATH}?limit=5")[-1]["_id"]
        for number in range(30):
            said = {"role": "lead", "content": f"Number {number}"}
            server.call("POST", f"{PATH}/{first}/messages", said)
            for _ in range(4):  # each on a connection of its own
                request = Request(f"{server.address}{PATH}?limit=5", headers={"X-API-Key": server.token})
                with urlopen(request, timeout=30) as response:
                    newest = json.load(response)[0]
                assert newest["messages"][-1]["content"] == f"Number {number}"
