"""Signing in and out."""

import tomllib
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import Account, User
from accounts.scopes import Role
from config import __version__

PASSWORD = "correct horse battery"
WRONG = "That e-mail and password do not match. Check both and try again."


@pytest.mark.parametrize(
    ("email", "password"),
    [("alice@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("alice@example.com\x00", PASSWORD)],
)
def test_a_wrong_pair_is_refused_in_the_same_words(acme: Account, client: Client, email: str, password: str) -> None:
    response = client.post("/login/", {"login": email, "password": password})
    assert response.status_code == 200
    text = response.content.decode()
    assert "sessionid" not in response.cookies
    assert 'role="alert"' in text
    assert (WRONG in text) or "\x00" in email


def test_a_closed_account_of_a_person_is_refused_in_the_same_words(alice: User, client: Client) -> None:
    alice.is_active = False
    alice.save()
    response = client.post("/login/", {"login": alice.email, "password": PASSWORD})
    assert WRONG in response.content.decode()


def test_the_error_takes_the_focus_and_the_email_stays(acme: Account, client: Client) -> None:
    text = client.post("/login/", {"login": "alice@example.com", "password": "wrong"}).content.decode()
    assert text.count("autofocus") == 1
    assert text.index('role="alert"') < text.index("autofocus") < text.index("<form")
    assert 'value="alice@example.com"' in text
    assert "wrong" not in text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_signing_in_leads_to_no_other_site(acme: Account, client: Client, target: str) -> None:
    response = client.post("/login/", {"login": "alice@example.com", "password": PASSWORD, "next": target})
    assert response["Location"] == "/"


def test_signing_in_returns_to_the_page_asked_for(acme: Account, client: Client) -> None:
    asked = client.get("/conversations/?status=active")["Location"]
    assert "/conversations/?status=active" in client.get(asked).content.decode()
    response = client.post(
        "/login/", {"login": "Alice@Example.com", "password": PASSWORD, "next": "/conversations/?status=active"}
    )
    assert response["Location"] == "/conversations/?status=active"


def test_the_form_tells_password_managers_what_it_asks(alice: User, client: Client) -> None:
    text = client.get("/login/").content.decode()
    assert 'autocomplete="username"' in text
    assert 'autocomplete="current-password"' in text


def test_who_is_signed_in_is_led_on(acme: Account, alice: User, client: Client) -> None:
    client.force_login(alice)
    assert client.get("/login/")["Location"] == "/"


def test_signing_out_needs_a_form(acme: Account, alice: User, client: Client) -> None:
    client.force_login(alice)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/conversations/").status_code == 302


def test_the_foot_shows_the_version_of_the_package(alice: User, client: Client) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__
    assert f"Self-hosted · v{__version__}" in client.get("/login/").content.decode()


def test_a_page_that_does_not_exist_is_our_404(db: None, client: Client) -> None:
    response = client.get("/nothing-here")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_who_may_not_read_conversations_begins_at_a_page_that_they_may_see(acme: Account) -> None:
    integrator = User.objects.create_user("ina@example.com")
    acme.memberships.create(user=integrator, roles=[Role.INTEGRATOR])
    client = Client()
    client.force_login(integrator)
    response = client.get("/", follow=True)
    assert response.status_code == 200
    assert response.request["PATH_INFO"] == "/settings/api-keys/"
