"""Every page in Spanish: no English is left on it, and it costs no more statements than in English."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, label_for_field
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.models import Account, AuditEvent, IdempotentRequest, User
from conversations.models import BulkChange, Conversation
from tests.accounts.test_admin import olga
from tests.browser.pages import OPEN_PAGES, PAGES, Page, World, make_world
from tests.config.translations import catalogue
from tests.conftest import client_of

__all__ = ["olga"]

pytestmark = [
    pytest.mark.skipif(settings.STORE.name != "sqlite", reason="what a page says does not depend on the store"),
    pytest.mark.django_db,
]

Record = Callable[..., Conversation]
SHORTEST = 12
"""Characters of a text from which it is not found by chance."""

ENGLISH = [page for page in OPEN_PAGES if page.name != "docs"]  # which speaks English to everybody
SHOWN = ("title", "aria-label", "placeholder", "alt", "data-done", "data-some", "data-all", "data-hide", "data-text")


CODE = ("code", "pre")
OURS = ("accounts", "conversations")


class Texts(HTMLParser):
    """What a page says: its texts, and the attributes that people are shown."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.is_code = False
        self.feed(html)

    def handle_data(self, data: str) -> None:
        if not self.is_code:
            self.found.append(" ".join(data.split()))

    def handle_endtag(self, tag: str) -> None:
        self.is_code = self.is_code and tag not in CODE

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_code = self.is_code or tag in CODE
        self.found += [value for name, value in attrs if name in SHOWN and value]


@pytest.fixture
def world(alice: User, bob: User, acme: Account, record: Record) -> World:
    world = make_world(alice, bob, acme, record)
    User.objects.filter(pk=alice.pk).update(language="es")
    return world


def english() -> list[str]:
    """Whole texts, and the longer pieces between placeholders and markup, that Spanish says otherwise."""
    texts = []
    for entry in catalogue("es"):
        _, text, plural = entry.key
        for one in (text, plural):
            pieces = re.split(r"%\([a-z_]+\)s|%s|%%|\{[a-z_]*\}|<[^>]*>", one)
            texts += [piece.strip() for piece in pieces if len(piece.strip()) >= SHORTEST]
    spanish = "\n".join(said for entry in catalogue("es") for said in entry.translations)
    return [text for text in texts if text not in spanish]


def test_no_english_is_left_on_any_page(world: World, alice: User, client: Client, settings: Any) -> None:
    given = {person.name for person in world.people.values()} | {view.name for view in world.account.saved_views.all()}
    looked_for = set(english()) - given
    assert len(looked_for) > 300
    left: dict[str, set[str]] = {}
    pages = [(client_of(alice), page) for page in PAGES] + [(client, page) for page in ENGLISH]
    for browser, page in pages:
        _look_at(browser, page)
        settings.DEBUG = page.name == "design"  # which only developers see
        response = browser.get(world.path(page), headers={"Accept-Language": "es"})
        html = response.content.decode()
        assert (response.status_code, '<html lang="es"' in html) == (page.status, True), page.name
        said = "\n".join(Texts(html).found)
        if found := {text for text in looked_for if text in said}:
            left[page.name] = found
    assert left == {}


SAME = {"id", "roles", "lead"}
"""Fields whose label is no word, or the same one."""


@pytest.mark.parametrize("model", [model for model in admin.site._registry if model._meta.app_label in OURS])
def test_labels_of_the_admin_are_spanish(model: type[Model], rf: RequestFactory, olga: User) -> None:
    said: list[dict[str, str]] = []
    shown = admin.site._registry[model]
    request = rf.get("/")
    request.user = olga
    for language in ("en", "es"):
        with translation.override(language):
            fields = {*shown.list_display, *flatten_fieldsets(shown.get_fieldsets(request, model()))}
            form = shown.get_form(request)().fields if shown.has_add_permission(request) else {}
            labels: dict[str, Any] = {name: field.label for name, field in form.items() if field.label}
            labels |= {name: label_for_field(name, model, shown) for name in fields if name not in labels}
            labels |= dict(_actions(shown, request))
            labels |= {"one": model._meta.verbose_name, "many": model._meta.verbose_name_plural}
            said.append({name: str(label) for name, label in labels.items()})
    english, spanish = said
    assert len(english) > 5
    assert {name: label for name, label in spanish.items() if label == english[name] and name not in SAME} == {}


