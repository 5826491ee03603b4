"""The first run: whoever may set the server up does so once."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core import signing
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import Account, User
from accounts.setup import SALT

PASSWORD = "correct horse battery"
FORM = {"account": "Acme", "name": "Alice", "email": "Alice@Example.com", "password": PASSWORD}


@pytest.fixture
def developing(settings: Any) -> None:
    settings.DEBUG = True


def post(client: Client | None = None, **given: str) -> Any:
    return (client or Client()).post("/setup/", {**FORM, **given})


# Refusals


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "nonsense", "Im93bmVyIg:1abc:x", "another"])
def test_a_stranger_does_not_set_up_a_server_in_use(client: Client, token: str) -> None:
    token = signing.dumps("owner", salt=token) if token == "another" else token
    response = post(token=token)
    assert response.status_code == 403
    assert client.get("/setup/", {"token": token}).status_code == 403
    assert "manage.py setup_link" in response.content.decode()
    assert "password" not in response.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_link_holds_for_a_day(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    token = signing.dumps("owner", salt=SALT)
    assert client.get("/setup/", {"token": token}).status_code == 200
    monkeypatch.setattr("accounts.setup.DAY", -1)
    response = client.get("/setup/", {"token": token})
    assert response.status_code == 403
    assert "older than a day" in response.content.decode()


@pytest.mark.usefixtures("developing")
def test_where_somebody_is_it_leads_to_the_sign_in(alice: User, client: Client) -> None:
    assert client.get("/setup/")["Location"] == "/login/"
    assert post(client)["Location"] == "/login/"
    assert "Nothing was set up: this server has its owner already." in client.get("/login/").content.decode()
    assert User.objects.count() == 1
    with pytest.raises(CommandError, match="There are people already"):
        call_command("setup_link")


@pytest.mark.django_db
@pytest.mark.usefixtures("developing")
@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("email", "nonsense", "valid email"),
        ("email", "", "required"),
        ("account", "", "required"),
        ("account", "a\x00b", ""),
        ("name", "x" * 101, "at most 100"),
        ("password", "short", "too short"),
        ("password", "password123", "too common"),
        ("password", "alice@example.com", "too similar"),
    ],
)
def test_what_cannot_be_is_refused_and_makes_nobody(field: str, value: str, fault: str) -> None:
    given: Any = {field: value}
    response = post(**given)
    text = response.content.decode()
    assert response.status_code == 400
    assert 'aria-invalid="true"' in text
    assert fault in text
    assert PASSWORD not in text
    assert not User.objects.exists()
    assert not Account.objects.exists()


# What happens


@pytest.mark.django_db
def test_the_sign_in_leads_there_while_nobody_is_here(client: Client) -> None:
    assert client.get("/")["Location"] == "/login/?next=/"
    assert client.get("/login/?next=/")["Location"] == "/setup/"


@pytest.mark.django_db
def test_the_command_prints_a_link_that_opens_it(client: Client, capsys: Any) -> None:
    call_command("setup_link")
    link = capsys.readouterr().out.strip()
    found = re.fullmatch(r"http://127\.0\.0\.1:8000(/setup/\?token=\S+)", link)
    assert found
    page = client.get(found[1]).content.decode()
    token = re.findall(r'name="token" value="([^"]+)"', page)[0]
    assert post(client, token=token)["Location"] == "/"
    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("developing")
def test_the_first_owner_is_made_and_signed_in(client: Client) -> None:
    assert post(client)["Location"] == "/"
    owner = User.objects.get()
    assert (owner.email, owner.name, owner.is_staff, owner.is_superuser) == ("alice@example.com", "Alice", True, True)
    account = Account.objects.get()
    assert account.memberships.get().roles == ["owner"]
    assert account.name == "Acme"
    text = client.get("/conversations/").content.decode()
    assert "Acme is ready." in text
    assert client.get("/admin/").status_code == 200
    assert not account.conversations.exists()
    assert Client().post("/login/", {"login": owner.email, "password": PASSWORD}).status_code == 302


@pytest.mark.django_db
@pytest.mark.usefixtures("developing")
def test_demo_conversations_come_into_the_account(client: Client) -> None:
    post(client, demo="on")
    account = Account.objects.get()
    assert account.conversations.live().count() > 50
    assert account.conversations.test().exists()
    assert User.objects.count() == 1
    assert "with demo conversations" in client.get("/conversations/").content.decode()
    with pytest.raises(CommandError, match="has conversations already"):
        call_command("load_demo", into=account.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("developing")
def test_of_many_at_once_one_sets_up() -> None:
    def one(number: int) -> str:
        try:
            return str(post(email=f"owner{number}@example.com")["Location"])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(one, range(8)))
    assert answers == ["/", *["/login/"] * 7]
    assert (User.objects.count(), Account.objects.count()) == (1, 1)
