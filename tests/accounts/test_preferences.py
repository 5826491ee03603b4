"""How a person wants the dashboard: the page, the switches in header and help, and that it takes effect."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from zoneinfo import available_timezones

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.forms import zones
from accounts.models import Account, User
from accounts.models.preferences import Column
from accounts.scopes import Role
from config.storage.moments import now
from config.zone import clocked, has_half_days
from conversations.models import Conversation
from conversations.templatetags import parley
from conversations.templatetags.parley import ago, clock, exact, stamp, when
from tests.conftest import client_of
from tests.factories import message

Record = Callable[..., Conversation]
PAGE = "/settings/preferences/"
CHOICE = {"time_zone": "America/Sao_Paulo", "theme": "dark", "clock": "12", "density": "compact"}
MOMENT = datetime(2026, 3, 12, 14, 2, 11, tzinfo=UTC)


def chosen(user: User) -> dict[str, Any]:
    user.refresh_from_db()
    return {name: getattr(user, name) for name in (*CHOICE, "shortcuts")}


# Refusals


@pytest.mark.parametrize("path", [PAGE, "/settings/theme/", "/settings/shortcuts/"])
def test_who_is_not_signed_in_is_sent_to_sign_in(db: None, client: Client, path: str) -> None:
    assert client.post(path, CHOICE)["Location"] == f"/login/?next={path}"


@pytest.mark.parametrize("path", [PAGE, "/settings/theme/", "/settings/shortcuts/"])
def test_a_person_without_membership_is_refused(db: None, path: str) -> None:
    stranger = User.objects.create_user("stranger@example.com")
    assert client_of(stranger).post(path, CHOICE).status_code == 403
    assert chosen(stranger)["theme"] == ""


@pytest.mark.parametrize("path", ["/settings/theme/", "/settings/shortcuts/"])
def test_a_switch_is_no_link(page: Client, path: str) -> None:
    assert page.get(path).status_code == 405


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "localtime"),
        ("time_zone", "Factory"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "x" * 5_000),
        ("theme", "pink"),
        ("theme", 'dark" onload="alert(1)'),
        ("clock", ""),
        ("clock", "13"),
        ("density", "tight"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(page: Client, alice: User, field: str, value: str) -> None:
    before = chosen(alice)
    response = page.post(PAGE, {**CHOICE, field: value})
    assert response.status_code == 400
    assert response.context["form"].errors.keys() == {field}
    assert 'role="alert"' in response.content.decode()
    assert '<html lang="en">' in response.content.decode(), "what was refused does not show"
    assert chosen(alice) == before


def test_other_fields_of_the_person_cannot_be_set(page: Client, alice: User, bob: User) -> None:
    more = {
        "id": bob.pk, "pk": bob.pk, "email": "eve@example.com", "name": "Eve", "is_staff": "on", "is_superuser": "on",
        "is_active": "", "password": "x", "columns": '["status"]', "date_joined": "2020-01-01",
    }  # fmt: skip
    alice.refresh_from_db()  # stores differ in how exactly they keep moments
    before = {field.name: getattr(alice, field.attname) for field in User._meta.concrete_fields}
    for path in (PAGE, "/settings/theme/", "/settings/shortcuts/"):
        assert page.post(path, {**CHOICE, **more, "shortcuts": "on"}).status_code == 302
    alice.refresh_from_db()
    after = {field.name: getattr(alice, field.attname) for field in User._meta.concrete_fields}
    assert {name for name in after if after[name] != before[name]} == set(CHOICE)
    bob.refresh_from_db()
    assert bob.theme == ""


# The page


@pytest.mark.parametrize("role", Role)
def test_everybody_has_preferences(acme: Account, role: Role) -> None:
    person = User.objects.create_user("dana@example.com")
    acme.memberships.create(user=person, roles=[role])
    assert client_of(person).post(PAGE, CHOICE).status_code == 302
    assert chosen(person) == {**CHOICE, "shortcuts": False}


def test_what_is_saved_is_said_and_shown(page: Client, alice: User) -> None:
    response = page.post(PAGE, {**CHOICE, "shortcuts": "on"}, follow=True)
    assert response.redirect_chain == [(PAGE, 302)]
    text = response.content.decode()
    assert "Saved." in text
    assert '<option value="America/Sao_Paulo" selected>Sao Paulo</option>' in text
    assert '<html lang="en" data-theme="dark" data-density="compact">' in text
    assert "those of America/Sao_Paulo" in text
    assert chosen(alice) == {**CHOICE, "shortcuts": True}
    assert "Saved." not in page.get(PAGE).content.decode()


def test_every_zone_can_be_chosen_once() -> None:
    offered = [
        name
        for value, label in zones()
        for name in ([value] if not isinstance(label, list) else [zone for zone, _ in label])
    ]
    assert sorted(offered) == sorted({"", *available_timezones()} - {"localtime", "Factory"})


# Its effect


def test_the_preference_wins_over_the_browsers_cookie(page: Client, alice: User, record: Record) -> None:
    conversation = record(messages=[message("Hello", timestamp="2026-03-12T14:02:11.480Z")])
    page.cookies["timezone"] = "America/Sao_Paulo"
    page.cookies["theme"] = "dark"
    path = reverse("conversations:transcript", args=[conversation.pk])
    text = page.get(path).content.decode()
    assert ">11:02<" in text
    assert 'data-theme="dark"' in text
    User.objects.filter(pk=alice.pk).update(time_zone="Asia/Tokyo", theme="light", clock="12")
    text = page.get(path).content.decode()
    assert ">11:02 PM<" in text
    assert "11:02:11 PM JST" in text
    assert 'data-theme="light"' in text
    assert 'data-theme="dark"' not in text


def test_a_zone_that_is_no_more_is_the_browsers(page: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(time_zone="Mars/Olympus")
    page.cookies["timezone"] = "America/Sao_Paulo"
    assert "those of America/Sao_Paulo" in page.get(PAGE).content.decode()


def test_times_are_written_by_either_clock() -> None:
    midnight, noon = MOMENT.replace(hour=0), MOMENT.replace(hour=12)
    assert [clock(moment) for moment in (midnight, noon, MOMENT)] == ["00:02", "12:02", "14:02"]
    assert exact(MOMENT) == "Thu 12 March 2026, 14:02:11 UTC"
    with clocked("12"):
        assert [clock(moment) for moment in (midnight, noon, MOMENT)] == ["12:02 AM", "12:02 PM", "2:02 PM"]
        assert exact(MOMENT) == "Thu 12 March 2026, 2:02:11 PM UTC"
        assert stamp(MOMENT) == (
            '<time datetime="2026-03-12T14:02:11.000+00:00" title="Thu 12 March 2026, 2:02:11 PM UTC">2:02 PM</time>'
        )
        assert ago(now() - timedelta(days=4)).endswith("M")
    assert not has_half_days()


@pytest.mark.parametrize("change", [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)])
def test_how_long_ago_it_was_is_true_over_a_change_to_and_from_summer_time(
    change: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parley, "now", lambda: change + timedelta(minutes=5))
    with timezone.override("Europe/Berlin"):
        for minutes, text in ((1, "6 min"), (50, "55 min"), (60, "1 h"), (120, "2 h")):
            moment = change - timedelta(minutes=minutes)
            assert ago(moment) == text
            assert f">{text}</time>" in when(moment)


def test_one_requests_clock_is_not_anothers(page: Client, alice: User, bob: User) -> None:
    User.objects.filter(pk=alice.pk).update(clock="12", time_zone="Asia/Tokyo")
    assert "JST" not in client_of(bob).get(PAGE).content.decode()
    for _ in range(2):
        assert page.get(PAGE).context["form"].instance.clock == "12"
        assert not has_half_days(), "and nothing is left behind"
        text = client_of(bob).get(PAGE).content.decode()
        assert "those of UTC" in text
        assert not {"AM.", "PM."} & set(text.split())


def test_clocks_of_requests_at_the_same_moment_do_not_mix() -> None:
    both = Barrier(2)

    def write(kind: str) -> list[str]:
        written = []
        for _ in range(50):
            with clocked(kind):
                both.wait(5)
                written.append(clock(MOMENT))
        return written

    with ThreadPoolExecutor(2) as pool:
        half, full = pool.map(write, ("12", "24"))
    assert (set(half), set(full)) == ({"2:02 PM"}, {"14:02"})


def test_a_failing_page_leaves_no_clock_behind() -> None:
    with pytest.raises(ZeroDivisionError), clocked("12"):
        _ = 1 / 0
    assert not has_half_days()


# The switches


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/settings/names/?a=b", "/settings/names/?a=b"),
        ("https://evil.example/", "/conversations/"),
        ("", "/conversations/"),
    ],
)
def test_the_theme_switch_stores_and_returns(page: Client, alice: User, target: str, leads_to: str) -> None:
    response = page.post("/settings/theme/", {"theme": "dark", "next": target})
    assert response["Location"] == leads_to
    assert chosen(alice)["theme"] == response.cookies["theme"].value == "dark"
    assert 'data-theme="dark"' in page.get(PAGE).content.decode()


def test_the_systems_theme_clears_the_cookie_too(page: Client, alice: User) -> None:
    page.post("/settings/theme/", {"theme": "dark"})
    page.post(PAGE, {**CHOICE, "theme": ""})
    assert page.cookies["theme"].value == ""
    assert "data-theme=" not in page.get(PAGE).content.decode().partition("<head>")[0]


def test_a_theme_that_does_not_exist_changes_nothing(page: Client, alice: User) -> None:
    assert page.post("/settings/theme/", {"theme": "pink"}).status_code == 302
    assert chosen(alice)["theme"] == ""


def test_shortcuts_are_switched_off_and_on(page: Client, alice: User) -> None:
    assert "data-shortcuts=" not in page.get(PAGE).content.decode()
    page.post("/settings/shortcuts/", {"next": PAGE})
    assert 'data-shortcuts="off"' in page.get(PAGE).content.decode()
    assert page.post("/settings/shortcuts/", {"shortcuts": "on", "next": PAGE})["Location"] == PAGE
    assert chosen(alice)["shortcuts"]


def test_preferences_leave_the_columns_alone(page: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(columns=[str(Column.STATUS)])
    page.post(PAGE, CHOICE)
    alice.refresh_from_db()
    assert alice.columns == ["status"]


# The header


def test_the_header_leads_to_what_the_person_may_see(page: Client, acme: Account) -> None:
    text = page.get(PAGE).content.decode()
    for path in (PAGE, "/settings/names/", "/api/docs", "/conversations/"):
        assert f'href="{path}"' in text
    integrator = User.objects.create_user("integrator@example.com")
    acme.memberships.create(user=integrator, roles=[Role.INTEGRATOR])
    assert "/settings/names/" not in client_of(integrator).get(PAGE).content.decode()
