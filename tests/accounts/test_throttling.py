"""The rate limits of the API (contract, section 6): whom they refuse, in which words, and what every answer says."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from django.conf import settings as project
from django.core.exceptions import ValidationError
from django.test import Client

from accounts import throttling
from accounts.models import Account, ApiKey, AuditEvent, User
from accounts.permissions import HasScope
from accounts.scopes import Scope
from accounts.throttling import ThrottledKeyAuthentication, network_of
from config.storage.counters import CountersUnavailable, counters
from conversations.models import Conversation
from tests.config.test_conventions import routes
from tests.conftest import Api, json_of, statements
from tests.serving import serving

ADDRESS = {"error": "Too many requests, please try again later"}
KEY = {"error": "API key rate limit exceeded, please try again later"}
ACCOUNT = {"error": "Account rate limit exceeded, please try again later"}
PATH = "/api/conversations"


class Clock:
    """The limiter's clock, which a test moves."""

    now = 4_102_444_800_000  # to come: MongoDB removes, by its own clock, windows that are long over

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * 1_000)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(throttling, "milliseconds", lambda: stopped.now)
    return stopped


def limits(settings: Any, *, address: int = 0, key: int = 0, account: int = 0) -> None:
    settings.RATE_LIMIT_ADDRESS, settings.RATE_LIMIT_KEY, settings.RATE_LIMIT_ACCOUNT = address, key, account


def codes(call: Callable[[], Any], number: int) -> list[int]:
    return [call().status_code for _ in range(number)]


def figures(response: Any) -> dict[str, int]:
    return {
        name: int(value)
        for name, value in response.headers.items()
        if name.startswith("RateLimit-") or name == "Retry-After"
    }


# Refusals


def test_address_that_asks_too_often_is_429(db: None, settings: Any) -> None:
    limits(settings, address=2)
    assert codes(lambda: Client().get(PATH), 3) == [401, 401, 429]
    response = Client().get(PATH)
    assert (json_of(response), response.headers["Content-Type"]) == (ADDRESS, "application/json")
    assert figures(response) == {
        "RateLimit-Limit": 2,
        "RateLimit-Remaining": 0,
        "RateLimit-Reset": 60,
        "Retry-After": 60,
    }
    assert "X-Request-Id" in response.headers
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_key_that_asks_too_often_is_429(api: Api, settings: Any) -> None:
    limits(settings, address=9, key=2, account=9)
    assert codes(api.get, 3) == [200, 200, 429]
    response = api.get()
    assert json_of(response) == KEY
    assert figures(response)["RateLimit-Limit"] == 2
    assert figures(response)["Retry-After"] == 60
    assert Api(api.account).get().status_code == 200


def test_account_that_asks_too_often_is_429(api: Api, other_account: Account, settings: Any) -> None:
    limits(settings, address=99, key=9, account=3)
    other_key = Api(api.account, environment="test")
    assert codes(api.get, 2) + codes(other_key.get, 2) == [200, 200, 200, 429]
    response = other_key.get()
    assert json_of(response) == ACCOUNT
    assert figures(response)["RateLimit-Limit"] == 3
    assert Api(other_account).get().status_code == 200


@pytest.mark.parametrize("path", [PATH, "/api/nothing", "/api/", "/api/conversations/x"])
@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "nl_live_" + "0" * 64}, {"X-API-Key": "nonsense"}])
def test_every_request_counts_on_its_address(db: None, settings: Any, path: str, headers: dict[str, str]) -> None:
    limits(settings, address=2)
    first, second, third = (Client().get(path, headers=headers) for _ in range(3))
    assert {first.status_code, second.status_code} <= {401, 404}
    assert third.status_code == 429


def test_address_is_refused_before_anything_is_looked_up(api: Api, settings: Any) -> None:
    limits(settings, address=1)
    api.get()
    with statements(0):
        assert json_of(api.get()) == ADDRESS


def test_address_that_was_refused_is_believed_again_when_it_has_waited(api: Api, settings: Any, clock: Clock) -> None:
    limits(settings, address=2)
    assert codes(api.get, 4) == [200, 200, 429, 429]
    clock.wait(120)
    assert codes(api.get, 3) == [200, 200, 429]