def _actions(shown: Any, request: Any) -> list[tuple[str, str]]:
    return [(name, told) for name, (_, _, told) in shown.get_actions(request).items()]


def test_no_english_is_left_in_the_admin(world: World, olga: User, client: Client) -> None:
    """Each list, each form and each question, with an entry of everything in it."""
    client.force_login(olga)
    IdempotentRequest.objects.claim(world.account.api_keys.all()[0], "once", "same")
    given = {person.name for person in world.people.values()} | {view.name for view in world.account.saved_views.all()}
    looked_for = set(english()) - given - {"conversation.", "conversations."}  # the names of events begin so
    paths = ["/admin/", "/admin/health/", "/admin/accounts/", "/admin/conversations/"]
    for model, shown in admin.site._registry.items():
        here = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        request = client.get(here, headers={"Accept-Language": "es"}).wsgi_request
        row = model._default_manager.first()
        assert row is not None, here
        paths += [here, f"{here}?account={world.account.pk}", f"{here}?q=xyz", f"{here}{row.pk}/change/"]
        paths += [f"{here}{row.pk}/history/"]
        paths += [f"{here}add/"] if shown.has_add_permission(request) else []
        paths += [f"{here}{row.pk}/delete/"] if shown.has_delete_permission(request, row) else []
    left = {}
    for path in paths:
        response = client.get(path, headers={"Accept-Language": "es"}, follow=True)
        html = response.content.decode()
        assert (response.status_code, 'lang="es"' in html) == (200, True), path
        said = "\n".join(Texts(html).found)
        if found := {text for text in looked_for if text in said}:
            left[path] = found
    assert left == {}
    assert len(paths) > 45


def _look_at(browser: Client, page: Page) -> None:
    if page.environment == "test":
        browser.post("/environment/", {"environment": "test"})
    elif browser.session.get("environment") == "test":
        browser.post("/environment/", {"environment": "live"})


def test_a_language_costs_no_statement(world: World, alice: User) -> None:
    paths = ("/conversations/", f"/conversations/{world.ids['ana']}/", "/analytics/", "/settings/audit/")
    counts = {}
    for language in ("es", "en"):
        User.objects.filter(pk=alice.pk).update(language=language)
        browser = client_of(alice)
        browser.get(paths[1])  # read: reading it again writes nothing
        for path in paths:
            with CaptureQueriesContext(connection) as captured:
                assert browser.get(path).status_code == 200
            counts[language, path] = len(captured)
    assert {path: counts["es", path] for path in paths} == {path: counts["en", path] for path in paths}


def test_numbers_dates_and_lengths_are_those_of_the_language(world: World, alice: User, record: Record) -> None:
    thousand = record(
        leadEmail="thousand@example.com",
        createdAt="2026-01-12T14:02:11Z",
        messages=[{"role": "lead", "content": "Hola", "timestamp": "2026-03-12T14:02:11.000Z"}] * 1_234,
    )
    browser = client_of(alice)
    html = browser.get(f"/conversations/{thousand.pk}/").content.decode()
    assert "Mensajes 735–1.234 de 1.234" in html
    assert "jueves, 12 de marzo de 2026" in html
    assert 'title="jue, 12 de marzo de 2026, 14:02:11 UTC"' in html
    assert "1.234 mensajes" in browser.get("/conversations/?search=thousand").content.decode()
    User.objects.filter(pk=alice.pk).update(clock="12")
    assert ">2:02 p. m.<" in browser.get(f"/conversations/{thousand.pk}/").content.decode()
    User.objects.filter(pk=alice.pk).update(language="en")
    html = browser.get(f"/conversations/{thousand.pk}/").content.decode()
    assert "Messages 735–1,234 of 1,234" in html
    assert "Thursday 12 March 2026" in html


def test_what_one_is_and_what_many_are(world: World, alice: User) -> None:
    text = client_of(alice).get("/conversations/?status=active").content.decode()
    assert ">Activas" in re.sub(r"\s+", "", text)
    assert re.search(r"pill--active\">.*?Activa\s*</span>", text, re.DOTALL)


