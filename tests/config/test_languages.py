"""In which language a page is written, and that the API keeps to English."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Account, User
from tests.conftest import Api, client_of

PREFERENCES = "/settings/preferences/"
CHOICE = {"clock": "24", "density": "compact"}
SPANISH = {"Accept-Language": "es-AR,es;q=0.9,en;q=0.5"}


def language_of(text: str) -> str:
    return text.partition('<html lang="')[2].partition('"')[0]


def said(response: Any) -> str:
    return language_of(response.content.decode())


# Refusals


@pytest.mark.parametrize("language", ["tlh", "xx-" * 900, "../en", 'es" onload="', "EN", ""])
def test_the_switch_takes_no_language_that_is_not_offered(db: None, client: Client, language: str) -> None:
    response = client.post("/settings/language/", {"language": language})
    assert (response.status_code, response.cookies.keys()) == (302, set())


@pytest.mark.parametrize("language", ["tlh", "x" * 5_000, 'es" onload="'])
def test_preferences_take_no_language_that_is_not_offered(page: Client, alice: User, language: str) -> None:
    response = page.post(PREFERENCES, {**CHOICE, "language": language})
    assert (response.status_code, response.context["form"].errors.keys()) == (400, {"language"})
    alice.refresh_from_db()
    assert alice.language == ""


def test_the_switch_is_no_link_and_leads_nowhere_else(db: None, client: Client) -> None:
    assert client.get("/settings/language/").status_code == 405
    response = client.post("/settings/language/", {"language": "es", "next": "https://evil.example/"})
    assert response["Location"] == "/conversations/"


def test_the_switch_is_nobody_elses_to_send(db: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/settings/language/", {"language": "es"}).status_code == 403


@pytest.mark.parametrize("header", ["*", "tlh", "", ";;;q=", "es" * 5_000, "xx-es, fr;q=0.2"])
def test_a_language_that_nobody_speaks_here_is_english(page: Client, header: str) -> None:
    assert said(page.get(PREFERENCES, headers={"Accept-Language": header})) == "en"


def test_a_language_that_is_no_more_is_the_browsers(page: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(language="tlh")
    assert said(page.get(PREFERENCES, headers=SPANISH)) == "es"


# Who decides


def test_the_preference_comes_first_then_the_switch_then_the_browser(page: Client, alice: User) -> None:
    assert said(page.get(PREFERENCES, headers=SPANISH)) == "es"
    page.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert said(page.get(PREFERENCES, headers=SPANISH)) == "en"
    User.objects.filter(pk=alice.pk).update(language="es")
    assert said(page.get(PREFERENCES)) == "es"


def test_somebody_who_is_not_signed_in_has_a_switch(acme: Account, client: Client) -> None:
    page = client.get("/login/?next=/analytics/")
    assert page.content.decode().count('name="language"') == len(settings.LANGUAGES)
    response = client.post("/settings/language/", {"language": "es", "next": "/login/?next=/analytics/"})
    assert response["Location"] == "/login/?next=/analytics/"
    assert said(client.get("/login/")) == "es"
    assert re.findall(r"name=.language.*?>(.*?)</button>", client.get("/login/").content.decode(), re.DOTALL) == [
        "English",
        "Español",
    ]
    client.post("/settings/language/", {"language": "en"})
    assert said(client.get("/login/", headers=SPANISH)) == "en"


def test_somebody_without_an_account_has_the_switch_and_keeps_the_choice(db: None) -> None:
    stranger = User.objects.create_user("stranger@example.com")
    client_of(stranger).post("/settings/language/", {"language": "es"})
    stranger.refresh_from_db()
    assert stranger.language == "es"
    response = client_of(stranger).get(PREFERENCES)
    assert (response.status_code, said(response)) == (403, "es")


def test_the_preference_is_for_the_sign_in_page_too_and_can_be_the_browsers_again(page: Client, alice: User) -> None:
    assert page.post(PREFERENCES, {**CHOICE, "language": "es"}).status_code == 302
    assert page.cookies[settings.LANGUAGE_COOKIE_NAME].value == "es"
    page.post(PREFERENCES, {**CHOICE, "language": ""})
    assert page.cookies[settings.LANGUAGE_COOKIE_NAME].value == ""
    assert said(page.get(PREFERENCES)) == "en"
    alice.refresh_from_db()
    assert alice.language == ""


def test_one_persons_language_is_not_anothers(page: Client, alice: User, bob: User) -> None:
    User.objects.filter(pk=alice.pk).update(language="es")
    for _ in range(2):
        assert said(page.get(PREFERENCES)) == "es"
        assert said(client_of(bob).get(PREFERENCES)) == "en"


def test_no_cache_mixes_languages(page: Client) -> None:
    response = page.get(PREFERENCES, headers=SPANISH)
    assert response["Content-Language"] == "es"
    assert "Accept-Language" in response["Vary"]
    assert response["Cache-Control"] == "private, no-store"


# The API


@pytest.mark.parametrize(
    "path",
    [
        "/api/conversations?status=nonsense&limit=0&createdAfter=x",
        "/api/conversations/search?query=",
        "/api/analytics?from=x",
        "/api/conversations/nonsense",
        "/api/schema",
        "/api/nothing",
        "/api/docs",
    ],
)
def test_the_api_speaks_english_to_everybody(api: Api, path: str) -> None:
    api.client.cookies[settings.LANGUAGE_COOKIE_NAME] = "es"
    english = Api(api.account).get(path)
    answer = api.get(path, headers=SPANISH)
    assert answer.status_code == english.status_code
    assert answer.getvalue() == english.getvalue()
    assert "Accept-Language" not in answer.get("Vary", "")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/conversations", {"channel": "x", "leadEmail": "x", "messages": [{}]}),
        ("POST", "/api/conversations", b"{"),
        ("POST", "/api/api-keys", {"name": "", "environment": "x", "scopes": []}),
        ("PUT", "/api/conversations", {}),
    ],
)
def test_the_api_refuses_in_english(api: Api, method: str, path: str, body: Any) -> None:
    english = Api(api.account).send(method, path, body)
    answer = api.send(method, path, body, headers=SPANISH)
    assert answer.status_code == english.status_code >= 400
    assert answer.content == english.content
