"""The second factor: set up with a real code, asked for at sign-in, its recovery codes taken once."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, validate_totp_code
from django.core import mail
from django.db import connection
from django.test import Client

from accounts.models import Account, Remembered, User
from accounts.second_factor import factors_of, take_away
from config.storage.moments import now

PASSWORD = "correct horse battery"
PAGE = "/settings/security/"
CODES = re.compile(r"\b[0-9]{8}\b")


def code_of(secret: str, steps: int = 0) -> str:
    """What an app shows, ``steps`` times 30 seconds from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def enter_password(user: User, target: str = "/") -> Client:
    client = Client()
    client.post("/login/", {"login": user.email, "password": PASSWORD, "next": target})
    return client


def enter_code(client: Client, code: str) -> Any:
    return client.post("/login/code/", {"code": code})


def confirm(client: Client, target: str = f"{PAGE}authenticator/") -> Any:
    return client.post(f"{PAGE}confirm/", {"password": PASSWORD, "next": target})


def is_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


def used_codes_are_forgotten() -> None:
    """As after their thirty seconds."""
    Remembered.objects.all().delete()


def set_up(user: User) -> tuple[Client, str, list[str]]:
    """The browser that did it, the app's secret, and the recovery codes."""
    client = enter_password(user)
    page = client.get(confirm(client)["Location"]).content.decode()
    found = re.search(r'pairing__secret">([A-Z2-7]{32})<', page)
    assert found, page
    done = client.post(f"{PAGE}authenticator/", {"code": code_of(found[1])})
    assert done["Location"] == f"{PAGE}recovery-codes/", done.content.decode()
    codes = CODES.findall(client.get(done["Location"]).content.decode())
    mail.outbox.clear()
    return client, found[1], codes


# Refusals


@pytest.mark.parametrize("path", ["authenticator/", "recovery-codes/new/"])
def test_it_is_not_changed_without_confirming_who_it_is(acme: Account, alice: User, path: str) -> None:
    client = enter_password(alice)
    assert client.get(f"{PAGE}{path}")["Location"].startswith(f"{PAGE}confirm/?next=")
    response = client.post(f"{PAGE}confirm/", {"password": "wrong"})
    assert "That is not your password." in response.content.decode()
    assert not Authenticator.objects.exists()