def test_one_of_a_kind_is_said_in_the_singular(page: Client, acme: Account, alice: User, record: Record) -> None:
    for status in ("active", "dropped"):
        record(status=status, createdAt=None)
    User.objects.filter(pk=alice.pk).update(language="es")
    tiles = [re.sub(r"<[^>]*>", "", str(tile.detail)) for tile in page.get("/analytics/").context["report"].tiles]
    assert tiles[0] == "1 activa, 1 finalizada"
    assert tiles[1] == "0 de 1 finalizada"
    assert tiles[-1].endswith("de 1 perdida")


def test_the_audit_log_tells_in_sentences_who_signed_in_and_what_was_undone(
    acme: Account, alice: User, page: Client, record: Record
) -> None:
    conversation = record()
    page.post("/conversations/bulk/", {"id": conversation.pk, "to": "dropped", "expected": 1})
    page.post(f"/conversations/bulk/{BulkChange.objects.get().pk}/undo/")
    AuditEvent.objects.log("user.signed_in", account=acme, by=alice, resource=alice)
    User.objects.filter(pk=alice.pk).update(language="es")
    text = " ".join("\n".join(Texts(page.get("/settings/audit/").content.decode()).found).split())
    assert "Alice inició sesión" in text
    assert "de perdida a activa : “ Deshecho ”" in text
    transcript = page.get(f"/conversations/{conversation.pk}/").content.decode()
    assert "“<bdi>Deshecho</bdi>”" in transcript


def test_drawings_keep_their_points(world: World, alice: User) -> None:
    html = client_of(alice).get("/analytics/?range=90d").content.decode()
    places = re.findall(r'\b(?:width|height|x|y|cx)="([^"]*%)"', html)
    assert len(places) > 20
    assert not [place for place in places if not re.fullmatch(r"[0-9]+(\.[0-9]+)?%", place)]


def test_files_that_programs_read_are_the_same_in_every_language(world: World, alice: User) -> None:
    paths = [
        "/conversations/export/?format=csv",
        "/settings/audit/export/?format=csv&to=2026-01-01",
        *(f"/analytics/?csv={sheet}" for sheet in ("figures", "funnel", "days", "channels", "agents", "stops")),
        "/analytics/last-words/?csv=last-words",
    ]
    files = {}
    for language in ("es", "en"):
        User.objects.filter(pk=alice.pk).update(language=language)
        browser = client_of(alice)
        files[language] = [browser.get(path).getvalue() for path in paths]
    assert files["es"] == files["en"]
    assert b"conversations" in files["es"][2]


def test_nothing_in_another_language_is_stored(world: World, alice: User, acme: Account) -> None:
    browser = client_of(alice)
    browser.post(f"/conversations/{world.ids['silent']}/status/", {"status": "dropped", "shown": "active"})
    browser.post(f"/settings/api-keys/{world.ids['key']}/rename/", {"name": "Sync"})
    entries = list(acme.audit_events.order_by("-timestamp", "-id")[:2])
    assert {entry.action for entry in entries} == {"conversation.status_changed", "api_key.renamed"}
    stored = " ".join(f"{entry.metadata} {entry.resource_type}" for entry in entries)
    assert "dropped" in stored
    assert "perdida" not in stored.lower()


def test_a_transcript_as_text_is_in_the_readers_language(world: World, alice: User) -> None:
    text = client_of(alice).get(f"/conversations/{world.ids['ana']}/text/").content.decode()
    assert "Correo: ana@example.com" in text
    assert "Estado: Derivada" in text
    assert re.search(r"^== jueves, 1 de enero de 2026 ==$", text, re.MULTILINE)


def test_what_is_polled_is_in_the_readers_language(world: World, alice: User) -> None:
    path = "/conversations/new/?since=2026-01-01T00:00:00Z"
    browser = client_of(alice)
    spanish = browser.get(path)
    assert spanish.json()["text"].endswith("conversaciones nuevas o cambiadas")
    User.objects.filter(pk=alice.pk).update(language="en")
    english = browser.get(path, headers={"If-None-Match": spanish["ETag"]})
    assert english.json()["text"].endswith("new or changed conversations")