def test_good_key_is_counted_at_once_with_its_address(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, take = [], counters().take

    def watch(windows: Any, *rest: Any) -> Any:
        taken.append([window.name.partition(":")[0] for window in windows])
        return take(windows, *rest)

    monkeypatch.setattr(counters(), "take", watch)
    for made in (api.get(limit=1), api.get(limit=1), api.get(f"{PATH}/{'0' * 24}")):
        assert made.status_code in (200, 404)
    assert taken == [["address", "key", "account"]] * 3
    taken.clear()
    api.get("/api/nothing")
    Client().get(PATH, headers={"X-API-Key": "nl_live_" + "0" * 64})
    Client().get(PATH)
    assert taken == [["address"]] * 3


def test_suspended_account_counts_on_its_address(api: Api, settings: Any) -> None:
    limits(settings, address=2, key=9, account=9)
    api.account.suspend(by=None)
    assert codes(api.get, 3) == [403, 403, 429]


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "options", "trace"])
def test_every_method_counts(api: Api, settings: Any, method: str) -> None:
    limits(settings, address=9, key=1)
    call = getattr(api.client, method)
    assert call(PATH, headers={"X-API-Key": api.token}).status_code != 429
    assert call(PATH, headers={"X-API-Key": api.token}).status_code == 429


def test_key_without_the_scope_counts(acme: Account, settings: Any) -> None:
    limits(settings, key=2)
    assert codes(Api(acme, scopes=[Scope.AUDIT_VIEW]).get, 3) == [403, 403, 429]


@pytest.mark.parametrize("forged", ["203.0.113.{}", "203.0.113.{}, 10.0.0.1", "2001:db8:{}::1", "nonsense {}"])
def test_x_forwarded_for_is_not_believed(db: None, settings: Any, forged: str) -> None:
    limits(settings, address=2)
    answers = [Client().get(PATH, headers={"X-Forwarded-For": forged.format(number)}) for number in range(4)]
    assert [response.status_code for response in answers] == [401, 401, 429, 429]


def test_behind_a_proxy_only_what_the_proxy_saw_is_believed(db: None, settings: Any) -> None:
    limits(settings, address=2)
    settings.TRUSTED_PROXIES = 1

    def status(forwarded: str) -> int:
        return Client().get(PATH, headers={"X-Forwarded-For": forwarded}).status_code

    assert [status(f"198.51.100.{number}, 203.0.113.1") for number in range(3)] == [401, 401, 429]
    assert status("203.0.113.1, 203.0.113.2") == 401


def test_ipv6_counts_by_its_64(db: None, settings: Any) -> None:
    limits(settings, address=2)

    def status(address: str) -> int:
        return Client(REMOTE_ADDR=address).get(PATH).status_code

    assert [status(f"2001:db8:1:2:{number}::1") for number in range(3)] == [401, 401, 429]
    assert status("2001:db8:1:3::1") == 401


def test_network_of_an_address() -> None:
    assert network_of("203.0.113.7") == "203.0.113.7"
    assert network_of("::ffff:203.0.113.7") == "203.0.113.7"
    assert network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("") == "unknown"


def test_clients_without_a_readable_address_count_together(db: None, settings: Any) -> None:
    limits(settings, address=1)
    assert [Client(REMOTE_ADDR=address).get(PATH).status_code for address in ("", "unix:")] == [401, 429]


def test_refused_request_uses_up_no_other_window(api: Api, settings: Any, clock: Clock) -> None:
    limits(settings, address=99, key=2, account=9)
    assert codes(api.get, 5) == [200, 200, 429, 429, 429]
    limits(settings, address=99, account=9)
    assert figures(api.get())["RateLimit-Remaining"] == 9 - 3
    limits(settings, address=6, key=9, account=9)
    assert json_of(api.get()) == ADDRESS
    limits(settings, account=9)
    assert figures(api.get())["RateLimit-Remaining"] == 9 - 4


@pytest.mark.parametrize(
    ("given", "text"),
    [({"address": 4}, ADDRESS), ({"key": 4}, KEY), ({"account": 4}, ACCOUNT), ({"key": 4, "account": 3}, ACCOUNT)],
)
def test_client_that_waits_as_told_is_not_refused_again(
    api: Api, settings: Any, clock: Clock, given: dict[str, int], text: dict[str, str]
) -> None:
    limits(settings, **given)
    refusals = 0
    for number in range(40):
        clock.wait(0.3 * (number % 3))
        response = api.get()
        if response.status_code == 429:
            refusals += 1
            assert json_of(response) == text
            clock.wait(figures(response)["Retry-After"])
            assert api.get().status_code == 200
    assert refusals > 5


# Pages


def test_pages_have_no_limit(client: Client, alice: User, settings: Any) -> None:
    limits(settings, address=1)
    responses = [client.get("/login/") for _ in range(3)]
    assert [response.status_code for response in responses] == [200, 200, 200]
    assert not figures(responses[0])


