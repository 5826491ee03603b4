"""axe-core finds nothing on any page, in both themes, on a phone and on a desk; menus and dialogs open too."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from accounts.models import User
from tests.browser.conftest import SCHEMES, Browser
from tests.browser.pages import OPEN_PAGES, PAGES, Page, World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Browse = Callable[..., Browser]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FOUND = """async (options) => (await axe.run(options)).violations.flatMap(({ id, nodes }) =>
  nodes.map((node) => `${id}: ${node.target.join(" ")} ${node.html.slice(0, 120)} ${node.failureSummary}`))"""
OPEN_ALL = """() => {
  for (const one of document.querySelectorAll("main details:not([name])")) one.open = true;
  document.querySelector(".act")?.setAttribute("open", "");
  document.querySelector(".row__check")?.click();
}"""
FEWER = """() => {
  for (const row of [...document.querySelectorAll(".row")].slice(6)) row.remove();
  for (const run of [...document.querySelectorAll(".run")].slice(8)) run.remove();
}"""  # what repeats is looked at a few times, not hundreds
OPEN_DIALOG = "() => document.getElementById('shortcuts').showModal()"


def found(page: Any) -> list[str]:
    """What axe has to say; ``evaluate`` reaches past the policy, which stays as it is."""
    page.evaluate(f"() => {{ if (!window.axe) {{ {AXE_SCRIPT} }} }}")
    violations: list[str] = page.evaluate(FOUND, {"runOnly": TAGS, "resultTypes": ["violations"]})
    return violations


def faults(browser: Browser, one: Page) -> list[str]:
    browser.page.evaluate(FEWER)
    said = []
    for width in (1440, 390):
        for scheme in SCHEMES:
            browser.shape(width, scheme)
            said += [f"{one.name}, {width}, {scheme}: {fault}" for fault in found(browser.page)]
    return said


@pytest.mark.parametrize("part", [0, 1])
def test_axe_finds_nothing(world: World, browse: Browse, part: int) -> None:
    browser = browse(world.people["owner"])
    said = []
    for one in PAGES[part::2]:
        browser.look_at(one.environment)
        browser.open(world.path(one))
        said += faults(browser, one)
    assert said == []


def test_axe_finds_nothing_where_nobody_is_signed_in(alice: User, browse: Browse, settings: Any) -> None:
    browser = browse()
    said = []
    for one in OPEN_PAGES:
        settings.DEBUG = one.name == "design"
        if one.name != "docs":  # what Swagger UI draws there is not ours
            browser.open(one.path)
            said += faults(browser, one)
    assert said == []


def test_axe_finds_nothing_in_what_opens(world: World, browse: Browse) -> None:
    browser = browse(world.people["owner"])
    said = []
    for one in PAGES:
        if one.name in ("list", "transcript-found"):
            browser.open(world.path(one))
            browser.page.evaluate(OPEN_ALL)
            said += faults(browser, one)
    browser.page.evaluate(OPEN_DIALOG)
    assert [*said, *faults(browser, one)] == []


def test_axe_finds_nothing_for_who_may_only_read_or_is_refused(world: World, browse: Browse) -> None:
    [one] = [page for page in PAGES if page.name == "names"]
    said = []
    for role in ("analyst", "integrator"):
        browser = browse(world.people[role])
        browser.open(world.path(one))
        said += faults(browser, one)
    assert said == []
