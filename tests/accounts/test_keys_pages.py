"""The pages of API keys: who may, that nobody gives more than they hold, and that a secret is in one answer alone."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.key_rows import access_of
from accounts.models import Account, ApiKey, AuditEvent, Environment, User
from accounts.models.key import ScopeNotHeld
from accounts.scopes import Role, Scope
from config.storage.moments import now
from tests.conftest import client_of, statements, text_of

PAGE = "/settings/api-keys/"
NEW = f"{PAGE}new/"
ONCE = "0123456789abcdef" * 2
TOKEN = re.compile(r"nl_(?:live|test)_[0-9a-f]{64}")
EVIL = "</title><img src=x onerror=alert(1)>\"'{{7*7}}"
VERBS = ("rename", "rotate", "revoke", "delete")


@pytest.fixture
def ina(acme: Account) -> User:
    """Integrator at Acme: manages keys, and may not read conversations."""
    user = User.objects.create_user("ina@example.com", None, name="Ina")
    acme.memberships.create(user=user, roles=[Role.INTEGRATOR])
    return user


@pytest.fixture
def key(acme: Account, alice: User) -> ApiKey:
    return issue(acme, by=alice)


def issue(account: Account, **fields: Any) -> ApiKey:
    values = {"name": "Zapier", "environment": "live", "scopes": [Scope.CONVERSATIONS_VIEW], "by": None, **fields}
    key, _ = ApiKey.objects.issue(account=account, **values)
    return key


def change(key: ApiKey, **fields: Any) -> None:
    ApiKey.objects.filter(pk=key.pk).update(**fields)


def form(**fields: Any) -> dict[str, Any]:
    values = {"name": "CRM", "environment": "live", "scopes": ["conversations:view"], "expiry": "never", "once": ONCE}
    return {**values, **fields}


def entries(account: Account, action: str) -> list[AuditEvent]:
    return list(account.audit_events.filter(action=action))


# Refusals


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ANALYST, Role.AI_ARCHITECT])
def test_a_role_without_the_scope_sees_no_key(acme: Account, key: ApiKey, role: Role) -> None:
    person = User.objects.create_user("dana@example.com")
    acme.memberships.create(user=person, roles=[role])
    client = client_of(person)
    for path in (PAGE, NEW, *(f"{PAGE}{key.pk}/{verb}/" for verb in VERBS)):
        for response in (client.get(path), client.post(path, form())):
            assert response.status_code in (403, 405)
            assert key.hint not in response.content.decode()
    assert acme.api_keys.get().status == "active"


def test_who_may_only_see_changes_nothing(page: Client, key: ApiKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.models.person.scopes_of", lambda roles, masked: frozenset({Scope.API_KEYS_VIEW}))
    shown = text_of(page.get(PAGE))
    assert key.masked in shown
    assert "api_keys:manage" in shown
    assert not re.search(rf"{PAGE}(new|{key.pk})", shown)
    for path in (NEW, *(f"{PAGE}{key.pk}/{verb}/" for verb in VERBS)):
        assert page.post(path, form()).status_code == 403


@pytest.mark.parametrize("verb", VERBS)
def test_another_accounts_key_is_404_like_an_unknown_one(page: Client, other_account: Account, verb: str) -> None:
    foreign = issue(other_account)
    for pk in (foreign.pk, "0" * 24, "nonsense", "A" * 24, "%00", '{"$ne":1}'):
        for response in (page.get(f"{PAGE}{pk}/{verb}/"), page.post(f"{PAGE}{pk}/{verb}/", form())):
            assert response.status_code == 404
            assert foreign.name not in response.content.decode()
    foreign.refresh_from_db()
    assert (foreign.name, foreign.status) == ("Zapier", "active")
    assert foreign.masked not in text_of(page.get(PAGE))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": ""}, "Give it a name"),
        ({"name": " \t "}, "Give it a name"),
        ({"name": "x" * 101}, "100"),
        ({"name": "a\x00b"}, "Null characters"),
        ({"environment": "prod"}, "valid choice"),
        ({"scopes": []}, "Choose at least one"),
        ({"scopes": ["everything"]}, "only what you hold"),
        ({"expiry": "7"}, "valid choice"),
        ({"expiry": "date"}, "Choose the last day"),
        ({"expiry": "date", "expires_on": "2020-01-01"}, "Must be in the future"),
        ({"expiry": "date", "expires_on": "9999-12-31"}, "too far away"),
        ({"expiry": "date", "expires_on": "soon"}, "Is not a date"),
        ({"once": ""}, "incomplete"),
        ({"once": "x"}, "incomplete"),
    ],
)
def test_bad_form_makes_no_key_and_says_why(page: Client, acme: Account, fields: dict[str, Any], says: str) -> None:
    shown = text_of(page.post(NEW, form(**fields)), 400)
    assert says in shown
    assert not acme.api_keys.exists()
    assert not TOKEN.search(shown)


def test_nobody_gives_more_than_they_hold(acme: Account, ina: User) -> None:
    client = client_of(ina)
    shown = text_of(client.get(NEW))
    assert 'value="audit:view"' in shown
    assert 'value="conversations:view"' not in shown
    assert "Read conversations" in shown  # named as what an owner can give
    for scopes in (["conversations:view"], ["audit:view", "team:manage"], list(Scope.values)):
        assert "only what you hold" in text_of(client.post(NEW, form(scopes=scopes)), 400)
    assert not acme.api_keys.exists()


def test_the_verbs_refuse_more_than_a_person_holds(acme: Account, ina: User, key: ApiKey) -> None:
    held = acme.memberships.get(user=ina).scopes
    with pytest.raises(ScopeNotHeld):
        issue(acme, by=ina, within=held)
    with pytest.raises(ScopeNotHeld):
        key.rotate(by=ina, within=held)
    assert acme.api_keys.get().status == "active"
    assert not entries(acme, "api_key.rotated")


def test_rotating_hands_out_no_more_than_the_person_holds(acme: Account, ina: User, key: ApiKey) -> None:
    client = client_of(ina)
    assert f"{PAGE}{key.pk}/rotate/" not in text_of(client.get(PAGE))
    assert "more than you hold" in text_of(client.get(f"{PAGE}{key.pk}/rotate/"))
    response = client.post(f"{PAGE}{key.pk}/rotate/", {"once": ONCE})
    assert response.status_code == 403
    assert not TOKEN.search(response.content.decode())
    assert acme.api_keys.get().status == "active"
    # Taking away is another matter.
    assert client.post(f"{PAGE}{key.pk}/revoke/").status_code == 302
    assert acme.api_keys.get().status == "revoked"


def test_a_key_in_use_is_not_revoked_without_its_name(page: Client, acme: Account, key: ApiKey) -> None:
    change(key, last_used_at=now() - timedelta(hours=23), last_used_ip="203.0.113.7", name="Zapier  leads\n")
    path = f"{PAGE}{key.pk}/revoke/"
    assert "203.0.113.7" in text_of(page.get(path))
    for typed in ({}, {"name": ""}, {"name": "zapier leads"}, {"name": "Zapier"}):
        assert "not the key’s name" in text_of(page.post(path, typed), 400)
    assert acme.api_keys.get().status == "active"
    assert page.post(path, {"name": " Zapier leads"}).status_code == 302
    assert acme.api_keys.get().status == "revoked"


def test_a_key_that_rests_is_revoked_at_once(page: Client, acme: Account, key: ApiKey) -> None:
    change(key, last_used_at=now() - timedelta(hours=25))
    assert 'name="name"' not in text_of(page.get(f"{PAGE}{key.pk}/revoke/"))
    assert page.post(f"{PAGE}{key.pk}/revoke/")["Location"] == f"{PAGE}#key-{key.pk}"
    assert acme.api_keys.get().status == "revoked"


def test_the_wrong_state_is_told_in_words(page: Client, acme: Account, key: ApiKey) -> None:
    assert "Revoke it first" in text_of(page.get(f"{PAGE}{key.pk}/delete/"))
    assert "Revoke it first" in text_of(page.post(f"{PAGE}{key.pk}/delete/", follow=True))
    key.revoke(by=None)
    assert "revoked key cannot be rotated" in text_of(page.get(f"{PAGE}{key.pk}/rotate/"))
    shown = text_of(page.post(f"{PAGE}{key.pk}/rotate/", {"once": ONCE}, follow=True))
    assert "A revoked key cannot be rotated." in shown
    assert "revoked already" in text_of(page.get(f"{PAGE}{key.pk}/revoke/"))
    assert "revoked already" in text_of(page.post(f"{PAGE}{key.pk}/revoke/", follow=True))
    expired = issue(acme)
    change(expired, expires_at=now() - timedelta(seconds=1))
    assert "expired key cannot be rotated" in text_of(page.get(f"{PAGE}{expired.pk}/rotate/"))
    shown = text_of(page.post(f"{PAGE}{expired.pk}/rotate/", {"once": ONCE}, follow=True))
    assert "An expired key cannot be rotated." in shown
    assert acme.api_keys.count() == 2


# A secret is in one answer


def grep(account: Account, token: str) -> list[str]:
    """Where in the store a secret stands, in clear."""
    secret = token.rpartition("_")[2]
    rows = [str(row) for model in (ApiKey, AuditEvent) for row in model.objects.values()]
    rows += [str(session.get_decoded()) for session in Session.objects.all()]
    rows += [session.session_data for session in Session.objects.all()]
    return [row for row in rows if secret in row]


@pytest.mark.parametrize("environment", ["live", "test"])
def test_the_secret_is_shown_once_and_kept_nowhere(
    page: Client, acme: Account, environment: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    response = page.post(NEW, form(environment=environment))
    shown = text_of(response)
    [token] = set(TOKEN.findall(shown))
    key = ApiKey.objects.authenticate(token)
    assert key == acme.api_keys.get()
    assert (key.environment, key.scopes, key.expires_at) == (environment, ["conversations:view"], None)
    assert response["Cache-Control"] == "private, no-store"
    assert "http://testserver/api/conversations?limit=1" in shown
    assert f"{PAGE}#key-{key.pk}" in shown
    assert grep(acme, token) == []
    secret = token.rpartition("_")[2]
    assert secret not in str(response.headers) + str(response.cookies) + caplog.text
    assert secret not in text_of(page.get(PAGE)) + text_of(page.get("/settings/audit/"))


def test_sending_the_form_again_makes_no_second_key(page: Client, acme: Account) -> None:
    [token] = set(TOKEN.findall(text_of(page.post(NEW, form()))))
    for again in (form(), form(name="Other"), form(name="")):
        shown = text_of(page.post(NEW, again))
        assert "already created" in shown
        assert f"nl_live_…{token[-4:]}" in shown
        assert not TOKEN.search(shown)
    assert acme.api_keys.count() == 1
    acme.api_keys.all().delete()
    assert "already created" in text_of(page.post(NEW, form()))
    assert page.post(NEW, form(once="f" * 32)).status_code == 200
    assert acme.api_keys.count() == 1


def test_another_account_does_not_learn_what_a_form_made(page: Client, alice: User, other_account: Account) -> None:
    page.post(NEW, form(name="Of Acme"))
    other_account.memberships.create(user=alice, roles=[Role.OWNER])
    session = page.session
    session["account"] = other_account.pk
    session.save()
    shown = text_of(page.post(NEW, form()))
    assert "already created" in shown
    assert "Of Acme" not in shown


def test_a_form_that_made_nothing_may_be_sent_again(
    page: Client, acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise ValidationError({"expires_at": "Must be in the future."})

    with monkeypatch.context() as patch:
        patch.setattr(ApiKey, "full_clean", refuse)
        assert "Must be in the future." in text_of(page.post(NEW, form()), 400)
    assert TOKEN.search(text_of(page.post(NEW, form())))
    assert acme.api_keys.count() == 1


def test_rotating_shows_the_new_key_once_and_ends_the_old(page: Client, acme: Account, key: ApiKey) -> None:
    path = f"{PAGE}{key.pk}/rotate/"
    asked = text_of(page.get(path))
    assert "dead at once" in asked
    assert "never been used" in asked
    assert "once" in asked
    assert acme.api_keys.count() == 1
    assert text_of(page.post(path, {}), 400)
    response = page.post(path, {"once": ONCE})
    [token] = set(TOKEN.findall(text_of(response)))
    assert response["Cache-Control"] == "private, no-store"
    assert key.masked in text_of(page.get(PAGE))
    key.refresh_from_db()
    assert key.status == "revoked"
    rotated = ApiKey.objects.authenticate(token)
    assert rotated
    assert rotated.name == "Zapier"
    assert grep(acme, token) == []
    again = text_of(page.post(path, {"once": ONCE}))
    assert "already created" in again
    assert not TOKEN.search(again)
    assert acme.api_keys.count() == 2


def test_the_session_remembers_few_forms(page: Client, acme: Account) -> None:
    for number in range(23):
        page.post(NEW, form(once=f"{number:032x}"))
    assert len(page.session["made_keys"]) == 20
    assert "already created" in text_of(page.post(NEW, form(once=f"{22:032x}")))


# What works


def test_the_read_scope_is_preselected_and_the_environment_is_the_one_looked_at(page: Client) -> None:
    shown = text_of(page.get(NEW))
    assert re.findall(r'value="([a-z_:]+)"\s+checked', shown) == ["conversations:view", "contacts:read"]
    assert re.search(r'value="live"[^>]*checked', shown)
    page.post("/environment/", {"environment": "test"})
    assert re.search(r'value="test"[^>]*checked', text_of(page.get(NEW)))


def test_scopes_that_nothing_asks_for_are_told(page: Client) -> None:
    told = re.findall(
        r'<code class="quiet">([a-z_:]+)</code>\s*<small class="quiet">nothing asks', text_of(page.get(NEW))
    )
    assert sorted(told) == ["conversations:send_message", "leads:start_conversation"]


def test_who_comes_from_the_first_steps_gets_a_key_that_can_record(page: Client, ina: User) -> None:
    path = f"{NEW}?for=recording"
    ticked = re.findall(r'value="([a-z_:]+)"\s+checked', text_of(page.get(path)))
    assert ticked == ["conversations:view", "conversations:edit", "contacts:read"]
    assert "conversations:edit" not in re.findall(r'value="([a-z_:]+)"', text_of(client_of(ina).get(path)))


@pytest.mark.parametrize(("expiry", "days"), [("30", 30), ("90", 90), ("365", 365)])
def test_expiry_presets(page: Client, acme: Account, expiry: str, days: int) -> None:
    page.post(NEW, form(expiry=expiry))
    expires_at = acme.api_keys.get().expires_at
    assert expires_at
    assert abs(expires_at - now() - timedelta(days=days)) < timedelta(minutes=1)


def test_an_own_date_lasts_to_the_end_of_that_day_where_the_person_is(page: Client, acme: Account, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(time_zone="America/Sao_Paulo")
    day = datetime(now().year + 1, 3, 12, tzinfo=ZoneInfo("America/Sao_Paulo"))
    page.post(NEW, form(expiry="date", expires_on=f"{day:%Y-%m-%d}"))
    assert acme.api_keys.get().expires_at == day + timedelta(days=1)


def test_renaming_is_audited(page: Client, acme: Account, alice: User, key: ApiKey) -> None:
    path = f"{PAGE}{key.pk}/rename/"
    assert "Give it a name" in text_of(page.post(path, {"name": " "}), 400)
    assert page.post(path, {"name": "CRM sync"})["Location"] == f"{PAGE}#key-{key.pk}"
    page.post(path, {"name": "CRM sync"})
    [entry] = entries(acme, "api_key.renamed")
    assert (entry.actor_id, entry.resource_id, entry.environment) == (alice.pk, key.pk, "live")
    assert entry.metadata == {"name": "CRM sync", "key": key.masked, "before": "Zapier"}
    key.refresh_from_db()
    assert key.name == "CRM sync"
    with pytest.raises(ValidationError):
        key.rename("x" * 101, by=alice)


def test_a_dead_key_can_be_deleted(page: Client, acme: Account, key: ApiKey) -> None:
    key.revoke(by=None)
    assert "leaves the list" in text_of(page.get(f"{PAGE}{key.pk}/delete/"))
    assert page.post(f"{PAGE}{key.pk}/delete/")["Location"] == PAGE
    assert not acme.api_keys.exists()
    assert entries(acme, "api_key.deleted")


def test_the_list_shows_keys_of_both_environments_the_looked_at_first(page: Client, acme: Account) -> None:
    for environment in Environment:
        issue(acme, environment=environment)
    headings = re.compile(r'<h2 id="(live|test)"')
    assert headings.findall(text_of(page.get(PAGE))) == ["live", "test"]
    page.post("/environment/", {"environment": "test"})
    assert headings.findall(text_of(page.get(PAGE))) == ["test", "live"]


def test_without_keys_the_page_says_what_to_do(page: Client) -> None:
    shown = text_of(page.get(PAGE))
    assert "No API keys yet" in shown
    assert NEW in shown


def test_the_list_tells_what_to_look_at(
    page: Client, acme: Account, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, moment = timedelta(days=1), now()
    monkeypatch.setattr("accounts.key_rows.now", lambda: moment)  # at midnight it would be a day less
    change(issue(acme, name="Forgotten"), created_at=moment - 61 * day)
    change(issue(acme, name="Resting"), last_used_at=moment - 75 * day, last_used_ip="203.0.113.7")
    change(issue(acme, name="New"), created_at=moment - 59 * day)
    change(issue(acme, name="Ending"), expires_at=moment + 5 * day)
    revoked = issue(acme, name="Gone", by=alice)
    revoked.revoke(by=alice)
    issue(acme, name="Turned", by=alice).rotate(by=None)
    rows = dict(re.findall(r'api-key__name">\s*<bdi>(\w+)</bdi>(.*?)</tr>', text_of(page.get(PAGE)), re.DOTALL))
    assert "unused for 61 days" in rows["Forgotten"]
    assert "not for 75 days" in rows["Resting"]
    assert "203.0.113.7" in rows["Resting"]
    assert "unused" not in rows["New"]
    assert "expires in 5 days" in rows["Ending"]
    assert "Revoked by <bdi>Alice</bdi>" in rows["Gone"]
    assert f"{PAGE}{revoked.pk}/delete/" in rows["Gone"]
    assert f"{PAGE}{revoked.pk}/rotate/" not in rows["Gone"]
    assert "Replaced by <bdi>System</bdi>" in rows["Turned"]


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        (["conversations:view"], "Read"),
        (["conversations:edit", "conversations:view"], "Read + write"),
        (["conversations:view", "conversations:edit", "conversations:change_status"], "Read + write"),
        (["conversations:view", "conversations:edit", "audit:view"], "3 scopes"),
        (["conversations:edit"], "Record and edit conversations"),
        (["audit:view", "team:view"], "2 scopes"),
        (list(Scope.values), "Everything"),
    ],
)
def test_access_in_words(scopes: list[str], words: str) -> None:
    assert access_of(scopes) == words


def test_hostile_names_stay_text(page: Client, acme: Account) -> None:
    key = issue(acme, name=EVIL)
    change(key, last_used_at=now())
    paths = [PAGE, *(f"{PAGE}{key.pk}/{verb}/" for verb in VERBS), "/settings/audit/"]
    shown = [text_of(page.get(path)) for path in paths]
    shown.append(text_of(page.post(NEW, form(name=EVIL))))
    for html in shown:
        assert "<img src=x" not in html
        assert "onerror=alert(1)&gt;" in html
        assert "49" not in re.findall(r"alert\(1\)&gt;&quot;&#x27;(\S*)", html)


@pytest.mark.parametrize("number", [1, 12])
def test_the_list_takes_the_same_statements_however_many_keys(page: Client, acme: Account, number: int) -> None:
    for one in range(number):
        issue(acme).revoke(by=None) if one % 2 else issue(acme)
    with statements(5):  # session, person, membership; keys, their history
        page.get(PAGE)


def test_only_who_may_is_led_there(page: Client, ina: User, bob: User) -> None:
    menu = 'class="menu__item"\n                       href="{}"'
    for person, sees in ((None, True), (ina, True), (bob, False)):
        shown = text_of((client_of(person) if person else page).get("/settings/preferences/"))
        for path in (PAGE, "/settings/audit/"):
            assert (menu.format(path) in shown) == sees
    assert f'href="{NEW}?for=recording"' in text_of(page.get("/conversations/"))
    assert NEW not in text_of(client_of(bob).get("/conversations/"))


@pytest.mark.parametrize(
    ("scopes", "call"),
    [
        (["conversations:view", "audit:view"], "/api/conversations?limit=1"),
        (["audit:view"], "/api/audit-logs?limit=1"),
        (["dashboard:view"], "/api/analytics/overview"),
        (["conversations:send_message"], ""),
    ],
)
def test_what_a_new_key_can_try_is_what_it_may_ask(page: Client, scopes: list[str], call: str) -> None:
    shown = page.post(NEW, form(scopes=scopes)).context
    assert shown["call"].removeprefix("http://testserver") == call


def test_each_key_stands_under_its_environment(page: Client, acme: Account) -> None:
    keys = {environment: issue(acme, environment=environment) for environment in ("live", "test")}
    groups = page.get(PAGE).context["groups"]
    assert {group["value"]: [row.key for row in group["rows"]] for group in groups} == {
        environment: [key] for environment, key in keys.items()
    }