# What every answer says


def test_every_answer_tells_how_much_is_left(
    api: Api, record: Callable[..., Conversation], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits(settings, address=100, key=50, account=80)
    pk = record().pk
    answers = {
        "list": api.get(limit=1),
        "stream": api.get(),
        "one": api.get(f"{PATH}/{pk}"),
        "head": api.client.head(PATH, headers={"X-API-Key": api.token}),
        "bad request": api.get(limit=0),
        "not found": api.get(f"{PATH}/{'0' * 24}"),
        "unknown path": api.get("/api/nothing"),
        "method": api.client.put(PATH, headers={"X-API-Key": api.token}),
        "no key": Client().get(PATH),
        "bad key": Client().get(PATH, headers={"X-API-Key": "nonsense"}),
    }
    with monkeypatch.context() as broken:
        broken.setattr(Account, "conversations", property(lambda self: 1 / 0), raising=False)
        answers["crash"] = api.get()
    assert answers["crash"].status_code == 500
    for name, response in answers.items():
        assert sorted(figures(response)) == ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"], name
    without_key = {"unknown path", "no key", "bad key"}
    assert {name for name, response in answers.items() if figures(response)["RateLimit-Limit"] == 100} == without_key
    assert {figures(answers[name])["RateLimit-Limit"] for name in answers.keys() - without_key} == {50}


def test_figures_are_those_of_the_tightest_window(api: Api, settings: Any, clock: Clock) -> None:
    limits(settings, address=10, key=5, account=3)
    assert figures(api.get()) == {"RateLimit-Limit": 3, "RateLimit-Remaining": 2, "RateLimit-Reset": 60}
    clock.wait(12.5)
    limits(settings, address=10, key=3, account=7)
    assert figures(api.get()) == {"RateLimit-Limit": 3, "RateLimit-Remaining": 1, "RateLimit-Reset": 48}
    limits(settings, address=4, key=5, account=7)
    assert figures(api.get()) == {"RateLimit-Limit": 4, "RateLimit-Remaining": 1, "RateLimit-Reset": 48}


def test_by_default_an_address_has_1000_a_key_500_and_an_account_2000(api: Api) -> None:
    assert (project.RATE_LIMIT_ADDRESS, project.RATE_LIMIT_KEY, project.RATE_LIMIT_ACCOUNT) == (1_000, 500, 2_000)
    assert figures(api.get()) == {"RateLimit-Limit": 500, "RateLimit-Remaining": 499, "RateLimit-Reset": 60}
    assert figures(Client().get(PATH))["RateLimit-Remaining"] == 998


def test_without_limits_nothing_is_said(api: Api, settings: Any) -> None:
    limits(settings)
    response = api.get()
    assert response.status_code == 200
    assert not figures(response)


def test_every_api_route_counts_its_keys() -> None:
    views = [view.cls for path, view in routes() if path.startswith("api/") and hasattr(view, "cls")]
    keyed = [view for view in views if HasScope in view.permission_classes or view.authentication_classes]
    assert keyed
    for view in keyed:
        assert list(view.authentication_classes) == [ThrottledKeyAuthentication], view


def test_where_counters_fail_requests_pass(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise CountersUnavailable

    monkeypatch.setattr(counters(), "take", fail)
    response = api.get()
    assert response.status_code == 200
    assert not figures(response)


# Limits of their own


@pytest.mark.parametrize("limit", [0, -1, 2**40, "many"])
def test_own_limit_out_of_range_is_refused(api: Api, limit: Any) -> None:
    for limited in (api.key, api.account):
        with pytest.raises(ValidationError):
            limited.limit_rate(limit, by=None)
    assert ApiKey.objects.get().rate_limit is None
    assert Account.objects.get().rate_limit is None


def test_key_may_have_a_limit_of_its_own(api: Api, settings: Any) -> None:
    limits(settings, key=3)
    api.key.limit_rate(1, by=None)
    assert codes(api.get, 2) == [200, 429]
    api.key.limit_rate(5, by=None)
    assert codes(api.get, 5) == [200, 200, 200, 200, 429]
    api.key.limit_rate(None, by=None)
    assert figures(api.get())["RateLimit-Limit"] == 3
    limits(settings, key=0)
    api.key.limit_rate(6, by=None)
    assert codes(api.get, 2) == [200, 429]


def test_account_may_have_a_limit_of_its_own(api: Api, other_account: Account, settings: Any) -> None:
    limits(settings, account=2)
    api.account.limit_rate(3, by=None)
    assert codes(api.get, 4) == [200, 200, 200, 429]
    assert codes(Api(other_account).get, 3) == [200, 200, 429]


def test_rotated_key_keeps_its_own_limit(api: Api) -> None:
    api.key.limit_rate(7, by=None)
    key, _ = api.key.rotate(by=None)
    assert key.rate_limit == 7


@pytest.mark.parametrize("limit", ["-1", "1000001", "many"])
def test_installation_with_a_malformed_limit_does_not_start(limit: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        cwd=project.BASE_DIR,
        env={**os.environ, "RATE_LIMIT_KEY": limit},
        capture_output=True,
        text=True,
    )
    assert done.returncode
    assert "ImproperlyConfigured: RATE_LIMIT_KEY" in done.stderr


@pytest.fixture
def operator(client: Client, alice: User) -> Client:
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    client.force_login(User.objects.get(pk=alice.pk))
    return client


def test_operator_changes_the_limit_of_a_key_and_nothing_else(api: Api, operator: Client) -> None:
    page = f"/admin/accounts/apikey/{api.key.pk}/change/"
    assert 'name="rate_limit"' in operator.get(page).content.decode()
    assert operator.post(page, {"rate_limit": "0"}).status_code == 200
    assert ApiKey.objects.get().rate_limit is None
    answer = operator.post(page, {"rate_limit": "250", "name": "Other", "scopes": ["team:manage"]})
    assert answer.status_code == 302
    key = ApiKey.objects.get()
    assert (key.rate_limit, key.name, key.scopes) == (250, api.key.name, api.key.scopes)
    event = AuditEvent.objects.get(action="rate_limit.changed")
    assert (event.actor_name, event.metadata["rate_limit"]) == ("Alice", 250)
    operator.post(page, {"rate_limit": "250"})
    assert AuditEvent.objects.filter(action="rate_limit.changed").count() == 1
    operator.post(page, {"rate_limit": ""})
    assert ApiKey.objects.get().rate_limit is None


def test_operator_changes_the_limit_of_an_account(acme: Account, operator: Client) -> None:
    page = f"/admin/accounts/account/{acme.pk}/change/"
    formset = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    assert operator.post(page, {"name": "Acme", "rate_limit": "9000", **formset}).status_code == 302
    assert Account.objects.get().rate_limit == 9_000
    event = AuditEvent.objects.get(action="rate_limit.changed")
    assert (event.account, event.metadata) == (acme, {"rate_limit": 9_000})


# The real server


class Workers(NamedTuple):
    """A running server of four processes, and the file of its counters."""

    address: str
    limits: Path


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    folder = tmp_path_factory.mktemp("throttling")
    with serving(folder, WORKERS="4", RATE_LIMIT_ADDRESS="20") as server:
        yield Workers(server.address, folder / "parley.limits.sqlite3")


def burst(address: str, number: int = 64) -> list[tuple[int, dict[str, str], Any]]:
    """``number`` requests at once, each with another X-Forwarded-For."""

    def request(index: int) -> tuple[int, dict[str, str], Any]:
        client = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        try:
            client.request("GET", PATH, headers={"X-Forwarded-For": f"203.0.113.{index}"})
            response = client.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, json.loads(response.read())
        finally:
            client.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(request, range(number)))


@pytest.mark.server
def test_of_64_at_once_to_4_processes_exactly_20_pass(workers: Workers) -> None:
    workers.limits.unlink(missing_ok=True)
    answers = burst(workers.address)
    refused = [(headers, body) for status, headers, body in answers if status == 429]
    assert [status for status, _, _ in answers].count(401) == 20
    assert len(refused) == 44
    for headers, body in refused:
        assert body == ADDRESS
        assert headers["ratelimit-limit"] == "20"
        assert headers["ratelimit-remaining"] == "0"
        assert 0 < int(headers["retry-after"]) <= 60
    remaining = sorted(int(headers["ratelimit-remaining"]) for status, headers, _ in answers if status == 401)
    assert remaining == list(range(20))


@pytest.mark.server
def test_counters_deleted_under_4_processes_begin_anew_for_all(workers: Workers) -> None:
    burst(workers.address)
    workers.limits.unlink()
    assert [status for status, _, _ in burst(workers.address)].count(401) == 20


@pytest.mark.server
def test_counters_damaged_under_4_processes_begin_anew_for_all(workers: Workers) -> None:
    burst(workers.address)
    workers.limits.write_bytes(os.urandom(20_000))
    [(status, _, _)] = burst(workers.address, 1)
    assert status == 401
    assert [status for status, _, _ in burst(workers.address)].count(401) == 19
