"""What there is to translate, as it stands in the source, and what the catalogues say; without gettext's programs."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation.template import templatize

ROOT: Path = settings.BASE_DIR
ROOMS = ("config", "accounts", "conversations")
PYTHON = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")) if "migrations" not in path.parts]
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt"))

Key = tuple[str, str, str]
"""Context, text, and its plural; empty for none."""

CALLS = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}
"""Function → at which place its context, its text and its plural stand."""

CALL = re.compile(r"""(?<!\w)(?:_|n?p?gettext)\((?:[^()'"]|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")*\)""")
"""A call of one of them, in what Django makes of a template."""


@dataclass(frozen=True)
class Entry:
    key: Key
    translations: tuple[str, ...]
    is_fuzzy: bool


def in_python() -> Iterator[tuple[Path, Key]]:
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and (key := _key_of(node)):
                yield path, key


def in_templates() -> Iterator[tuple[Path, Key]]:
    for path in TEMPLATES:
        code = templatize(path.read_text())
        for call in CALL.findall(code):
            node = ast.parse(call.replace("\n", " "), mode="eval").body
            if isinstance(node, ast.Call) and (key := _key_of(node)):
                yield path, key


def _key_of(call: ast.Call) -> Key | None:
    places = CALLS.get(call.func.id) if isinstance(call.func, ast.Name) else None
    if places is None:
        return None
    texts = []
    for place in places:
        argument = call.args[place] if place is not None and place < len(call.args) else None
        texts.append(argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else "")
    return (texts[0], texts[1], texts[2]) if texts[1] else None


def catalogue(language: str) -> list[Entry]:
    """The entries of a language's ``.po`` file, but for its head."""
    text = (ROOT / "locale" / language / "LC_MESSAGES" / "django.po").read_text()
    return [entry for block in text.split("\n\n") if (entry := _entry_of(block)).key[1]]


def _entry_of(block: str) -> Entry:
    fields: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        if match := re.match(r'(?:(msg[a-z_]+(?:\[\d\])?) )?(".*")$', line):
            name = match[1] or name
            fields[name] = fields.get(name, "") + ast.literal_eval(match[2])
    key = (fields.get("msgctxt", ""), fields.get("msgid", ""), fields.get("msgid_plural", ""))
    said = tuple(value for name, value in sorted(fields.items()) if name.startswith("msgstr"))
    return Entry(key, said, any(line.startswith("#,") and "fuzzy" in line for line in block.splitlines()))
