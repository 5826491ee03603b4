"""How often a password may be guessed: before it is looked at, by whom, and what the refusal says."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client

from accounts import guesses
from accounts.models import Account, User
from config.storage.counters import CountersUnavailable, counters

PASSWORD = "correct horse battery"
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that reached the hasher."""
    seen: list[str] = []
    real = MD5PasswordHasher.encode

    def encode(self: Any, password: str, salt: str) -> str:
        seen.append(password)
        return real(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", encode)
    return seen


def sign_in(client: Client, password: str, *, email: str = "alice@example.com", address: str = HOME) -> Any:
    return client.post("/login/", {"login": email, "password": password}, REMOTE_ADDR=address)


def guess(number: int, **given: Any) -> list[int]:
    return [sign_in(Client(), f"wrong {one}", **given).status_code for one in range(number)]


# Refusals


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com", "ALICE@example.com"])
def test_five_wrong_passwords_reach_the_hasher_and_no_more(acme: Account, hashed: list[str], email: str) -> None:
    hashed.clear()
    assert guess(12, email=email) == [200] * 5 + [429] * 7
    assert hashed == [f"wrong {one}" for one in range(5)]


def test_the_right_password_beyond_the_limit_is_not_looked_at(acme: Account, hashed: list[str]) -> None:
    guess(5)
    hashed.clear()
    client = Client()
    response = sign_in(client, PASSWORD)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 300
    assert "Too many attempts. Nothing was checked; try again in 5 minutes." in response.content.decode()
    assert "sessionid" not in response.cookies
    assert hashed == []


def test_the_refusal_is_the_same_for_somebody_and_nobody(acme: Account) -> None:
    told = []
    for email in ("alice@example.com", "nobody@example.com"):
        guess(5, email=email)
        client = Client()
        client.get("/login/")
        text = sign_in(client, "x", email=email).content.decode().replace(email, "")
        told.append(text[text.index('role="alert"') : text.index("csrfmiddlewaretoken")])
    assert told[0] == told[1]


def test_one_address_may_not_try_everybody(acme: Account) -> None:
    statuses = [sign_in(Client(), "wrong", email=f"person{one}@example.com").status_code for one in range(25)]
    assert statuses == [200] * 20 + [429] * 5
    assert sign_in(Client(), PASSWORD, address=ELSEWHERE).status_code == 302


def test_all_strangers_share_what_may_be_guessed_of_one_person(acme: Account, hashed: list[str]) -> None:
    hashed.clear()
    for one in range(20):
        sign_in(Client(), "wrong", address=f"203.0.113.{one}")
    assert len(hashed) == 5


def test_neighbours_in_ipv6_count_as_one(acme: Account) -> None:
    statuses = [
        sign_in(Client(), "wrong", email=f"person{one}@example.com", address=f"2001:db8::{one:x}").status_code
        for one in range(25)
    ]
    assert statuses.count(200) == 20


def test_nobody_signs_in_while_the_counters_do_not_answer(acme: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def take(*args: Any) -> None:
        raise CountersUnavailable

    monkeypatch.setattr(counters(), "take", take)
    response = sign_in(Client(), PASSWORD)
    assert (response.status_code, response["Retry-After"]) == (429, "10")


@pytest.mark.parametrize("cookie", ["", "nonsense", "a:b:c", "W10:1abcde:AAAA", "x" * 4_000])
def test_a_cookie_that_we_did_not_make_is_a_strangers(acme: Account, cookie: str) -> None:
    guess(5)
    client = Client()
    client.cookies[guesses.COOKIE] = cookie
    assert sign_in(client, PASSWORD).status_code == 429


def test_a_cookie_of_somebody_else_is_a_strangers(acme: Account, bob: User) -> None:
    client = Client()
    assert sign_in(client, PASSWORD, email=bob.email).status_code == 302
    client.post("/logout/")
    guess(5)
    assert sign_in(client, PASSWORD).status_code == 429


# Who is let in all the same


def test_who_guesses_from_elsewhere_does_not_keep_a_person_out_of_their_browser(acme: Account) -> None:
    client = Client()
    assert sign_in(client, PASSWORD).status_code == 302
    cookie = client.cookies[guesses.COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert "alice" not in cookie.value
    client.post("/logout/")
    guess(50, address=ELSEWHERE)
    assert sign_in(client, PASSWORD).status_code == 302
    assert sign_in(Client(), PASSWORD).status_code == 429, "in a new browser they are a stranger"


def test_a_known_browser_has_a_limit_of_its_own(acme: Account, hashed: list[str]) -> None:
    client = Client()
    sign_in(client, PASSWORD)
    client.post("/logout/")
    hashed.clear()
    assert [sign_in(client, "wrong").status_code for _ in range(8)] == [200] * 5 + [429] * 3
    assert len(hashed) == 5
    assert sign_in(Client(), PASSWORD).status_code == 302, "which is not the strangers'"


def test_right_passwords_do_not_count(acme: Account) -> None:
    for _ in range(12):
        assert sign_in(Client(), PASSWORD).status_code == 302
    assert guess(6) == [200] * 5 + [429]


def test_a_right_password_between_wrong_ones_buys_no_more_guesses(acme: Account, bob: User) -> None:
    statuses = []
    for _ in range(10):
        statuses.append(sign_in(Client(), "wrong").status_code)
        sign_in(Client(), PASSWORD, email=bob.email)
    assert statuses == [200] * 5 + [429] * 5


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (1, "in 1 second."),
        (59, "in 59 seconds."),
        (60, "in 60 seconds."),
        (61, "in 2 minutes."),
        (300, "in 5 minutes."),
    ],
)
def test_the_refusal_says_when_to_come_again(seconds: int, sentence: str) -> None:
    assert guesses.TooManyGuesses(seconds).sentence.endswith(sentence)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_exactly_five_are_looked_at(acme: Account, hashed: list[str]) -> None:
    hashed.clear()

    def one(number: int) -> int:
        try:
            return int(sign_in(Client(), f"wrong {number}").status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(one, range(60)))
    assert sorted(statuses) == [200] * 5 + [429] * 55
    assert len(hashed) == 5
