"""A hundred wrong passwords, 32 at once, against the real server with four processes."""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

from tests.serving import Running, serving

pytestmark = pytest.mark.server

PASSWORD = "a right and proper one"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    variables = {"WORKERS": "4", "TRUSTED_PROXIES": "1"}
    with serving(tmp_path_factory.mktemp("sign-in"), conversations=[], static=True, **variables) as running:
        change = "from accounts.models import User; p = User.objects.get(); p.set_password('{}'); p.save()"
        running.manage("shell", "-c", change.format(PASSWORD))
        yield running


class Door:
    """Posts to the sign-in page, each time over a connection of its own, so that every process gets some."""

    def __init__(self, server: Running) -> None:
        self.host = urlsplit(server.address).netloc
        _, page, headers = self.ask("GET", {})
        self.token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]
        self.cookie = headers["set-cookie"].partition(";")[0]

    def ask(self, method: str, headers: dict[str, str], body: str = "") -> tuple[int, str, dict[str, str]]:
        connection = HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, "/login/", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    def try_one(self, email: str, password: str, address: str) -> tuple[int, dict[str, str]]:
        headers = {
            "Cookie": self.cookie,
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Forwarded-For": address,
        }
        form = {"csrfmiddlewaretoken": self.token, "login": email, "password": password}
        status, _, answered = self.ask("POST", headers, urlencode(form))
        return status, answered


@pytest.mark.parametrize(
    ("email", "addresses"),
    [("alice@example.com", 1), ("nobody@example.com", 1), ("somebody@example.com", 100)],
    ids=["a person", "nobody", "a hundred addresses"],
)
def test_of_a_hundred_wrong_passwords_five_are_looked_at(server: Running, email: str, addresses: int) -> None:
    door = Door(server)

    def one(number: int) -> int:
        return door.try_one(email, f"wrong {number}", f"198.51.100.{number % addresses}")[0]

    with ThreadPoolExecutor(32) as pool:
        statuses = Counter(pool.map(one, range(100)))
    print(email, addresses, dict(statuses))
    assert statuses == {200: 5, 429: 95}


def test_the_right_one_is_refused_then_from_anywhere(server: Running) -> None:
    """After the first test: five were wrong."""
    door = Door(server)
    for number in range(5):
        door.try_one("alice@example.com", f"wrong {number}", "203.0.113.1")
    status, headers = door.try_one("alice@example.com", PASSWORD, "203.0.113.2")
    assert status == 429
    assert 0 < int(headers["retry-after"]) <= 300
    assert "sessionid" not in headers.get("set-cookie", "")
