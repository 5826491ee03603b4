"""The page that shows the stylesheet: while developing only, and in step with it."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from config.design import COLOURS, SECTIONS

CSS = (settings.BASE_DIR / "static" / "parley.css").read_text()
NAMES = [name for names in COLOURS.values() for name in names]


def test_it_does_not_exist_in_production(db: None, client: Client) -> None:
    assert not settings.DEBUG
    assert client.get("/design/").status_code == 404


@pytest.fixture
def design(db: None, client: Client, settings: Any) -> str:
    settings.DEBUG = True
    response = client.get("/design/")
    assert response.status_code == 200
    return str(response.content.decode())


def test_it_is_open_while_developing_and_read_only(design: str, client: Client) -> None:
    assert "<h1>Design</h1>" in design
    assert client.post("/design/").status_code == 405


def test_everything_is_shown_in_both_themes(design: str) -> None:
    for theme in ("light", "dark"):
        assert design.count(f'class="specimen" data-theme="{theme}"') == len(SECTIONS) + 1
    for shown in (
        "button button--primary", "icon-button", "select__field", "pill--active", "pill--handed_off",
        "pill--completed", "pill--dropped", "#i-whatsapp", "#i-telegram", "#i-email", "qualified--yes",
        "qualified--no", "Not decided yet", "chip", "tabs__tab", "row__found", "alert", "notice",
        "row--unread", "toggle", "link-button", "note__text", "empty", "test-band", "run--lead", "run--ours",
        "run--human", "run--middle", "event--stage", "copy", "code", "menu__panel", "pager",
    ):  # fmt: skip
        assert design.count(shown) >= 2, shown


def test_messages_have_no_white_space_around_them(design: str) -> None:
    """It would be shown, as a lead's own is."""
    said = re.findall(r'class="(?:message|note)__text">(.*?)</div>', design, re.DOTALL)
    assert "What is the <mark>price</mark>?" in said
    assert said == [text.strip() for text in said]


def test_swatches_are_the_colours_of_the_stylesheet(design: str) -> None:
    tokens = re.findall(r"^  --([a-z-]+): (?:light-dark\(#|#)", CSS, re.MULTILINE)
    assert sorted(tokens) == sorted(NAMES)
    for name in NAMES:
        assert f"swatch--{name}" in design
        assert f".swatch--{name} {{ background: var(--{name}); }}" in CSS