def test_confirming_is_limited_too(acme: Account, alice: User) -> None:
    client = enter_password(alice)
    statuses = [client.post(f"{PAGE}confirm/", {"password": "wrong"}).status_code for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2
    alice.refresh_from_db()
    text = Client().post("/login/", {"login": alice.email, "password": PASSWORD})
    assert text.status_code == 302, "it takes nothing from who signs in"


@pytest.mark.parametrize("code", ["000000", "", "abcdef", "0" * 300, "٠٠٠٠٠٠"])
def test_a_wrong_code_sets_nothing_up(acme: Account, alice: User, code: str) -> None:
    client = enter_password(alice)
    confirm(client)
    client.get(f"{PAGE}authenticator/")
    response = client.post(f"{PAGE}authenticator/", {"code": code})
    assert response.status_code == 200
    assert not Authenticator.objects.exists()


def test_the_password_alone_opens_nothing(acme: Account, alice: User) -> None:
    set_up(alice)
    client = enter_password(alice)
    assert not is_in(client)
    assert client.get("/conversations/").status_code == 302
    assert client.get("/login/")["Location"] == "/login/code/"


def test_the_page_for_the_code_wants_a_password_first(acme: Account, alice: User) -> None:
    _, secret, _ = set_up(alice)
    used_codes_are_forgotten()
    client = Client()
    assert client.get("/login/code/")["Location"] == "/login/"
    assert enter_code(client, code_of(secret))["Location"] == "/login/"
    assert not is_in(client)


def test_guessing_codes_is_limited_and_the_right_one_then_refused(acme: Account, alice: User) -> None:
    _, secret, _ = set_up(alice)
    used_codes_are_forgotten()
    client = enter_password(alice)
    wrong = [f"{number:06}" for number in range(999_990, 999_998)]
    texts = [enter_code(client, code).content.decode() for code in wrong]
    assert all("That code is not right" in text for text in texts[:5])
    assert all("Too many attempts." in text for text in texts[5:])
    enter_code(client, code_of(secret))
    assert not is_in(client)


def test_a_code_is_taken_once(acme: Account, alice: User) -> None:
    _, secret, _ = set_up(alice)
    used_codes_are_forgotten()
    code = code_of(secret)
    assert enter_code(enter_password(alice), code).status_code == 302
    second = enter_password(alice)
    assert "was used already" in enter_code(second, code).content.decode()
    assert not is_in(second)


def test_a_code_of_another_time_or_person_is_refused(acme: Account, alice: User, bob: User) -> None:
    _, secret, codes = set_up(alice)
    _, other, others = set_up(bob)
    used_codes_are_forgotten()
    client = enter_password(alice)
    for code in (code_of(secret, 3), code_of(secret, -3), code_of(other), others[0]):
        enter_code(client, code)
        assert not is_in(client)
    assert set(codes).isdisjoint(others)


def test_a_code_is_refused_for_as_long_as_it_would_be_good(
    acme: Account, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """allauth forgets after 30 seconds what was used, when a code that came early is good for another minute."""
    _, secret, _ = set_up(alice)
    used_codes_are_forgotten()
    began, moment = int(time.time()) // 30 * 30, now()
    later = 0
    monkeypatch.setattr(time, "time", lambda: began + later)
    monkeypatch.setattr("accounts.cache.now", lambda: moment + timedelta(seconds=later))
    code = code_of(secret, 1)
    assert validate_totp_code(secret, code)
    assert enter_code(enter_password(alice), code).status_code == 302
    for later in (31, 59, 61, 89):
        assert validate_totp_code(secret, code)
        second = enter_password(alice)
        enter_code(second, code)
        assert not is_in(second), later


# What happens


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_may_be_a_step_late_or_early(
    acme: Account, alice: User, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    _, secret, _ = set_up(alice)
    used_codes_are_forgotten()
    client = enter_password(alice)
    moment = time.time()
    monkeypatch.setattr(time, "time", lambda: moment)  # or the next step begins between making a code and entering it
    enter_code(client, code_of(secret, steps))
    assert is_in(client)


@pytest.mark.django_db(transaction=True)  # the mail goes out after the commit
def test_an_app_is_set_up_and_asked_for(acme: Account, alice: User) -> None:
    client = enter_password(alice)
    response = confirm(client)
    page = client.get(response["Location"]).content.decode()
    assert 'src="data:image/svg+xml;base64,' in page
    secret = re.findall(r'pairing__secret">([A-Z2-7]{32})<', page)[0]
    again = client.post(f"{PAGE}authenticator/", {"code": "000000"}).content.decode()
    assert secret in again, "a wrong code does not make another key"
    client.post(f"{PAGE}authenticator/", {"code": code_of(secret)})
    text = client.get(PAGE).content.decode()
    assert "Authenticator app" in text
    assert "10 left" in text
    [told] = mail.outbox
    assert told.subject == "Your second factor is on"
    assert secret not in told.body

    used_codes_are_forgotten()
    other = enter_password(alice, "/conversations/?status=active")
    assert other.get("/login/code/").status_code == 200
    assert enter_code(other, code_of(secret))["Location"] == "/conversations/?status=active"
    assert is_in(other)


def test_secrets_are_not_readable_in_the_store(acme: Account, alice: User) -> None:
    _, secret, codes = set_up(alice)
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert "secret" in kept
    assert not any(one in kept for one in (secret, *codes))


def test_recovery_codes_are_shown_once(acme: Account, alice: User) -> None:
    client, _, codes = set_up(alice)
    assert len(set(codes)) == 10
    text = client.get(f"{PAGE}recovery-codes/").content.decode()
    assert not CODES.findall(text)
    assert "10 codes are left" in text


def test_a_recovery_code_signs_in_once(acme: Account, alice: User) -> None:
    _, _, codes = set_up(alice)
    assert enter_code(enter_password(alice), codes[3]).status_code == 302
    used_codes_are_forgotten()
    second = enter_password(alice)
    enter_code(second, codes[3])
    assert not is_in(second)
    enter_code(second, codes[4])
    assert is_in(second)
    assert "8 left" in second.get(PAGE).content.decode()


@pytest.mark.django_db(transaction=True)  # the mail goes out after the commit
def test_new_recovery_codes_end_the_old_ones_and_are_told(acme: Account, alice: User) -> None:
    client, _, old = set_up(alice)
    assert client.post(f"{PAGE}recovery-codes/new/")["Location"] == f"{PAGE}recovery-codes/"
    new = CODES.findall(client.get(f"{PAGE}recovery-codes/").content.decode())
    assert len(set(new)) == 10
    assert set(new).isdisjoint(old)
    assert [message.subject for message in mail.outbox] == ["Your recovery codes are new"]
    enter_code(other := enter_password(alice), old[0])
    assert not is_in(other)
    enter_code(other, new[0])
    assert is_in(other)


def test_it_is_turned_off_and_told(acme: Account, alice: User) -> None:
    client, _, _ = set_up(alice)
    assert client.get(f"{PAGE}authenticator/")["Location"] == f"{PAGE}authenticator/remove/"
    response = client.post(f"{PAGE}authenticator/remove/", follow=True)
    assert "The second factor is off." in response.content.decode()
    assert not Authenticator.objects.exists()
    assert [message.subject for message in mail.outbox] == ["Your second factor is off"]
    assert is_in(enter_password(alice))


def test_a_code_confirms_who_it_is(acme: Account, alice: User) -> None:
    _, secret, codes = set_up(alice)
    used_codes_are_forgotten()
    client = enter_password(alice)
    enter_code(client, codes[0])
    page = client.get(f"{PAGE}confirm/?next={PAGE}recovery-codes/new/").content.decode()
    assert f'href="{PAGE}confirm/code/' in page
    response = client.post(f"{PAGE}confirm/code/", {"code": code_of(secret), "next": f"{PAGE}recovery-codes/new/"})
    assert response["Location"] == f"{PAGE}recovery-codes/new/"
    assert client.get(response["Location"]).status_code == 200


def test_somebody_else_may_sign_in_instead(acme: Account, alice: User, bob: User) -> None:
    set_up(alice)
    client = enter_password(alice)
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/login/").status_code == 200
    assert client.post("/login/", {"login": bob.email, "password": PASSWORD}).status_code == 302
    assert is_in(client)


@pytest.mark.django_db(transaction=True)
def test_a_recovery_code_sent_many_times_at_once_signs_in_once(acme: Account, alice: User) -> None:
    _, _, codes = set_up(alice)
    clients = [enter_password(alice) for _ in range(8)]

    def send(client: Client) -> bool:
        try:
            enter_code(client, codes[0])
            return is_in(client)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(send, clients)).count(True) == 1


def test_another_persons_factor_is_neither_told_nor_taken(acme: Account, alice: User, bob: User) -> None:
    set_up(alice)
    assert factors_of(bob) == {"authenticator": None, "codes_left": 0}
    assert factors_of(alice)["codes_left"] == 10
    assert not take_away(bob, by=alice)
    assert take_away(alice, by=bob)
    assert factors_of(alice) == {"authenticator": None, "codes_left": 0}
