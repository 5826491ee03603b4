"""Components that a list repeats: rendered from their templates once, not once a row."""

from functools import lru_cache
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from conversations.models import Channel, Status

register = template.Library()

QUALIFIED = {True: _("Qualified"), False: _("Not qualified"), None: _("Not decided yet")}


@lru_cache(maxsize=256)
def component(name: str, value: object, language: str | None) -> SafeString:
    """Of the language that is active."""
    html = render_to_string(f"components/{name}.html", {"value": value, "label": _label(name, value)})
    return mark_safe(" ".join(html.split()))  # noqa: S308 - a template's, which escapes


def _label(name: str, value: Any) -> str:
    if name == "qualified":
        return str(QUALIFIED[value])
    choices: Any = Status if name == "pill" else Channel
    return str(choices(value).label) if value in choices.values else str(value)


@register.filter
def pill(status: str) -> SafeString:
    """A status as word, icon and colour."""
    return component("pill", status, get_language())


@register.filter
def channel(value: str) -> SafeString:
    return component("channel", value, get_language())


@register.filter
def qualified(value: bool | None) -> SafeString:
    return component("qualified", value, get_language())
