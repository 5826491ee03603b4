"""Security: the page, the password, and sessions that end when they should."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client

from accounts.devices import device_of
from accounts.models import Account, User
from config.storage.moments import now

PASSWORD, NEW = "correct horse battery", "a new and longer one"
PAGE = "/settings/security/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E148 Safari/604.1"
)


def browser(user: User, agent: str = FIREFOX, address: str = "192.0.2.1") -> Client:
    """A browser in which the person has signed in."""
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    response = client.post("/login/", {"login": user.email, "password": PASSWORD})
    assert response.status_code == 302, response.content
    return client


def is_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


def key_of(client: Client) -> str:
    return client.cookies["sessionid"].value


def row_of(client: Client) -> str:
    return str(UserSession.objects.get(session_key=key_of(client)).pk)


def change(client: Client, **given: str) -> Any:
    return client.post(f"{PAGE}password/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW, **given})


# Refusals


def test_who_is_not_signed_in_is_sent_to_sign_in(db: None, client: Client) -> None:
    for path in ("", "password/", "confirm/", "authenticator/", "recovery-codes/", "sessions/end/"):
        assert client.get(f"{PAGE}{path}")["Location"] == f"/login/?next={PAGE}{path}"


@pytest.mark.parametrize("pk", ["0", "999999", "a" * 24, "nonsense", "9" * 30, "²"])
def test_a_session_that_is_not_there_is_not_found(acme: Account, alice: User, pk: str) -> None:
    assert browser(alice).post(f"{PAGE}sessions/{pk}/end/").status_code == 404


def test_a_session_of_somebody_else_is_not_found(acme: Account, alice: User, bob: User) -> None:
    theirs = browser(bob)
    assert browser(alice).post(f"{PAGE}sessions/{row_of(theirs)}/end/").status_code == 404
    assert is_in(theirs)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"oldpassword": "wrong"}, "That is not your present password."),
        ({"password2": "something else"}, "the same password each time"),
        ({"password1": "short", "password2": "short"}, "too short"),
    ],
)
def test_a_password_is_not_changed_by_mistake(acme: Account, alice: User, given: Any, fault: str) -> None:
    client = browser(alice)
    text = change(client, **given).content.decode()
    assert fault in text
    assert 'aria-invalid="true"' in text
    assert NEW not in text
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
    assert mail.outbox == []


def test_guessing_the_present_password_is_limited(acme: Account, alice: User) -> None:
    client = browser(alice)
    assert [change(client, oldpassword="x").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    assert "That was too often" in change(client).content.decode()


@pytest.mark.parametrize(
    "path", ["/accounts/signup/", "/signup/", "/login/signup/", "/accounts/email/", "/accounts/login/"]
)
def test_allauths_other_addresses_are_not_there(acme: Account, client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


# Sessions


def test_signing_in_gives_another_session(acme: Account, alice: User) -> None:
    """A session that somebody planted before does not become one that is signed in."""
    client = Client()
    client.get("/login/?next=/")
    session = client.session
    session["planted"] = True
    session.save()
    planted = str(session.session_key)
    client.cookies["sessionid"] = planted
    client.post("/login/", {"login": alice.email, "password": PASSWORD})
    assert key_of(client) != planted
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert not is_in(thief)


def test_a_session_does_not_outlive_signing_out(acme: Account, alice: User) -> None:
    client, copy = browser(alice), Client()
    copy.cookies["sessionid"] = key_of(client)
    assert is_in(copy)
    client.post("/logout/")
    assert not is_in(copy)
    assert not is_in(client)


def test_a_changed_password_ends_the_other_sessions(acme: Account, alice: User) -> None:
    here, other, copy = browser(alice), browser(alice), Client()
    copy.cookies["sessionid"] = key_of(here)
    assert change(here)["Location"] == PAGE
    assert is_in(here)
    assert not is_in(other)
    assert not is_in(copy), "not even one that had the same session"
    assert here.get(PAGE).content.decode().count("Sign out<span") == 1
    told: Any = mail.outbox[0]
    assert len(mail.outbox) == 1
    assert (told.subject, told.to) == ("Your password was changed", [alice.email])
    assert "Firefox on Linux, 192.0.2.1" in told.body
    assert "Firefox on Linux" in told.alternatives[0][0]


def test_a_membership_that_is_taken_away_counts_at_once(acme: Account, bob: User) -> None:
    client = browser(bob)
    assert client.get("/conversations/").status_code == 200
    acme.memberships.get(user=bob).delete()
    assert client.get("/conversations/").status_code == 403
    assert is_in(client), "their own security stays theirs"


def test_a_role_that_is_taken_away_counts_at_once(acme: Account, alice: User) -> None:
    client = browser(alice)
    assert client.get("/settings/audit/").status_code == 200
    acme.memberships.filter(user=alice).update(roles=["analyst"])
    assert client.get("/settings/audit/").status_code == 403


def test_a_person_who_is_closed_is_out_at_once(acme: Account, alice: User) -> None:
    client = browser(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert not is_in(client)


def test_the_page_lists_where_a_person_is_signed_in(acme: Account, alice: User, bob: User) -> None:
    here, phone = browser(alice), browser(alice, IPHONE, "2001:db8::7")
    browser(bob, "Edg/1.0 Windows")
    text = here.get(PAGE).content.decode()
    devices = re.findall(r"<strong>(.+?)</strong>", text)
    assert devices == ["Firefox on Linux", "Safari on iPhone"]
    assert text.index("this browser") < text.index("Safari on iPhone")
    assert "2001:db8::7" in text
    assert key_of(phone) not in text
    assert key_of(here) not in text


def test_one_session_is_ended_from_another(acme: Account, alice: User) -> None:
    here, phone = browser(alice), browser(alice, IPHONE)
    response = here.post(f"{PAGE}sessions/{row_of(phone)}/end/", follow=True)
    assert "That session has ended." in response.content.decode()
    assert "iPhone" not in response.content.decode()
    assert not is_in(phone)
    assert is_in(here)


def test_ending_this_session_signs_out(acme: Account, alice: User) -> None:
    here = browser(alice)
    assert here.post(f"{PAGE}sessions/{row_of(here)}/end/")["Location"] == "/login/"
    assert not is_in(here)


def test_signing_out_everywhere_ends_all_and_nobody_elses(acme: Account, alice: User, bob: User) -> None:
    here, phone, theirs = browser(alice), browser(alice, IPHONE), browser(bob)
    came_otherwise = Client()
    came_otherwise.force_login(alice)
    response = here.post(f"{PAGE}sessions/end/", follow=True)
    assert "You are signed out everywhere." in response.content.decode()
    assert not any(map(is_in, (here, phone, came_otherwise)))
    assert is_in(theirs)


def test_a_session_is_marked_as_used_now_and_then(acme: Account, alice: User) -> None:
    client = browser(alice)
    client.get(PAGE)
    row = UserSession.objects.filter(session_key=key_of(client))
    before = now() - timedelta(days=1)
    row.update(last_seen_at=before)
    client.get(PAGE)
    assert row.get().last_seen_at < now() - timedelta(hours=1), "not on each request"
    session = client.session
    session["seen"] = 0
    session.save()
    client.get(PAGE, REMOTE_ADDR="198.51.100.9")
    assert row.get().last_seen_at > now() - timedelta(minutes=1)
    assert row.get().ip == "198.51.100.9"


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.0", "Unknown browser"),
        ("<script>Windows", "Windows"),
        ("", "Unknown browser"),
    ],
)
def test_a_device_is_named_by_what_its_browser_says(agent: str, device: str) -> None:
    assert device_of(agent) == device


# Who is here without a password, and operators


def test_who_has_no_password_gets_one_by_mail(acme: Account) -> None:
    person = User.objects.create_user("sso@example.com")
    acme.memberships.create(user=person, roles=["analyst"])
    client = Client()
    client.force_login(person)
    assert "You have no password." in client.get(PAGE).content.decode()
    assert client.get(f"{PAGE}password/")["Location"] == "/login/reset/"
    assert client.get(f"{PAGE}authenticator/").status_code == 200, "there is nothing to confirm with"


def test_the_admin_has_the_same_door(acme: Account, alice: User) -> None:
    client = Client()
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.get("/admin/login/?next=/admin/")["Location"] == "/login/?next=%2Fadmin%2F"
    assert client.post("/admin/login/", {"username": alice.email, "password": PASSWORD}).status_code == 302
    assert "sessionid" not in client.cookies
    alice.is_staff = alice.is_superuser = True
    alice.save()
    response = client.post("/login/", {"login": alice.email, "password": PASSWORD, "next": "/admin/"}, follow=True)
    assert response.request["PATH_INFO"] == "/admin/"
    assert client.get("/admin/password_change/")["Location"] == f"{PAGE}password/"


def test_who_is_no_operator_is_told_so_by_the_admin(acme: Account, bob: User) -> None:
    client = browser(bob)
    response = client.get("/admin/", follow=True)
    assert response.status_code == 403
    assert "sessionid" in client.cookies


def test_the_menu_leads_operators_to_the_admin(acme: Account, alice: User) -> None:
    leads = 'href="/admin/"'
    assert leads not in browser(alice).get("/settings/preferences/").content.decode()
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    assert leads in browser(alice).get("/settings/preferences/").content.decode()


def test_the_menu_leads_here(acme: Account, alice: User) -> None:
    assert f'href="{PAGE}"' in browser(alice).get("/settings/preferences/").content.decode()
