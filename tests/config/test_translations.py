"""Every text of the product can be translated, and is; what is compiled is what was written."""

import ast
import gettext
import re
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType

from tests.config.translations import PYTHON, ROOT, TEMPLATES, Entry, catalogue, in_python, in_templates

OTHERS = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]

PLACEHOLDER = re.compile(r"%\([a-z_]+\)s|%s|%%|\{[a-z_]*\}|</?[a-z]+[^>]*>")

NOT_TRANSLATED = ("components/icons.html",)
"""Drawings."""

NAMES = {
    "Parley",
    "CSV",
    "Enter",
    "no",
    "WhatsApp",
    "Telegram",
    "Nora",
    "Ana Lima",
    "Maria",
    "Maria Costa",
    "maria@example.com",
}
"""Words that are the same in every language, or no words."""

SILENT = ("code", "pre", "kbd", "script", "style", "svg")
"""Elements whose text nobody translates: code, keys, drawings."""

CLASSES = {"main_class", "body_class"}
"""Blocks that hold names of classes."""


# The catalogues


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_stands_in_the_catalogue_and_no_other(language: str) -> None:
    """``make messages`` brings it up to date."""
    known = {entry.key for entry in catalogue(language)}
    asked = {key for _, key in (*in_python(), *in_templates())}
    assert asked - known == set(), "not in the catalogue"
    assert known - asked == set(), "no longer in the source"
    assert len(known) > 700


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated(language: str) -> None:
    entries = catalogue(language)
    assert [entry.key for entry in entries if entry.is_fuzzy or not all(entry.translations)] == []
    assert max(Counter(entry.key for entry in entries).values()) == 1


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_placeholders_and_the_markup_of_their_text(language: str) -> None:
    wrong = [entry.key for entry in catalogue(language) if not _fits(entry)]
    assert wrong == []


def _fits(entry: Entry) -> bool:
    _, text, plural = entry.key
    asked = Counter(PLACEHOLDER.findall(plural or text))
    # Where it is one, a text may leave the number out.
    alone = [asked, Counter(PLACEHOLDER.findall(text))]
    first, *rest = [Counter(PLACEHOLDER.findall(said)) for said in entry.translations]
    return first in alone and all(one == asked for one in rest) and _edges(text) == _edges(entry.translations[0])


def _edges(text: str) -> tuple[bool, bool]:
    return text[:1].isspace(), text[-1:].isspace()


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_catalogue_is_the_written_one(language: str) -> None:
    with (ROOT / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for entry in catalogue(language):
        context, text, plural = entry.key
        if plural:
            said = tuple(
                compiled.npgettext(context, text, plural, number)
                if context
                else compiled.ngettext(text, plural, number)
                for number in (1, 2)
            )
        else:
            said = (compiled.pgettext(context, text) if context else compiled.gettext(text),)
        assert said == entry.translations, entry.key


# The source


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=str(path.relative_to(ROOT / "templates"))) for path in TEMPLATES]
)
def test_a_template_holds_no_text_that_is_not_translated(path: Path) -> None:
    if not str(path.relative_to(ROOT / "templates")).startswith(NOT_TRANSLATED):
        assert list(_bare_texts(path.read_text())) == []


def test_a_bare_text_of_a_template_would_be_seen() -> None:
    assert list(_bare_texts("<p>Hello {{ name }}</p>")) == ["Hello"]
    assert list(_bare_texts('<a title="Go there"><code>curl x</code></a>')) == ["Go there"]
    assert list(_bare_texts('{% translate "Go" %} <b>{% blocktranslate %}Stay{% endblocktranslate %}</b> · 12')) == []
    assert list(_bare_texts('{% include "x.html" with label="Copy id" %}')) == ["Copy id"]


def _bare_texts(source: str) -> list[str]:
    html, is_translated, block, faults = "", False, "", []
    for token in Lexer(source).tokenize():
        if token.token_type == TokenType.TEXT:
            html += "" if is_translated or block in CLASSES else token.contents
            continue
        html += "\x00"
        if token.token_type != TokenType.BLOCK:
            continue
        name, *rest = token.contents.split(None, 1)
        is_translated = name == "blocktranslate" or (is_translated and name != "endblocktranslate")
        block = rest[0] if name == "block" and rest else "" if name == "endblock" else block
        if name == "include" and rest:
            faults += re.findall(r'\b(?:label|caption|head|what|help|outcome|way_out)="([^"]+)"', rest[0])
    for element in SILENT:
        html = re.sub(rf"<{element}\b.*?</{element}>", "", html, flags=re.DOTALL)
    faults += re.findall(r'\s(?:title|aria-label|placeholder|alt)="([^"]*)"', html)
    faults += re.split(r"[\x00\s]*(?:<[^>]*>|\x00)[\x00\s]*", re.sub(r"<!--.*?-->|<!DOCTYPE[^>]*>", "", html))
    stripped = (fault.replace("\x00", "").strip(" \n·–:;,.()“”…-/") for fault in faults)
    return [fault for fault in stripped if re.search(r"[^\W\d_]{2}", fault) and fault not in NAMES]


def test_what_people_are_told_and_choose_is_translated() -> None:
    faults = []
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _is_message(node) and _is_bare(node.args[1]):
                faults.append((path.name, ast.unparse(node)))
            if isinstance(node, ast.ClassDef) and _is_vocabulary(node):
                labels = [one.value.elts[1] for one in node.body if _is_choice(one)]  # type: ignore[attr-defined]
                faults += [(path.name, ast.unparse(label)) for label in labels if _is_bare(label)]
    assert [fault for fault in faults if fault[1] not in ("'WhatsApp'", "'Telegram'")] == []


def _is_vocabulary(node: ast.ClassDef) -> bool:
    is_the_apis = node.name == "Outcome"
    return not is_the_apis and any("TextChoices" in ast.unparse(base) for base in node.bases)


def _is_message(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    return name in {f"messages.{level}" for level in ("success", "info", "warning", "error")} and len(call.args) > 1


def _is_choice(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2


def _is_bare(node: ast.expr) -> bool:
    """A string as it stands, or one that is put together of words."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.Constant) and re.search(r"[a-z]{2}", str(part.value)) for part in node.values)
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_scripts_write_no_text_of_their_own() -> None:
    for path in (ROOT / "static").glob("*.js"):
        assert not re.search(r"(textContent|title|ariaLabel) = [^;]*[\"'`][A-Z][a-z]", path.read_text()), path
