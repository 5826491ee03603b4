"""Every page, as every role, at every width, in both themes: sound, and offering nothing that would be refused."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import resolve

from accounts.models import User
from accounts.scopes import ROLE_SCOPES, Role, Scope
from tests.browser.conftest import SCHEMES, WIDTHS, Browser
from tests.browser.pages import NO_PAGES, OPEN_PAGES, PAGES, World, may_see
from tests.config.test_conventions import routes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Browse = Callable[..., Browser]
OFFERED = """[...document.querySelectorAll("a[href], form:not([method=dialog]), [formaction]")]
  .map((one) => ["formaction", "href", "action"].map((name) => one.getAttribute(name)).find((address) => address) ?? "")
  .filter((address) => !address.startsWith("#"))
  .map((address) => new URL(address, location).href)
  .filter((address) => address.startsWith(location.origin))"""
CHANGES = {
    "list": ("#bulk", Scope.CONVERSATIONS_CHANGE_STATUS),
    "transcript": (".acts", Scope.CONVERSATIONS_CHANGE_STATUS),
    "transcript-found": ("#write", Scope.CONVERSATIONS_EDIT),
    "keys": (".api-key__more", Scope.API_KEYS_MANAGE),
    "people": (".person__more form", Scope.TEAM_MANAGE),
    "names": (".names__change", Scope.CONVERSATIONS_EDIT),
}
"""Page → what it has for those alone who hold a scope."""


EVERY_LOOK = [(width, scheme) for width in WIDTHS for scheme in SCHEMES]
SOME_LOOKS = [(390, "dark"), (768, "light"), (1440, "dark")]  # where only what is offered differs


def check(browser: Browser, name: str, looks: list[tuple[int, str]] = EVERY_LOOK) -> None:
    """What holds of every page, whoever looks."""
    page = browser.page
    page.wait_for_load_state()
    assert page.locator("h1").count() == 1, name
    assert page.locator("h1").inner_text().strip(), name
    moved = browser.shifted()
    assert sum(value for value, _ in moved) < 0.01, (name, moved)
    for width, scheme in looks:
        browser.shape(width, scheme)
        assert browser.look() == (False, scheme == "dark"), (name, width, scheme)
    assert browser.violations() == [], name
    assert browser.faults == [], name


def refused(role: str, addresses: list[str]) -> set[str]:
    """Those of a page's own links and forms that the role may not use."""
    scopes: list[tuple[str, Any]] = [
        (path, getattr(resolve(path).func, "scope", None)) for path in {urlsplit(one).path for one in addresses}
    ]
    return {path for path, scope in scopes if scope and scope not in ROLE_SCOPES[role]}


def test_every_route_is_a_page_of_the_matrix_or_said_to_be_none() -> None:
    known = {page.route for page in (*PAGES, *OPEN_PAGES)} | NO_PAGES.keys()
    found = {path for path, _ in routes() if path == "api/docs" or not path.startswith(("api/", "admin/"))}
    assert found == known


@pytest.mark.parametrize("role", list(map(str, Role)))
def test_every_page_is_sound_for_every_role(world: World, browse: Browse, role: str) -> None:
    browser = browse(world.people[role], viewport={"width": 1440, "height": 900})
    for one in PAGES:
        browser.look_at(one.environment)
        browser.shape(1440, "light")
        page = browser.open(world.path(one))
        assert browser.status == (one.status if may_see(role, one) else 403), one.name
        check(browser, one.name, EVERY_LOOK if role == Role.OWNER else SOME_LOOKS)
        assert refused(role, page.evaluate(OFFERED)) == set(), one.name
        if one.name in CHANGES and may_see(role, one):
            part, scope = CHANGES[one.name]
            assert bool(page.locator(part).count()) == (scope in ROLE_SCOPES[role]), one.name
        if not may_see(role, one):
            assert page.locator("h1").inner_text() == "You may not see this"
            assert page.locator(".notice-page__code").inner_text() == "403"


def test_open_pages_are_sound_for_whoever_is_not_signed_in(alice: User, browse: Browse, settings: Any) -> None:
    browser = browse(viewport={"width": 1440, "height": 900})
    for one in OPEN_PAGES:
        settings.DEBUG = one.name == "design"
        browser.shape(1440, "light")
        page = browser.open(one.path)
        assert browser.status == one.status
        if one.name == "docs":
            continue  # Swagger UI takes seconds; test_docs.py opens it
        check(browser, one.name)
        assert page.locator("body > .header :is(.header__nav, .menu__who)").count() == 0


def test_a_page_for_nobody_leads_to_the_sign_in_and_says_no_more(world: World, browse: Browse) -> None:
    browser = browse()
    for one in PAGES:
        page = browser.open(world.path(one))
        assert urlsplit(page.url).path == "/login/", one.name
        assert "ana@example.com" not in page.content()
