"""A forgotten password: the mail, its link, and what it ends."""

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User

PASSWORD, NEW = "correct horse battery", "a new and longer one"
LINK = re.compile(r"http://127\.0\.0\.1:8000(/login/reset/[0-9a-f]{24}-[0-9a-z-]+/)")


def ask(email: str = "alice@example.com", client: Client | None = None) -> Any:
    return (client or Client()).post("/login/reset/", {"email": email})


def link_in(message: Any) -> str:
    found = LINK.search(message.body)
    assert found, message.body
    return found[1]


def alternatives_of(message: Any) -> list[tuple[str, str]]:
    return list(message.alternatives)


def choose(client: Client, link: str, first: str = NEW, second: str | None = None) -> Any:
    """Open the link and send the form that it leads to."""
    form = client.get(link, follow=True)
    return client.post(form.request["PATH_INFO"], {"password1": first, "password2": second or first})


def may_sign_in(password: str) -> bool:
    response = Client().post("/login/", {"login": "alice@example.com", "password": password})
    return response.status_code == 302


# Refusals


@pytest.mark.parametrize("email", ["nobody@example.com", "closed@example.com"])
def test_who_is_not_here_gets_no_mail_and_the_same_answer(acme: Account, email: str) -> None:
    User.objects.create_user("closed@example.com", PASSWORD, is_active=False)
    unknown, known = ask(email), ask()
    assert (unknown.status_code, unknown["Location"]) == (known.status_code, known["Location"])
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]


@pytest.mark.parametrize("link", ["0-0", "x-y", f"{'a' * 24}-dcm0sr-{'0' * 32}"])
def test_a_link_that_we_did_not_make_opens_nothing(acme: Account, link: str) -> None:
    response = Client().get(f"/login/reset/{link}/")
    assert "This link does not work any more" in response.content.decode()
    assert "password1" not in response.content.decode()


def test_a_link_works_once(acme: Account) -> None:
    ask()
    link = link_in(mail.outbox[0])
    assert choose(Client(), link)["Location"] == "/login/reset/done/"
    assert "does not work any more" in Client().get(link).content.decode()
    assert may_sign_in(NEW)


def test_a_link_dies_after_an_hour(acme: Account, settings: Any) -> None:
    ask()
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "does not work any more" in Client().get(link_in(mail.outbox[0])).content.decode()
    assert settings.PASSWORD_RESET_TIMEOUT == -1


def test_a_link_dies_with_the_next_sign_in_and_with_another_address(acme: Account, alice: User) -> None:
    ask()
    alice.email = "alice@example.org"
    alice.save()
    assert "does not work any more" in Client().get(link_in(mail.outbox[0])).content.decode()
    ask("alice@example.org")
    alice.last_login = timezone.now()
    alice.save()
    assert "does not work any more" in Client().get(link_in(mail.outbox[1])).content.decode()


@pytest.mark.parametrize(
    ("first", "second", "fault"),
    [
        ("short", "short", "too short"),
        ("password123", "password123", "too common"),
        ("alice@example.com", "alice@example.com", "too similar"),
        (NEW, "another one, really", "the same password each time"),
    ],
)
def test_a_bad_password_is_refused_and_the_link_stays(acme: Account, first: str, second: str, fault: str) -> None:
    ask()
    client, link = Client(), link_in(mail.outbox[0])
    response = choose(client, link, first, second)
    assert fault in response.content.decode()
    assert User.objects.get(email="alice@example.com").check_password(PASSWORD)
    assert choose(client, link).status_code == 302


def test_asking_is_limited(acme: Account) -> None:
    assert [ask().status_code for _ in range(5)] == [302] * 3 + [429] * 2
    assert len(mail.outbox) == 3
    assert [ask("nobody@example.com").status_code for _ in range(5)] == [302] * 3 + [429] * 2


def test_a_forged_host_does_not_get_into_the_mail(acme: Account) -> None:
    Client().post("/login/reset/", {"email": "alice@example.com"}, headers={"host": "localhost:1234"})
    assert "localhost" not in mail.outbox[0].body
    link_in(mail.outbox[0])


def test_a_mail_that_fails_is_not_told_of(acme: Account, settings: Any, caplog: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert ask()["Location"] == "/login/reset/sent/"
    assert "was not sent" in caplog.text
    assert "alice" not in caplog.text


# What happens


def test_the_mail_has_the_link_in_both_parts(acme: Account) -> None:
    ask(" Alice@Example.com ")
    [message] = mail.outbox
    [(html, kind)] = alternatives_of(message)
    assert (message.subject, message.to, kind) == (
        "Choose a new password for Parley",
        ["alice@example.com"],
        "text/html",
    )
    link = link_in(message)
    assert html.count(f"http://127.0.0.1:8000{link}") >= 2
    for part in (message.body, html):
        assert "holds for an hour, and works once" in part
        assert "Sent by Parley at http://127.0.0.1:8000" in part
    assert "&#" not in message.body


def test_the_mail_is_in_the_language_of_who_gets_it(acme: Account, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(language="es")
    ask()
    choose(Client(), link_in(mail.outbox[0]))
    subjects = [message.subject for message in mail.outbox]
    assert subjects[0] == "Elige una nueva contraseña para Parley"
    assert subjects[1] != "Your password was reset"


def test_a_new_password_ends_every_session_and_is_told(acme: Account, alice: User) -> None:
    other = Client()
    other.force_login(alice)
    ask()
    client = Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
    done = choose(client, link_in(mail.outbox[0]))
    assert "Your new password is set" in client.get(done["Location"]).content.decode()
    assert client.get("/conversations/").status_code == 302, "it signs nobody in"
    assert other.get("/conversations/").status_code == 302
    assert not may_sign_in(PASSWORD)
    assert may_sign_in(NEW)
    told = mail.outbox[1]
    assert told.subject == "Your password was reset"
    for part in (told.body, alternatives_of(told)[0][0]):
        assert "Firefox on Linux" in part
        assert "http://127.0.0.1:8000/settings/security/" in part
        assert NEW not in part


def test_the_limit_on_guesses_is_no_obstacle_after_a_reset(acme: Account) -> None:
    """Strangers' guesses are used up; the person who has the mail signs in all the same, for this browser is theirs."""
    for _ in range(5):
        may_sign_in("wrong")
    ask()
    client = Client()
    choose(client, link_in(mail.outbox[0]))
    assert client.post("/login/", {"login": "alice@example.com", "password": NEW}).status_code == 302


def test_the_link_leaves_the_address_bar_and_nothing_of_it_stays(acme: Account) -> None:
    ask()
    link, client = link_in(mail.outbox[0]), Client()
    opened = client.get(link)
    assert opened.status_code == 302
    assert opened["Location"].endswith("-set-password/")
    token = link.rstrip("/").rpartition("/")[2].partition("-")[2]
    choose(client, link)
    assert all(token not in str(session.get_decoded()) for session in Session.objects.all())


def test_who_is_signed_in_as_somebody_else_is_signed_out_first(acme: Account, bob: User) -> None:
    ask()
    client = Client()
    client.force_login(bob)
    choose(client, link_in(mail.outbox[0]))
    assert client.get("/conversations/").status_code == 302
    assert may_sign_in(NEW)
