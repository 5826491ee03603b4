"""The cast: Alice owns Acme, Bob works there as an operator, Charlie owns another account."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
import pytest
from django.db import connection
from django.test import Client, TransactionTestCase
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, ApiKey, User
from accounts.scopes import Role, Scope
from config.storage.counters import counters
from conversations.models import Conversation
from tests.emptying import empty
from tests.factories import WireConversation, record_conversation
from tests.stores import OtherStores

# A busy machine is slow; what takes too long, tests of time say
hypothesis.settings.register_profile("parley", deadline=None)
hypothesis.settings.load_profile("parley")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(OtherStores())
    TransactionTestCase._fixture_teardown = empty  # type: ignore[attr-defined]


def _person(name: str, account: Account | None, *roles: str) -> User:
    user = User.objects.create_user(f"{name.lower()}@example.com", "correct horse battery", name=name)
    if account is not None:
        account.memberships.create(user=user, roles=list(roles))
    return user


@pytest.fixture
def alice(db: None) -> User:
    """Owner of Acme."""
    return _person("Alice", None)


@pytest.fixture
def acme(alice: User) -> Account:
    return Account.objects.open(name="Acme", owner=alice, by=alice)


@pytest.fixture
def bob(acme: Account) -> User:
    """Operator at Acme."""
    return _person("Bob", acme, Role.OPERATOR)


@pytest.fixture
def charlie(db: None) -> User:
    """Owner of another account."""
    return _person("Charlie", None)


@pytest.fixture
def other_account(charlie: User) -> Account:
    return Account.objects.open(name="Charlie & Sons", owner=charlie, by=charlie)


@pytest.fixture(autouse=True)
def numbered_from_one() -> None:
    """The leads and phones of a test's conversations are the same whatever ran before."""
    WireConversation.reset_sequence(force=True)


@pytest.fixture(autouse=True)
def uncounted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test begins with nothing counted towards the rate limits."""
    yield
    # Only where the test's own store is there: the counters lie beside it.
    if {"db", "transactional_db"} & set(request.fixturenames) or request.node.get_closest_marker("django_db"):
        counters().clear()


class Api:
    """A client of the API that holds one key."""

    def __init__(self, account: Account, environment: str = "live", scopes: Any = tuple(Scope)) -> None:
        self.key, self.token = ApiKey.objects.issue(
            account=account, name="Test", environment=environment, scopes=scopes, by=None
        )
        self.account = account
        self.client = Client(raise_request_exception=False)

    def get(self, path: str = "/api/conversations", headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self.client.get(path, query, headers={"X-API-Key": self.token, **(headers or {})})

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """A request with a body: JSON, or bytes as they are."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method, path, data, content_type="application/json", headers={"X-API-Key": self.token, **(headers or {})}
        )

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        return self.send("POST", path, body, headers)

    def patch(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        return self.send("PATCH", path, body, headers)

    def delete(self, path: str, headers: dict[str, str] | None = None) -> Any:
        return self.send("DELETE", path, None, headers)

    def listed(self, **query: Any) -> list[dict[str, Any]]:
        """The conversations that a list answers with."""
        response = self.get(**query)
        assert response.status_code == 200, response.content
        return json_of(response)

    def ids(self, **query: Any) -> list[str]:
        return [conversation["_id"] for conversation in self.listed(**query)]


def json_of(response: Any) -> Any:
    """The JSON of an answer, streamed or not."""
    return json.loads(response.getvalue())


def client_of(user: User) -> Client:
    """The browser of ``user``, who is signed in."""
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any, status: int = 200) -> str:
    """The HTML of a page."""
    assert response.status_code == status, response.status_code
    return str(response.content.decode())


def tight(html: str) -> str:
    """``html`` without the white space at either end of a text, which no browser shows at the end of a block."""
    return re.sub(r">\s+(?=[^\s<])|(?<=[^\s>])\s+(?=<)", lambda found: found[0].strip(), html)


@contextmanager
def statements(number: int) -> Iterator[None]:
    """Exactly ``number`` statements reach the store; those that only begin or end a transaction do not count."""
    with CaptureQueriesContext(connection) as captured:
        yield
    counted = [
        query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))
    ]
    assert len(counted) == number, "\n".join(counted)


@pytest.fixture
def api(acme: Account) -> Api:
    """Acme's live key with every scope."""
    return Api(acme)


@pytest.fixture
def page(alice: User, acme: Account) -> Client:
    """Alice's browser."""
    return client_of(alice)


@pytest.fixture
def record(acme: Account) -> Callable[..., Conversation]:
    """Records a conversation at Acme, given in the wire's fields; what is not given is lifelike."""

    def inner(**fields: Any) -> Conversation:
        return record_conversation(fields.pop("account", acme), **fields)

    return inner
